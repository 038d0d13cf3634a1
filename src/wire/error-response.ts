/** KmsError to AWS JSON 1.1 error: the only table of names, HTTP statuses and message spellings. */
import { KmsError, type KmsErrorCode } from '../errors.ts';

/** An error as it goes out. */
export interface ErrorReply {
  readonly status: number;
  /** JSON document. */
  readonly body: string;
}

/**
 * Statuses that are not 400. On the wire KMS answers 400 for every error of the client, whatever the model's HTTP traits say;
 * the errors of HTTP itself keep their own status.
 */
const STATUS: Partial<Record<KmsErrorCode, number>> = {
  DependencyTimeoutException: 500,
  InternalFailure: 500,
  KMSInternalException: 500,
  KeyUnavailableException: 500,
  RequestEntityTooLargeException: 413,
  RequestTimeoutException: 408,
  ServiceUnavailableException: 503,
};

/** The reply for an error. Anything that is not a KmsError becomes KMSInternalException without detail. */
export function errorReply(error: unknown): ErrorReply {
  if (!(error instanceof KmsError)) return { status: 500, body: '{"__type":"KMSInternalException"}' };
  return { status: STATUS[error.code] ?? 400, body: errorBody(error) };
}

function errorBody(error: KmsError): string {
  if (error.publicMessage === undefined) return JSON.stringify({ __type: error.code });
  // KMS spells the member with a capital in this one error.
  const member = error.code === 'AccessDeniedException' ? 'Message' : 'message';
  return JSON.stringify({ __type: error.code, [member]: error.publicMessage });
}

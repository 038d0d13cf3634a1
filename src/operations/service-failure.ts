/** The one translation of failures below the API into its errors: key store and store say what happened, this says what the caller reads. */
import { isKmsError, KmsError } from '../errors.ts';
import { KeyStoreError } from '../keystore/keystore.ts';
import type { KeyStoreErrorKind } from '../keystore/keystore.ts';
import type { KmsErrorCode } from '../errors.ts';

const INTERNAL_TEXT = 'The request was rejected because an internal exception occurred. The request can be retried.';

/** Also when a material unwraps and is not the one that is expected. */
export const INCORRECT_MATERIAL_TEXT =
  'The request was rejected because the key material in the request is expired, invalid, or does not meet expectations.';

interface Wording {
  readonly code: KmsErrorCode;
  /** The text of the reply. Absent: the key store's own words, which name what cannot be done and why. */
  readonly text?: string | undefined;
}

const WORDINGS: Readonly<Record<KeyStoreErrorKind, Wording>> = {
  unavailable: { code: 'KeyUnavailableException', text: 'The key store of the KMS key is not available. You can retry the request.' },
  timeout: {
    code: 'DependencyTimeoutException',
    text: 'The system timed out while trying to fulfill the request. You can retry the request.',
  },
  // Recordings show no message here (kms-api.md 10.1, 2).
  'invalid-ciphertext': { code: 'InvalidCiphertextException', text: undefined },
  unsupported: { code: 'UnsupportedOperationException' },
  refused: { code: 'UnsupportedOperationException' },
  exhausted: { code: 'LimitExceededException' },
  'material-missing': {
    code: 'KeyUnavailableException',
    text: 'The key store does not find the material of the KMS key. Tell the administrator of this service.',
  },
  'incorrect-material': { code: 'IncorrectKeyMaterialException', text: INCORRECT_MATERIAL_TEXT },
  internal: { code: 'KMSInternalException', text: INTERNAL_TEXT },
};

/** The KmsError that stands for any failure; its cause is for the log. */
export function toKmsError(error: unknown): KmsError {
  if (isKmsError(error)) return error;
  if (!(error instanceof KeyStoreError)) return new KmsError('KMSInternalException', INTERNAL_TEXT, { cause: error });
  const wording = WORDINGS[error.kind];
  return new KmsError(wording.code, 'text' in wording ? wording.text : error.message, { cause: error });
}

/** True for failures of the service itself, which its operators must hear of; false for refusals of a request. */
export function isServiceFailure(error: KmsError): boolean {
  return error.code === 'KMSInternalException' || error.code === 'KeyUnavailableException' || error.code === 'DependencyTimeoutException';
}

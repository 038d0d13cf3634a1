/** The Authorization header of Signature Version 4, taken apart. Knows its grammar and its complaints, not whether it is true. */
import { hash } from 'node:crypto';
import { KmsError } from '../../errors.ts';

/** `AWS4-HMAC-SHA256 Credential=..., SignedHeaders=..., Signature=...` */
export interface Authorization {
  readonly accessKeyId: string;
  /** The four parts of the credential scope. */
  readonly day: string;
  readonly region: string;
  readonly service: string;
  readonly terminator: string;
  /** Lower-case names in the order given. */
  readonly signedHeaders: readonly string[];
  /** 64 lower-case hexadecimal digits if the client did it right; compared, never decoded. */
  readonly signature: string;
}

const ALGORITHM = 'AWS4-HMAC-SHA256';
/** The order and spacing in which every AWS client writes it. */
const USUAL_FORM =
  /^AWS4-HMAC-SHA256 Credential=([^/, ]+)\/([^/, ]+)\/([^/, ]+)\/([^/, ]+)\/([^/, ]+), ?SignedHeaders=([^, ]+), ?Signature=([^, ]+)$/;
type UsualMatch = readonly [string, string, string, string, string, string, string, string];
const PARAMETERS = ['Credential', 'Signature', 'SignedHeaders'] as const;
const CREDENTIAL_PARTS = 5;

/**
 * Parses the header's value (IAM User Guide, "Elements of an AWS API request signature").
 * Throws MissingAuthenticationTokenException without one, IncompleteSignatureException when it is malformed.
 */
export function parseAuthorization(value: string | undefined, hasDate: boolean): Authorization {
  if (value === undefined) throw new KmsError('MissingAuthenticationTokenException', 'Missing Authentication Token');
  const usual = hasDate ? USUAL_FORM.exec(value) : null;
  if (usual === null) return parseUnusual(value, hasDate);
  const [, accessKeyId, day, region, service, terminator, signedHeaders, signature] = usual as unknown as UsualMatch;
  return { accessKeyId, day, region, service, terminator, signedHeaders: signedHeaders.split(';'), signature };
}

/** Any order and spacing; tells what is wrong where something is. */
function parseUnusual(value: string, hasDate: boolean): Authorization {
  if (value === '') throw incomplete('Authorization header cannot be empty');
  const blank = value.indexOf(' ');
  const algorithm = blank === -1 ? value : value.slice(0, blank);
  if (algorithm !== ALGORITHM) throw incomplete(`Unsupported AWS 'algorithm'. The Authorization header must begin with '${ALGORITHM}'.`);
  const parameters = parseParameters(blank === -1 ? '' : value.slice(blank + 1), value);
  requireAll(parameters, hasDate, value);
  const [accessKeyId, day, region, service, terminator] = parseCredential(parameters.get('Credential')!);
  const signedHeaders = parameters.get('SignedHeaders')!.split(';');
  return { accessKeyId, day, region, service, terminator, signedHeaders, signature: parameters.get('Signature')! };
}

function parseParameters(list: string, header: string): Map<string, string> {
  const parameters = new Map<string, string>();
  for (const part of list.split(',')) {
    const parameter = part.trim();
    if (parameter === '') continue;
    const equalSign = parameter.indexOf('=');
    if (equalSign < 1 || parameter.includes(' ')) {
      throw incomplete(`Invalid key=value pair (missing equal-sign) in Authorization header ${fingerprint(header)}.`);
    }
    const name = parameter.slice(0, equalSign);
    if (parameters.has(name)) throw incomplete(`Authorization header has more than one '${printable(name)}' parameter.`);
    parameters.set(name, parameter.slice(equalSign + 1));
  }
  return parameters;
}

function requireAll(parameters: ReadonlyMap<string, string>, hasDate: boolean, header: string): void {
  const complaints: string[] = [];
  for (const name of PARAMETERS) {
    if (!parameters.get(name)) complaints.push(`Authorization header requires '${name}' parameter.`);
  }
  if (!hasDate) complaints.push("Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header.");
  if (complaints.length > 0) throw incomplete(`${complaints.join(' ')} ${fingerprint(header)}`);
}

function parseCredential(credential: string): [string, string, string, string, string] {
  const parts = credential.split('/');
  if (parts.length !== CREDENTIAL_PARTS || parts.includes('')) {
    throw incomplete(
      `Credential must have exactly 5 slash-delimited elements, e.g. keyid/date/region/service/term, got '${printable(credential)}'`,
    );
  }
  return parts as [string, string, string, string, string];
}

/** How AWS names a header in a message without repeating a secret that was put into it by mistake. */
function fingerprint(header: string): string {
  return `(hashed with SHA-256 and encoded with Base64): '${hash('sha256', header, 'base64')}'`;
}

function printable(text: string): string {
  return text.slice(0, 128).replace(/[^\x20-\x7e]/g, '?');
}

function incomplete(message: string): KmsError {
  return new KmsError('IncompleteSignatureException', message);
}

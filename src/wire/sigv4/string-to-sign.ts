/**
 * What is signed: canonical request and string to sign. Pure computation; what must be signed, and by whom, is decided
 * elsewhere. Source: IAM User Guide, "Create a signed AWS API request".
 */
import { hash } from 'node:crypto';
import { SCOPE_TERMINATOR, type Scope } from './signing-keys.ts';

/** The parts of a request head that a signature can cover. */
export interface SignableHead {
  readonly method: string;
  /** Path of the request target, already normal (`/` in this API). */
  readonly path: string;
  /** Query of the request target without `?`, as received. */
  readonly query: string;
  /** Values by lower-case name, repeated ones joined with `,`; each character is one byte of the request. */
  readonly headers: ReadonlyMap<string, string>;
}

/** The text whose hash is signed. `bodyHash` is the lower-case hexadecimal SHA-256 of the body. */
export function canonicalRequest(head: SignableHead, signedHeaders: readonly string[], bodyHash: string): string {
  let text = `${head.method}\n${head.path}\n${canonicalQuery(head.query)}\n`;
  for (const name of signedHeaders) text += `${name}:${canonicalValue(head.headers.get(name) ?? '')}\n`;
  return `${text}\n${signedHeaders.join(';')}\n${bodyHash}`;
}

/** The text that is signed. `basicTime` is ISO 8601 basic format. */
export function stringToSign(canonical: string, basicTime: string, scope: Scope): string {
  // Bytes and characters are the same thing unless a header holds some beyond ASCII; text is hashed without a copy.
  const isAscii = Buffer.byteLength(canonical, 'utf8') === canonical.length;
  const canonicalHash = hash('sha256', isAscii ? canonical : Buffer.from(canonical, 'latin1'), 'hex');
  return `AWS4-HMAC-SHA256\n${basicTime}\n${scope.day}/${scope.region}/${scope.service}/${SCOPE_TERMINATOR}\n${canonicalHash}`;
}

function canonicalValue(value: string): string {
  return value.includes('  ') || value.includes('\t') || value.startsWith(' ') || value.endsWith(' ')
    ? value.trim().replace(/[ \t]+/g, ' ')
    : value;
}

function canonicalQuery(query: string): string {
  if (query === '') return '';
  const parameters = query.split('&').map((parameter) => {
    const equalSign = parameter.indexOf('=');
    const [name, value] = equalSign === -1 ? [parameter, ''] : [parameter.slice(0, equalSign), parameter.slice(equalSign + 1)];
    return [reencode(name), reencode(value)] as const;
  });
  parameters.sort(([nameA, valueA], [nameB, valueB]) => compare(nameA, nameB) || compare(valueA, valueB));
  return parameters.map(([name, value]) => `${name}=${value}`).join('&');
}

/** RFC 3986 percent-encoding of what was decoded, so that every spelling of a character gives one. */
function reencode(text: string): string {
  return encodeURIComponent(decoded(text)).replace(/[!'()*]/g, (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`);
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    // Not UTF-8 behind the percent signs: no client signs this, so it is left as it is and the signature will not match.
    return text;
  }
}

function compare(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}

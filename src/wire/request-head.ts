/**
 * The head of a request, read strictly: bounded, and no header that decides anything may come twice. Knows HTTP field syntax;
 * not what the headers mean to KMS.
 */
import { KmsError } from '../errors.ts';

/** Request line and headers. */
export interface RequestHead {
  readonly method: string;
  readonly path: string;
  /** Without `?`; empty when there is none. */
  readonly query: string;
  /** Values by lower-case name, trimmed, repeated ones joined with `,`. Each character is one byte (Latin-1). */
  readonly headers: ReadonlyMap<string, string>;
}

/** More headers than any AWS client sends, few enough to canonicalise at once. */
const HEADERS_MAX = 100;

/** Headers that decide routing, framing or identity: two of them mean that two readers could understand two requests. */
const SINGLE = new Set([
  'host',
  'authorization',
  'content-length',
  'content-type',
  'transfer-encoding',
  'date',
  'x-amz-date',
  'x-amz-target',
  'x-amz-content-sha256',
  'x-amz-security-token',
]);

/**
 * Reads a head from the request line's method and target and the headers as they came (name, value, name, value...).
 * Throws MalformedHttpRequestException.
 */
export function readHead(method: string, target: string, rawHeaders: readonly string[]): RequestHead {
  const headers = readHeaders(rawHeaders);
  if (!headers.has('host')) throw malformed('The request must have a Host header.');
  if (headers.has('content-length') && headers.has('transfer-encoding')) {
    throw malformed('The request must not have both Content-Length and Transfer-Encoding.');
  }
  const mark = target.indexOf('?');
  if (mark === -1) return { method, path: target, query: '', headers };
  return { method, path: target.slice(0, mark), query: target.slice(mark + 1), headers };
}

function readHeaders(rawHeaders: readonly string[]): Map<string, string> {
  if (rawHeaders.length > 2 * HEADERS_MAX) throw malformed(`The request must not have more than ${HEADERS_MAX} headers.`);
  const headers = new Map<string, string>();
  for (let i = 0; i + 1 < rawHeaders.length; i += 2) {
    const name = rawHeaders[i]!.toLowerCase();
    const value = rawHeaders[i + 1]!;
    const earlier = headers.get(name);
    if (earlier === undefined) headers.set(name, value);
    else if (SINGLE.has(name)) throw malformed(`The request must not have more than one ${name} header.`);
    else headers.set(name, `${earlier},${value}`);
  }
  return headers;
}

function malformed(message: string): KmsError {
  return new KmsError('MalformedHttpRequestException', message);
}

/**
 * AWS JSON 1.1 bodies: bytes to JSON values, and outputs to bytes. Shapes are not known here: blobs of an input stay base64 text
 * until the pipeline validates them.
 */
import { isAscii, isUtf8 } from 'node:buffer';
import { toBase64 } from '../bytes.ts';
import { KmsError } from '../errors.ts';
import type { OperationOutput } from '../operations/operation.ts';
import { writeBase64 } from './base64-writer.ts';

/** Content type of every request and reply. */
export const AMZ_JSON = 'application/x-amz-json-1.1';

/** Nesting of the deepest modelled input is 4; what is far beyond is an attack, not a request. */
const DEPTH_MAX = 32;

/** Output members that are plaintext which KMS returns in clear: written to a buffer that is wiped once sent, never to a string. */
const SECRET_MEMBERS: ReadonlySet<string> = new Set(['Plaintext', 'PrivateKeyPlaintext', 'SharedSecret']);

/** True for the content type of this protocol, with or without parameters. */
export function isAmzJson(contentType: string | undefined): boolean {
  if (contentType === AMZ_JSON) return true;
  return contentType !== undefined && contentType.split(';', 1)[0]!.trim().toLowerCase() === AMZ_JSON;
}

/** The input of a request: a JSON object; `{}` for an empty body. Throws SerializationException. */
export function decodeInput(body: Uint8Array): Record<string, unknown> {
  if (body.length === 0) return {};
  const input = parseJson(decodeText(Buffer.from(body.buffer, body.byteOffset, body.length)));
  if (typeof input !== 'object' || input === null || Array.isArray(input)) {
    throw new KmsError('SerializationException', 'The request body must be a JSON object.');
  }
  requireShallow(input, DEPTH_MAX);
  return input as Record<string, unknown>;
}

function decodeText(body: Buffer): string {
  // Nearly every body is ASCII, which costs half as much to decode.
  if (isAscii(body)) return body.toString('latin1');
  if (!isUtf8(body)) throw new KmsError('SerializationException', 'The request body is not valid UTF-8.');
  return body.toString('utf8');
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // The parser's own message quotes the body, which may hold a plaintext.
    throw new KmsError('SerializationException', 'The request body is not valid JSON.');
  }
}

function requireShallow(value: object, depthLeft: number): void {
  if (depthLeft === 0) throw new KmsError('SerializationException', `The request body is nested deeper than ${DEPTH_MAX} levels.`);
  for (const member of Object.values(value) as unknown[]) {
    if (typeof member === 'object' && member !== null) requireShallow(member, depthLeft - 1);
  }
}

/** A reply's body: text, or bytes that must be wiped once they were sent. */
export type EncodedOutput = string | Uint8Array;

/**
 * Encodes what an operation returned; nothing at all for undefined, which is an operation without output. Uint8Array as base64, Date as epoch seconds, undefined members left out. Plaintext members
 * are overwritten with zeros after they were encoded, and the result is then bytes. Throws TypeError for values that JSON lacks.
 */
export function encodeOutput(output: OperationOutput): EncodedOutput {
  if (output === undefined) return '';
  let text = '';
  let secrets: SecretPlace[] | undefined;
  for (const name of Object.keys(output)) {
    const value = output[name];
    if (value === undefined) continue;
    text += `${text === '' ? '{' : ','}"${name}":`;
    if (value instanceof Uint8Array && SECRET_MEMBERS.has(name)) {
      (secrets ??= []).push({ offset: text.length + 1, bytes: value });
      text += '""';
    } else text += encodeValue(value);
  }
  text = text === '' ? '{}' : `${text}}`;
  return secrets === undefined ? text : withSecrets(text, secrets);
}

interface SecretPlace {
  /** Where in the text the base64 of the bytes belongs. */
  readonly offset: number;
  readonly bytes: Uint8Array;
}

function withSecrets(text: string, secrets: readonly SecretPlace[]): Uint8Array {
  let lengthBytes = Buffer.byteLength(text);
  for (const { bytes } of secrets) lengthBytes += 4 * Math.ceil(bytes.length / 3);
  const body = Buffer.alloc(lengthBytes);
  let written = 0;
  let taken = 0;
  for (const { offset, bytes } of secrets) {
    written += body.write(text.slice(taken, offset), written);
    written += writeBase64(bytes, body, written);
    bytes.fill(0);
    taken = offset;
  }
  body.write(text.slice(taken), written);
  return body;
}

function encodeValue(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value);
  if (typeof value === 'boolean' || Number.isFinite(value)) return String(value);
  if (typeof value === 'object') return value === null ? 'null' : encodeObject(value);
  throw new TypeError(`an output cannot hold a ${typeof value}`);
}

function encodeObject(value: object): string {
  if (value instanceof Uint8Array) return `"${toBase64(value)}"`;
  if (value instanceof Date) return encodeValue(value.getTime() / 1000);
  if (Array.isArray(value)) return `[${value.map(encodeValue).join(',')}]`;
  if (!isPlain(value)) throw new TypeError(`an output cannot hold a ${value.constructor.name}`);
  const members = Object.entries(value).filter(([, member]) => member !== undefined);
  return `{${members.map(([name, member]) => `${JSON.stringify(name)}:${encodeValue(member)}`).join(',')}}`;
}

function isPlain(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

/**
 * The exported key token: a wrapped material as the metadata store keeps it. This file knows its bytes; who wraps and who
 * computes the MAC is `wrapped-materials.ts`. Layout (integers big-endian):
 *
 *     format u8 = 1 | key wrap algorithm u8 | length u8, CKA_ID of the wrapping key | length u16, wrapped key | HMAC-SHA-256 (32)
 *
 * The MAC covers everything before it and the binding of the material (`material-binding.ts`).
 */
import type { MaterialBinding } from '../material-binding.ts';
import { encodeBinding } from '../material-binding.ts';

/** RFC 3394 and RFC 5649. */
export type KeyWrapAlgorithm = 'AES-KW' | 'AES-KWP';

export interface ExportedKeyToken {
  readonly algorithm: KeyWrapAlgorithm;
  readonly wrappingKeyId: Uint8Array;
  readonly wrapped: Uint8Array;
}

const format = 1;
const macBytes = 32;
const wrappedBytesMax = 4096;
const algorithmCodes: Readonly<Record<KeyWrapAlgorithm, number>> = { 'AES-KW': 1, 'AES-KWP': 2 };
const purpose = 'hsm-kms exported key token v1';

/** The bytes before the MAC. */
export function encodeExportedKey(exported: ExportedKeyToken): Uint8Array {
  const { wrappingKeyId, wrapped } = exported;
  return Buffer.concat([
    Uint8Array.of(format, algorithmCodes[exported.algorithm], wrappingKeyId.length),
    wrappingKeyId,
    Uint8Array.of(wrapped.length >>> 8, wrapped.length),
    wrapped,
  ]);
}

/** What the MAC is computed over. */
export function macInput(body: Uint8Array, binding: MaterialBinding): Uint8Array {
  return Buffer.concat([encodeBinding(purpose, binding), body]);
}

/** The parts of a record, or undefined when it has another form. Never throws. */
export function parseExportedKey(record: Uint8Array): { exported: ExportedKeyToken; body: Uint8Array; mac: Uint8Array } | undefined {
  const algorithm = (['AES-KW', 'AES-KWP'] as const).find((name) => algorithmCodes[name] === record[1]);
  const idLength = record[2];
  if (record[0] !== format || algorithm === undefined || idLength === undefined) return undefined;
  const wrappedAt = 5 + idLength;
  const wrappedLength = (record[wrappedAt - 2] ?? 0) * 256 + (record[wrappedAt - 1] ?? 0);
  const macAt = wrappedAt + wrappedLength;
  if (wrappedLength === 0 || wrappedLength > wrappedBytesMax || record.length !== macAt + macBytes) return undefined;
  const exported = { algorithm, wrappingKeyId: record.subarray(3, 3 + idLength), wrapped: record.subarray(wrappedAt, macAt) };
  return { exported, body: record.subarray(0, macAt), mac: record.subarray(macAt) };
}

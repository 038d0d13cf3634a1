/** CBOR (RFC 8949) as attestation documents use it: numbers in their shortest form, no duplicate names, no tags; maps may be of indefinite length. */
import { decode, encode } from 'cborg';
import type { DecodeOptions } from 'cborg';

const strict: DecodeOptions = {
  strict: true,
  useMaps: true,
  rejectDuplicateMapKeys: true,
  allowUndefined: false,
  allowInfinity: false,
  allowNaN: false,
};

/** The one item that `bytes` hold; maps as Map, byte strings as Uint8Array. Throws Error for anything else, trailing bytes included. */
export function decodeCbor(bytes: Uint8Array): unknown {
  return decode(bytes, strict);
}

export function encodeCbor(value: unknown): Uint8Array {
  return encode(value);
}

/** True for byte strings of `min` to `max` bytes. */
export function isByteString(value: unknown, min: number, max: number): value is Uint8Array {
  return value instanceof Uint8Array && value.length >= min && value.length <= max;
}

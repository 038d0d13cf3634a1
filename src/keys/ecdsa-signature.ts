/** ECDSA signatures between the two forms in use: r and s of equal length (PKCS#11, IEEE P1363), and DER (RFC 3279, section 2.2.3). */
import { concatBytes } from '../bytes.ts';

/** DER of a signature that is r followed by s, both as long as the order of the curve. Throws RangeError when they are not of one length. */
export function derSignature(signature: Uint8Array): Uint8Array {
  if (signature.length === 0 || signature.length % 2 !== 0) throw new RangeError(`No signature has ${signature.length} bytes`);
  const half = signature.length / 2;
  const r = integer(signature.subarray(0, half));
  const s = integer(signature.subarray(half));
  return concatBytes(header(0x30, r.length + s.length), r, s);
}

/** An unsigned number as the shortest INTEGER. */
function integer(number: Uint8Array): Uint8Array {
  const first = number.findIndex((byte) => byte !== 0);
  const digits = first < 0 ? Uint8Array.of(0) : number.subarray(first);
  const sign = (digits[0] ?? 0) < 0x80 ? [] : [0];
  return concatBytes(header(0x02, sign.length + digits.length), Uint8Array.from(sign), digits);
}

/** Signatures of the curves in use have fewer than 256 bytes. */
function header(tag: number, length: number): Uint8Array {
  return length < 0x80 ? Uint8Array.of(tag, length) : Uint8Array.of(tag, 0x81, length);
}

/**
 * SM2PKE (GB/T 32918.4) with SM3; ciphertexts are DER SEQUENCE { x, y, C3, C2 } (GM/T 0009, 7.2), the form that AWS KMS and OpenSSL use.
 */
import { randomBytes } from 'node:crypto';
import { fromBER, Integer, OctetString, Sequence } from 'asn1js';
import type { AsnType } from 'asn1js';
import { concatBytes, equalConstantTime } from '../bytes.ts';
import { fieldToBytes, numberOf, scalarOf, sm2Curve, sm2PointOf, sm2PublicPoint, sm3 } from './sm2-curve.ts';
import type { Sm2KeyPair, Sm2Point } from './sm2-curve.ts';

interface Ciphertext {
  /** C1. */
  readonly point: Sm2Point;
  /** C3. */
  readonly digest: Uint8Array;
  /** C2, as long as the plaintext. */
  readonly masked: Uint8Array;
}

const uniformBytes = 48;
const digestBytes = 32;

/** Encrypts for the holder of the private key. `publicKey` is DER SubjectPublicKeyInfo; the plaintext is not empty. */
export function encryptSm2(publicKey: Uint8Array, plaintext: Uint8Array): Uint8Array {
  const recipient = sm2PublicPoint(publicKey);
  for (;;) {
    const ciphertext = encryptWithNonce(recipient, plaintext, scalarOf(randomBytes(uniformBytes)));
    if (ciphertext !== undefined) return ciphertext;
  }
}

/** GB/T 32918.4, 6.1. Undefined for a nonce that would leave the plaintext as it is: one in 256 for plaintexts of one byte. */
export function encryptWithNonce(recipient: Sm2Point, plaintext: Uint8Array, k: bigint): Uint8Array | undefined {
  const shared = coordinates(recipient.multiply(k));
  const masked = mask(plaintext, shared);
  if (Buffer.compare(masked, plaintext) === 0) return undefined;
  return encode({ point: sm2Curve.BASE.multiply(k), digest: sm3(shared.x, plaintext, shared.y), masked });
}

/**
 * GB/T 32918.4, 7.1. Undefined when the ciphertext does not open, whatever the reason. A mask of zeros is taken, which the standard has
 * nobody make but OpenSSL 3.0 does: the digest proves the plaintext all the same.
 */
export function decryptSm2({ scalar }: Sm2KeyPair, ciphertext: Uint8Array): Uint8Array | undefined {
  const parts = decode(ciphertext);
  if (parts === undefined) return undefined;
  const shared = coordinates(parts.point.multiply(numberOf(scalar)));
  const plaintext = mask(parts.masked, shared);
  if (equalConstantTime(sm3(shared.x, plaintext, shared.y), parts.digest)) return plaintext;
  plaintext.fill(0);
  return undefined;
}

interface Coordinates {
  readonly x: Uint8Array;
  readonly y: Uint8Array;
}

function coordinates(point: Sm2Point): Coordinates {
  const { x, y } = point.toAffine();
  return { x: fieldToBytes(x), y: fieldToBytes(y) };
}

/** Exclusive or with the key derivation of GB/T 32918.4, 5.4.3. */
function mask(bytes: Uint8Array, { x, y }: Coordinates): Uint8Array {
  const masked = Uint8Array.from(bytes);
  for (let offset = 0; offset < bytes.length; offset += digestBytes) {
    const counter = Buffer.alloc(4);
    counter.writeUInt32BE(offset / digestBytes + 1);
    for (const [index, byte] of sm3(x, y, counter)
      .subarray(0, bytes.length - offset)
      .entries()) {
      masked[offset + index] = (masked[offset + index] ?? 0) ^ byte;
    }
  }
  return masked;
}

function encode({ point, digest, masked }: Ciphertext): Uint8Array {
  const { x, y } = point.toAffine();
  const octets = [digest, masked].map((valueHex) => new OctetString({ valueHex }));
  return new Uint8Array(new Sequence({ value: [Integer.fromBigInt(x), Integer.fromBigInt(y), ...octets] }).toBER());
}

/** Undefined for anything but the one DER encoding of a ciphertext whose point is on the curve. */
function decode(ciphertext: Uint8Array): Ciphertext | undefined {
  try {
    const parts = partsOf(fromBER(ciphertext).result);
    return parts !== undefined && Buffer.compare(encode(parts), ciphertext) === 0 ? parts : undefined;
  } catch {
    return undefined;
  }
}

function partsOf(value: AsnType): Ciphertext | undefined {
  if (!(value instanceof Sequence) || value.valueBlock.value.length !== 4) return undefined;
  const [x, y, digest, masked] = value.valueBlock.value;
  if (!(x instanceof Integer) || !(y instanceof Integer) || !(digest instanceof OctetString) || !(masked instanceof OctetString))
    return undefined;
  const point = sm2PointOf(concatBytes(Uint8Array.of(4), fieldToBytes(x.toBigInt()), fieldToBytes(y.toBigInt())));
  return { point, digest: bytesOf(digest), masked: bytesOf(masked) };
}

function bytesOf(octets: OctetString): Uint8Array {
  return new Uint8Array(octets.getValue());
}

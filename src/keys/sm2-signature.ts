/** SM2DSA (GB/T 32918.2) with SM3 and the default distinguishing id (GM/T 0009, section 10); signatures are DER SEQUENCE { r, s }. */
import { createHmac } from 'node:crypto';
import { DER } from '@noble/curves/abstract/weierstrass.js';
import { fieldToBytes, inverse, modulo, numberOf, scalarOf, sm2Curve, sm2Parameters, sm2PublicPoint, sm3 } from './sm2-curve.ts';
import type { Sm2KeyPair } from './sm2-curve.ts';

const distinguishingId = Buffer.from('1234567812345678', 'ascii');
const signatureBytesMax = 72;

/** The digest that is signed for a message: SM3 over the signer's identity and the message. `point` is the uncompressed public key. */
export function sm2Digest(message: Uint8Array, point: Uint8Array): Uint8Array {
  const idBits = Buffer.alloc(2);
  idBits.writeUInt16BE(distinguishingId.length * 8);
  const { a, b, Gx, Gy } = sm2Parameters;
  const identity = sm3(idBits, distinguishingId, ...[a, b, Gx, Gy].map(fieldToBytes), point.subarray(1));
  return sm3(identity, message);
}

/** Signs a digest of 32 bytes. The nonce is drawn from `random` (32 bytes), hedged with key and digest against bytes that repeat. */
export function signSm2Digest({ scalar }: Sm2KeyPair, digest: Uint8Array, random: Uint8Array): Uint8Array {
  const uniform = createHmac('sha512', scalar).update(random).update(digest).digest();
  return signWithNonce(numberOf(scalar), numberOf(digest), scalarOf(uniform));
}

/**
 * GB/T 32918.2, 6.1, with private key `d`, digest `e` and nonce `k`. Throws Error for the nonces, about one in 2^255, that the standard
 * rejects.
 */
export function signWithNonce(d: bigint, e: bigint, k: bigint): Uint8Array {
  const r = modulo(e + sm2Curve.BASE.multiply(k).toAffine().x);
  const s = modulo(inverse(modulo(1n + d)) * modulo(k - r * d));
  if (r === 0n || modulo(r + k) === 0n || s === 0n) throw new Error('SM2: the nonce does not give a signature; sign again');
  return Buffer.from(DER.hexFromSig({ r, s }), 'hex');
}

/** GB/T 32918.2, 7.1. A signature of any wrong form is not right. `publicKey` is DER SubjectPublicKeyInfo. */
export function isSm2Signature(publicKey: Uint8Array, digest: Uint8Array, signature: Uint8Array): boolean {
  const found = decodeSignature(signature);
  if (found === undefined) return false;
  const { r, s } = found;
  const t = modulo(r + s);
  if (t === 0n) return false;
  const point = sm2Curve.BASE.multiplyUnsafe(s).add(sm2PublicPoint(publicKey).multiplyUnsafe(t));
  return !point.is0() && modulo(numberOf(digest) + point.toAffine().x) === r;
}

function decodeSignature(signature: Uint8Array): { readonly r: bigint; readonly s: bigint } | undefined {
  if (signature.length > signatureBytesMax) return undefined;
  try {
    const { r, s } = DER.toSig(signature);
    return [r, s].every((half) => half > 0n && half < sm2Parameters.n) ? { r, s } : undefined;
  } catch {
    return undefined;
  }
}

/**
 * ECDSA over digests that are already computed, which node:crypto cannot do: it always hashes what it signs. Raw messages go to
 * node:crypto instead. Signatures are DER, either half of the order (FIPS 186-5, 6.4).
 */
import { p256, p384, p521 } from '@noble/curves/nist.js';
import { secp256k1 } from '@noble/curves/secp256k1.js';
import type { ECDSA } from '@noble/curves/abstract/weierstrass.js';
import type { EcCurve } from './algorithms.ts';

const curves: Readonly<Record<EcCurve, { readonly ecdsa: ECDSA; readonly fieldBytes: number }>> = {
  prime256v1: { ecdsa: p256, fieldBytes: 32 },
  secp384r1: { ecdsa: p384, fieldBytes: 48 },
  secp521r1: { ecdsa: p521, fieldBytes: 66 },
  secp256k1: { ecdsa: secp256k1, fieldBytes: 32 },
};

/** Length of a coordinate, and of a private key, of the curve. */
export function fieldBytesOf(curve: EcCurve): number {
  return curves[curve].fieldBytes;
}

/** Signs with hedged nonces. `scalar` is the private key, as long as the field; the caller wipes it. */
export function signDigest(curve: EcCurve, digest: Uint8Array, scalar: Uint8Array): Uint8Array {
  return curves[curve].ecdsa.sign(digest, scalar, { prehash: false, lowS: false, extraEntropy: true, format: 'der' });
}

/** True when the signature is right. `publicKey` is DER SubjectPublicKeyInfo with an uncompressed point. */
export function verifyDigest(curve: EcCurve, digest: Uint8Array, signature: Uint8Array, publicKey: Uint8Array): boolean {
  const { ecdsa, fieldBytes } = curves[curve];
  const point = publicKey.subarray(-(1 + 2 * fieldBytes));
  try {
    return ecdsa.verify(signature, digest, point, { prehash: false, lowS: false, format: 'der' });
  } catch {
    // Thrown for signatures that are not DER; the public key was checked when it was stored.
    return false;
  }
}

/** Public keys that callers send for key agreement: refused before a private key meets them unless they are points of its curve. */
import { createPublicKey } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { keyShape } from './algorithms.ts';
import { sm2PublicPoint } from './sm2-curve.ts';

/**
 * True when `publicKey` is DER SubjectPublicKeyInfo of a point on the curve of `keySpec`, which it gives by its name (RFC 5480,
 * 2.1.1).
 */
export function isPublicKeyOf(keySpec: string, publicKey: Uint8Array): boolean {
  const shape = keyShape(keySpec);
  try {
    if (shape.type === 'sm2') return sm2PublicPoint(publicKey) !== undefined;
    const key = createPublicKey({ key: Buffer.from(publicKey), format: 'der', type: 'spki' });
    const isOnCurve = shape.type === 'ec' && key.asymmetricKeyType === 'ec' && key.asymmetricKeyDetails?.namedCurve === shape.curve;
    return isOnCurve && publicKey.length <= namedLengthBytes(key);
  } catch {
    return false;
  }
}

/**
 * Length of the key with its curve's name and an uncompressed point. OpenSSL takes explicit parameters for those of a named curve without
 * a look at their cofactor; a key with such parameters is always longer.
 */
function namedLengthBytes(key: KeyObject): number {
  return createPublicKey({ key: key.export({ format: 'jwk' }), format: 'jwk' }).export({ format: 'der', type: 'spki' }).length;
}

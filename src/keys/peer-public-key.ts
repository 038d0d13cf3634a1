/** Public keys that callers send for key agreement: refused before a private key meets them unless they are points of its curve. */
import { createPublicKey } from 'node:crypto';
import { keyShape } from './algorithms.ts';

/** True when `publicKey` is DER SubjectPublicKeyInfo of a point on the named curve of `keySpec`. OpenSSL checks that it is on the curve. */
export function isPublicKeyOf(keySpec: string, publicKey: Uint8Array): boolean {
  const shape = keyShape(keySpec);
  try {
    const key = createPublicKey({ key: Buffer.from(publicKey), format: 'der', type: 'spki' });
    return shape.type === 'ec' && key.asymmetricKeyType === 'ec' && key.asymmetricKeyDetails?.namedCurve === shape.curve;
  } catch {
    return false;
  }
}

/** Key material as a customer makes it and wraps it for an import, with node:crypto in place of the customer's own HSM. */
import { constants, createCipheriv, createPublicKey, generateKeyPairSync, publicEncrypt, randomBytes } from 'node:crypto';
import type { KeyPairKeyObjectResult } from 'node:crypto';
import { keyShape } from '../../src/keys/algorithms.ts';
import { wrappingAlgorithms } from '../../src/keys/import-wrapping.ts';
import { encryptSm2 } from '../../src/keys/sm2-encryption.ts';

export interface CustomerMaterial {
  /** Raw bytes, or DER PKCS#8. */
  readonly bytes: Buffer;
  /** Of key pairs: DER SubjectPublicKeyInfo. */
  readonly publicKey: Buffer | undefined;
}

/** New material for a key of `keySpec`. */
export function customerMaterial(keySpec: string): CustomerMaterial {
  const shape = keyShape(keySpec);
  switch (shape.type) {
    case 'aes':
      return { bytes: randomBytes(32), publicKey: undefined };
    case 'hmac':
      return { bytes: randomBytes(shape.keyBytes), publicKey: undefined };
    case 'rsa':
      return pairOf(generateKeyPairSync('rsa', { modulusLength: shape.modulusBits }));
    case 'ec':
      return pairOf(generateKeyPairSync('ec', { namedCurve: shape.curve, paramEncoding: 'named' }));
    case 'ed25519':
      return pairOf(generateKeyPairSync('ed25519'));
    case 'sm2':
      return pairOf(generateKeyPairSync('ec', { namedCurve: 'SM2' }));
    case 'ml-dsa':
    case 'ml-kem':
      break;
  }
  throw new RangeError(`no customer imports keys of spec ${keySpec}`);
}

/** A pair as material. */
export function pairOf({ publicKey, privateKey }: KeyPairKeyObjectResult): CustomerMaterial {
  return { bytes: privateKey.export({ type: 'pkcs8', format: 'der' }), publicKey: publicKey.export({ type: 'spki', format: 'der' }) };
}

/** `material` wrapped for the holder of `publicKey` (DER SubjectPublicKeyInfo). */
export function wrapMaterial(publicKey: Uint8Array, wrappingAlgorithm: string, material: Uint8Array): Buffer {
  const row = wrappingAlgorithms.get(wrappingAlgorithm);
  if (row === undefined) throw new RangeError(`no customer wraps with ${wrappingAlgorithm}`);
  if (row.scheme === 'sm2') return Buffer.from(encryptSm2(publicKey, material));
  const encrypt = (bytes: Uint8Array): Buffer =>
    publicEncrypt(
      {
        key: createPublicKey({ key: Buffer.from(publicKey), format: 'der', type: 'spki' }),
        oaepHash: row.digest,
        padding: constants.RSA_PKCS1_OAEP_PADDING,
      },
      bytes,
    );
  if (row.scheme === 'oaep') return encrypt(material);
  const wrappingKey = randomBytes(32);
  return Buffer.concat([encrypt(wrappingKey), wrapPadded(wrappingKey, material)]);
}

/** AES-KWP (RFC 5649). */
export function wrapPadded(wrappingKey: Uint8Array, material: Uint8Array): Buffer {
  return createCipheriv('id-aes256-wrap-pad', wrappingKey, Buffer.from('a65959a6', 'hex')).update(material);
}

/** Wraps key material as a customer of ImportKeyMaterial does, so that seeded material enters a key store by the same door. */
import { createPrivateKey, randomBytes } from 'node:crypto';
import { aeskwp } from '@noble/ciphers/aes.js';
import { concatBytes } from '../../bytes.ts';
import { keyShape } from '../../keys/algorithms.ts';
import { encryptWithPublicKey } from '../../keys/public-key-encryption.ts';
import type { SecretBytes } from '../../secret-bytes.ts';

export interface WrappedMaterial {
  readonly wrappingAlgorithm: string;
  readonly wrapped: Uint8Array;
}

const wrappingKeyBytes = 32;
const pemStart = '-----BEGIN';

/**
 * `material` for a key of `keySpec`, wrapped under an RSA public key (DER SubjectPublicKeyInfo): AES and HMAC keys by RSAES-OAEP, private
 * keys by RSA_AES_KEY_WRAP (kms-api.md 5.2). With SHA-1 in both, which every token has, and which OAEP is safe with (RFC 8017, section
 * 7.1). Throws Error for a PEM that is no private key.
 */
export function wrapMaterial(keySpec: string, material: SecretBytes, publicKey: Uint8Array): WrappedMaterial {
  const { type } = keyShape(keySpec);
  if (type === 'aes' || type === 'hmac') {
    return { wrappingAlgorithm: 'RSAES_OAEP_SHA_1', wrapped: material.expose((bytes) => encryptOaep(publicKey, bytes)) };
  }
  const key = randomBytes(wrappingKeyBytes);
  try {
    const wrapped = withPkcs8(material, (pkcs8) => aeskwp(key).encrypt(pkcs8));
    return { wrappingAlgorithm: 'RSA_AES_KEY_WRAP_SHA_1', wrapped: concatBytes(encryptOaep(publicKey, key), wrapped) };
  } finally {
    key.fill(0);
  }
}

function encryptOaep(publicKey: Uint8Array, bytes: Uint8Array): Uint8Array {
  return encryptWithPublicKey(publicKey, 'RSAES_OAEP_SHA_1', bytes);
}

/** Lends DER PKCS#8, made of PEM where the material is that. */
function withPkcs8<T>(material: SecretBytes, use: (pkcs8: Uint8Array) => T): T {
  return material.expose((bytes) => {
    if (!Buffer.from(bytes.buffer, bytes.byteOffset, pemStart.length).equals(Buffer.from(pemStart))) return use(bytes);
    const pkcs8 = createPrivateKey(Buffer.from(bytes)).export({ format: 'der', type: 'pkcs8' });
    try {
      return use(pkcs8);
    } finally {
      pkcs8.fill(0);
    }
  });
}

/** RSA and SM2 encryption and ML-KEM encapsulation in this process with the stored public key. No private key comes here. */
import { constants, publicEncrypt } from 'node:crypto';
import { keyShape, oaepDigests } from './algorithms.ts';
import { barePublicKey, mlKem } from './post-quantum.ts';
import { publicKeyObject } from './public-key-object.ts';
import { encryptSm2 } from './sm2-encryption.ts';

/** A fresh shared secret of 32 bytes and its ciphertext. */
export interface Encapsulated {
  readonly sharedSecret: Uint8Array;
  readonly ciphertext: Uint8Array;
}

/** RSAES-OAEP (RFC 8017, 7.1) with an empty label, or SM2PKE. The plaintext's length was checked. */
export function encryptWithPublicKey(publicKey: Uint8Array, algorithm: string, plaintext: Uint8Array): Uint8Array {
  if (algorithm === 'SM2PKE') return encryptSm2(publicKey, plaintext);
  const oaep = oaepDigests.get(algorithm);
  if (oaep === undefined) throw new RangeError(`${algorithm} does not encrypt with a public key`);
  const key = publicKeyObject(publicKey);
  return publicEncrypt({ key, padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash: oaep.digest }, plaintext);
}

/** ML-KEM.Encaps (FIPS 203, 7.2). */
export function encapsulateTo(publicKey: Uint8Array, keySpec: string): Encapsulated {
  const shape = keyShape(keySpec);
  if (shape.type !== 'ml-kem') throw new RangeError(`Keys of ${keySpec} do not encapsulate`);
  const { sharedSecret, cipherText } = mlKem[shape.parameters].encapsulate(barePublicKey(shape.parameters, publicKey));
  return { sharedSecret, ciphertext: cipherText };
}

/** What each use of a key that is not SYMMETRIC_DEFAULT is asked: the API's input, and the same for the key store. */
import { randomBytes } from 'node:crypto';
import type { KeyRecord, KeyUsage } from '../../keys/key-record.ts';
import { generateKeyPair } from '../../keys/key-pair.ts';
import { encryptWithPublicKey } from '../../keys/public-key-encryption.ts';
import type { BoundKey, KeyStore } from '../../keystore/keystore.ts';
import type { KeyChoice, OperationName, Workload } from '../observation.ts';

export const usages: Readonly<Partial<Record<OperationName, KeyUsage>>> = {
  Sign: 'SIGN_VERIFY',
  Verify: 'SIGN_VERIFY',
  GenerateMac: 'GENERATE_VERIFY_MAC',
  DeriveSharedSecret: 'KEY_AGREEMENT',
  Decrypt: 'ENCRYPT_DECRYPT',
  Encrypt: 'ENCRYPT_DECRYPT',
};

/** Input of the operation under `key`. `sign` gives a signature to verify. */
export async function apiInput(
  { operation, bytes, key: choice }: Workload & { readonly key: KeyChoice },
  key: KeyRecord,
  sign: (input: object) => Promise<string>,
): Promise<object> {
  const { algorithm, spec } = choice;
  const KeyId = key.keyId;
  const message = text(randomBytes(bytes));
  const signing = { KeyId, Message: message, SigningAlgorithm: algorithm };
  switch (operation) {
    case 'Sign':
      return signing;
    case 'Verify':
      return { ...signing, Signature: await sign(signing) };
    case 'GenerateMac':
      return { KeyId, Message: message, MacAlgorithm: algorithm };
    case 'DeriveSharedSecret':
      return { KeyId, KeyAgreementAlgorithm: algorithm, PublicKey: text(await newPublicKey(spec)) };
    case 'Encrypt':
      return { KeyId, Plaintext: message, EncryptionAlgorithm: algorithm };
    case 'Decrypt':
      return {
        KeyId,
        CiphertextBlob: text(encryptWithPublicKey(publicKeyOf(key), algorithm, randomBytes(bytes))),
        EncryptionAlgorithm: algorithm,
      };
    case 'GenerateDataKey':
    case 'DescribeKey':
    case 'ListKeys':
    case 'ListAliases':
      break;
  }
  throw new RangeError(`${operation} is no use of a key of spec ${spec}`);
}

/** The same use, asked of the key store itself, which has it for every spec that it serves. */
export async function keyStoreCall(
  { operation, bytes, key: choice }: Workload & { readonly key: KeyChoice },
  key: KeyRecord,
  keyStore: KeyStore,
): Promise<() => Promise<unknown>> {
  const { algorithm, spec } = choice;
  const bound = boundKey(key);
  const message = Uint8Array.from(randomBytes(bytes));
  if (operation === 'Sign') return async () => keyStore.sign?.(bound, { algorithm, message, messageType: 'RAW' });
  if (operation === 'GenerateMac') return async () => keyStore.mac?.(bound, algorithm, message);
  if (operation === 'DeriveSharedSecret') {
    const peer = await newPublicKey(spec);
    return async () => keyStore.agree?.(bound, peer);
  }
  if (operation === 'Decrypt') {
    const ciphertext = encryptWithPublicKey(publicKeyOf(key), algorithm, message);
    return async () => keyStore.decryptWithPrivateKey?.(bound, algorithm, ciphertext);
  }
  throw new RangeError(`The key store does not do ${operation}`);
}

function text(value: Uint8Array): string {
  return Buffer.from(value).toString('base64');
}

function boundKey(key: KeyRecord): BoundKey {
  const material = key.materials[0];
  if (material === undefined) throw new Error('The key has no material');
  return { key, material };
}

function publicKeyOf(key: KeyRecord): Uint8Array {
  return boundKey(key).material.publicKey ?? new Uint8Array();
}

async function newPublicKey(spec: string): Promise<Uint8Array> {
  const { publicKey, privateKey } = await generateKeyPair(spec, (lengthBytes) => Uint8Array.from(randomBytes(lengthBytes)));
  privateKey.fill(0);
  return publicKey;
}

/** The secret and the public half of a key that does not encrypt symmetrically, as the operations that use them need them. */
import { KmsError } from '../errors.ts';
import { assertAlgorithm, assertMessage } from '../keys/algorithms.ts';
import { keyArn } from '../keys/arn.ts';
import { KeyStoreError } from '../keystore/keystore.ts';
import { currentMaterial } from './symmetric-encryption.ts';
import type { MessageType } from '../keys/algorithms.ts';
import type { KeyRecord } from '../keys/key-record.ts';
import type { BoundKey, KeyStore, KeyUses } from '../keystore/keystore.ts';
import type { OperationContext } from './operation.ts';

/** A key and the store that uses its secret half. */
export interface UsableKey {
  readonly bound: BoundKey;
  readonly keyStore: KeyUses;
}

/** Throws KeyStoreError `unsupported` when the store that holds the key uses symmetric keys only. */
export function usableKey(key: KeyRecord, context: OperationContext): UsableKey {
  const { material, keyStore } = currentMaterial(key, context);
  if (!hasKeyUses(keyStore)) {
    throw new KeyStoreError('unsupported', `The key store ${keyStore.name} cannot use keys of spec ${key.keySpec}`);
  }
  return { bound: { key, material }, keyStore };
}

function hasKeyUses(keyStore: KeyStore): keyStore is KeyStore & KeyUses {
  const { sign, mac, decryptWithPrivateKey, agree, decapsulate } = keyStore;
  return [sign, mac, decryptWithPrivateKey, agree, decapsulate].every((use) => use !== undefined);
}

/** DER SubjectPublicKeyInfo of a key pair. Throws KmsError UnsupportedOperationException for keys that are none. */
export function publicKeyOf(key: KeyRecord, operation: string): Uint8Array {
  const publicKey = key.materials.find((material) => material.materialId === key.currentMaterialId)?.publicKey;
  if (publicKey === undefined) {
    throw new KmsError('UnsupportedOperationException', `${keyArn(key)} key spec is ${key.keySpec} which is not valid for ${operation}.`);
  }
  return publicKey;
}

/** Members of Sign and Verify that say what is signed. */
export interface SigningInput {
  readonly Message: Uint8Array;
  readonly MessageType?: MessageType;
  readonly SigningAlgorithm: string;
}

/** Throws KmsError: InvalidKeyUsageException for an algorithm of another key spec, ValidationException for a message that does not fit. */
export function checkSigningInput(input: SigningInput, { keys }: OperationContext<'key'>): void {
  assertAlgorithm(input.SigningAlgorithm, keys.key.record.keySpec, 'SIGN_VERIFY');
  assertMessage(input.SigningAlgorithm, input.MessageType ?? 'RAW', input.Message.length);
}

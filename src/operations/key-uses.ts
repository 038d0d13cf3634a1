/** The secret and the public half of a key that does not encrypt symmetrically, as the operations that use them need them. */
import { KmsError } from '../errors.ts';
import { assertAlgorithm, assertMessage, keyFamily } from '../keys/algorithms.ts';
import { keyArn } from '../keys/arn.ts';
import { currentMaterial } from './symmetric-encryption.ts';
import type { MessageType } from '../keys/algorithms.ts';
import type { KeyRecord } from '../keys/key-record.ts';
import type { BoundKey, KeyUses } from '../keystore/keystore.ts';
import type { OperationContext } from './operation.ts';

/** A key and the store that uses its secret half. */
export interface UsableKey {
  readonly bound: BoundKey;
  readonly keyStore: KeyUses;
}

/** The current material of the key with the store that holds it. */
export function usableKey(key: KeyRecord, context: OperationContext): UsableKey {
  const { material, keyStore } = currentMaterial(key, context);
  return { bound: { key, material }, keyStore };
}

/**
 * DER SubjectPublicKeyInfo of a key pair. Throws KmsError UnsupportedOperationException for keys that are none, KMSInvalidStateException
 * for a key pair that was never imported.
 */
export function publicKeyOf(key: KeyRecord, operation: string): Uint8Array {
  const publicKey = key.materials.find((material) => material.materialId === key.currentMaterialId)?.publicKey;
  if (key.materials.length === 0 && keyFamily(key.keySpec) === 'asymmetric') {
    throw new KmsError('KMSInvalidStateException', `${keyArn(key)} is pending import.`);
  }
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

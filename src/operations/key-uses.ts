/** The secret and the public half of a key that does not encrypt symmetrically, as the operations that use them need them. */
import { KmsError } from '../errors.ts';
import { assertAlgorithm, assertMessage, keyFamily } from '../keys/algorithms.ts';
import { keyArn } from '../keys/arn.ts';
import { equalConstantTime } from '../bytes.ts';
import { publicKeyFingerprint } from '../keys/key-fingerprint.ts';
import { materialIdOf } from '../keys/material-id.ts';
import { KeyStoreError } from '../keystore/keystore.ts';
import { currentMaterial } from './symmetric-encryption.ts';
import type { MessageType } from '../keys/algorithms.ts';
import type { KeyRecord, MaterialRecord } from '../keys/key-record.ts';
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

/** Records of materials whose public key was checked. Nobody alters a record; a changed one is another object. */
const checkedMaterials = new WeakSet<MaterialRecord>();

/**
 * DER SubjectPublicKeyInfo of a key pair. Throws KmsError UnsupportedOperationException for keys that are none, KMSInvalidStateException
 * for a key pair that was never imported, KeyStoreError `internal` for a public key that fingerprint or material id of the record deny.
 */
export function publicKeyOf(key: KeyRecord, operation: string): Uint8Array {
  const material = key.materials.find(({ materialId }) => materialId === key.currentMaterialId);
  if (key.materials.length === 0 && keyFamily(key.keySpec) === 'asymmetric') {
    throw new KmsError('KMSInvalidStateException', `${keyArn(key)} is pending import.`);
  }
  if (material?.publicKey === undefined) {
    throw new KmsError('UnsupportedOperationException', `${keyArn(key)} key spec is ${key.keySpec} which is not valid for ${operation}.`);
  }
  if (!checkedMaterials.has(material)) checkPublicKey(key.keyId, material, material.publicKey);
  return material.publicKey;
}

/** No key store is asked for public keys, so nothing else would notice one that was put in the place of another. */
function checkPublicKey(keyId: string, material: MaterialRecord, publicKey: Uint8Array): void {
  const { fingerprint, materialId } = material;
  if (!equalConstantTime(publicKeyFingerprint(publicKey), fingerprint) || materialIdOf(keyId, fingerprint) !== materialId)
    throw new KeyStoreError('internal', 'The public key in the record of this key material is that of another; it is not used');
  checkedMaterials.add(material);
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

/**
 * Symmetric encryption with a KMS key, as several operations need it: which key and material a ciphertext names, sealing under the current
 * material, opening under the one that sealed. The cryptography itself is the key store's.
 */
import { KmsError } from '../errors.ts';
import { keyArn } from '../keys/arn.ts';
import { parseCiphertextBlob } from '../keys/ciphertext-blob.ts';
import { canonicalEncryptionContext, EncryptionContextError } from '../keys/encryption-context.ts';
import { ciphertextKeyDenied } from './authorise.ts';
import { isPresent, isSymmetricMaterial } from '../keys/key-record.ts';
import type { KeyRecord, MaterialRecord } from '../keys/key-record.ts';
import type { KeyStore } from '../keystore/keystore.ts';
import type { OperationContext, ResolvedKey } from './operation.ts';

/** An encryption context as requests carry it; undefined equals empty. */
export type EncryptionContext = Readonly<Record<string, string>> | undefined;

/** A ciphertext or plaintext with the material that made or opened it. */
export interface Sealed {
  readonly ciphertext: Uint8Array;
  readonly materialId: string;
}
export interface Opened {
  readonly plaintext: Uint8Array;
  readonly materialId: string;
}

/**
 * The key that a ciphertext names. `named` is the key that the request names besides, which must be the same.
 * Throws KmsError: InvalidCiphertextException (not a ciphertext of this service), IncorrectKeyException, AccessDeniedException (no such key).
 */
export function keyOfCiphertext(blob: Uint8Array, named: ResolvedKey | undefined, context: OperationContext): ResolvedKey {
  const header = parseCiphertextBlob(blob);
  if (header === undefined) throw new KmsError('InvalidCiphertextException');
  if (named === undefined) {
    const scope = { partition: header.partition, account: header.account, region: context.caller.region };
    const record = context.parts.store.key(scope, header.keyId);
    if (record === undefined) throw ciphertextKeyDenied();
    return { record, alias: undefined, ciphertext: header };
  }
  const { record } = named;
  if (record.keyId !== header.keyId || record.account !== header.account || record.partition !== header.partition) {
    throw new KmsError('IncorrectKeyException', 'The key ID in the request does not identify a CMK that can perform this operation.');
  }
  return { ...named, ciphertext: header };
}

/** The bytes that are authenticated for an encryption context. Throws KmsError ValidationException when it cannot be used. */
export function authenticatedContext(context: EncryptionContext): Uint8Array {
  try {
    return canonicalEncryptionContext(context);
  } catch (error) {
    if (!(error instanceof EncryptionContextError)) throw error;
    throw new KmsError('ValidationException', error.message, { cause: error });
  }
}

/** The current material of a key and the store that holds it. Throws KmsError KMSInvalidStateException when imported material is gone. */
export function currentMaterial(
  key: KeyRecord,
  context: OperationContext,
): { readonly material: MaterialRecord; readonly keyStore: KeyStore } {
  const material = key.materials.find((candidate) => candidate.materialId === key.currentMaterialId);
  if (material === undefined) throw new Error(`key ${key.keyId} is ${key.state} without a current material`);
  assertPresent(key, material);
  return { material, keyStore: context.parts.keyStores.byName(material.keyStore) };
}

/** Encrypts under the current material of the key. */
export async function seal(
  key: KeyRecord,
  plaintext: Uint8Array,
  encryptionContext: EncryptionContext,
  context: OperationContext,
): Promise<Sealed> {
  const { material, keyStore } = currentMaterial(key, context);
  if (!isSymmetricMaterial(material)) throw new Error(`material ${material.materialId} of key ${key.keyId} does not encrypt symmetrically`);
  const authenticated = authenticatedContext(encryptionContext);
  const ciphertext = await keyStore.encrypt({ key, material }, plaintext, authenticated, context.signal);
  return { ciphertext, materialId: material.materialId };
}

/** Decrypts the ciphertext through which the key was resolved. The caller wipes the plaintext or hands it to the client. */
export async function open(resolved: ResolvedKey, encryptionContext: EncryptionContext, context: OperationContext): Promise<Opened> {
  const { record: key, ciphertext: header } = resolved;
  const material = key.materials.find((candidate) => candidate.materialId === header?.materialId);
  // A material has one suite for ever: a header that claims another is forged.
  if (header === undefined || material === undefined || !isSymmetricMaterial(material) || material.suite !== header.suite)
    throw new KmsError('InvalidCiphertextException');
  assertPresent(key, material);
  const authenticated = authenticatedContext(encryptionContext);
  const keyStore = context.parts.keyStores.byName(material.keyStore);
  const plaintext = await keyStore.decrypt({ key, material }, header, authenticated, context.signal);
  return { plaintext, materialId: material.materialId };
}

/** The key state says so already, save while a key is Updating. */
function assertPresent(key: KeyRecord, material: MaterialRecord): void {
  if (!isPresent(material)) throw new KmsError('KMSInvalidStateException', `${keyArn(key)} is pending import.`);
}

/** True when a dry run asks to leave the ciphertext out of account (DryRunModifiers). */
export function ignoresCiphertext(input: { readonly DryRun?: boolean; readonly DryRunModifiers?: readonly string[] }): boolean {
  return input.DryRun === true && input.DryRunModifiers?.includes('IGNORE_CIPHERTEXT') === true;
}

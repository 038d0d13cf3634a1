/** Encryption with a KMS key of either kind, as Encrypt, Decrypt and ReEncrypt need it: symmetric, or RSA with a key pair. */
import { KmsError } from '../errors.ts';
import { invalid } from '../api/violations.ts';
import { assertAlgorithm, assertPlaintextLength } from '../keys/algorithms.ts';
import { publicKeyOf, usableKey } from './key-uses.ts';
import { authenticatedContext, keyOfCiphertext, open, seal } from './symmetric-encryption.ts';
import type { KeyRecord } from '../keys/key-record.ts';
import type { OperationContext, ResolvedKey } from './operation.ts';
import type { EncryptionContext } from './symmetric-encryption.ts';

/** How a request wants something encrypted, or says that it was. */
export interface EncryptionChoice {
  readonly algorithm: string;
  readonly encryptionContext: EncryptionContext;
}

/** Plaintext or ciphertext, with the material where the API names it: symmetric keys. */
export interface EncryptionResult {
  readonly bytes: Uint8Array;
  readonly materialId: string | undefined;
}

export const symmetricAlgorithm = 'SYMMETRIC_DEFAULT';

/** Absent members mean the symmetric algorithm. */
export function encryptionChoice(algorithm: string | undefined, encryptionContext: EncryptionContext): EncryptionChoice {
  return { algorithm: algorithm ?? symmetricAlgorithm, encryptionContext };
}

export function isSymmetric({ algorithm }: EncryptionChoice): boolean {
  return algorithm === symmetricAlgorithm;
}

/** Throws KmsError: InvalidKeyUsageException for an algorithm of another key spec, ValidationException for a context that cannot be used. */
export function checkChoice(choice: EncryptionChoice, key: KeyRecord): void {
  assertAlgorithm(choice.algorithm, key.keySpec, 'ENCRYPT_DECRYPT');
  if (isSymmetric(choice)) return;
  if (Object.keys(choice.encryptionContext ?? {}).length > 0) {
    throw invalid(`An encryption context cannot be used with algorithm ${choice.algorithm}.`);
  }
}

/** Throws KmsError ValidationException for a plaintext or context that the algorithm does not take. */
export function checkPlaintext(choice: EncryptionChoice, key: KeyRecord, lengthBytes: number): void {
  if (isSymmetric(choice)) authenticatedContext(choice.encryptionContext);
  else assertPlaintextLength(choice.algorithm, key.keySpec, lengthBytes);
}

/**
 * The key that opens a ciphertext: for symmetric ones the key that it names, else `named`. Throws KmsError IncorrectKeyException for
 * a named key that decrypts nothing, as AWS KMS does (kms-api.md 10.1, 7), besides what `keyOfCiphertext` throws.
 */
export function openingKey(
  ciphertext: Uint8Array,
  choice: EncryptionChoice,
  named: ResolvedKey | undefined,
  context: OperationContext,
): ResolvedKey | undefined {
  if (isSymmetric(choice)) return keyOfCiphertext(ciphertext, named, context);
  if (named !== undefined && named.record.keyUsage !== 'ENCRYPT_DECRYPT') {
    throw new KmsError('IncorrectKeyException', 'The key ID in the request does not identify a CMK that can perform this operation.');
  }
  return named;
}

/** Encrypts under the current material. RSA and SM2 use the stored public key and ask no key store. */
export async function encryptUnder(
  key: KeyRecord,
  choice: EncryptionChoice,
  plaintext: Uint8Array,
  context: OperationContext,
): Promise<EncryptionResult> {
  if (isSymmetric(choice)) {
    const { ciphertext, materialId } = await seal(key, plaintext, choice.encryptionContext, context);
    return { bytes: ciphertext, materialId };
  }
  checkPlaintext(choice, key, plaintext.length);
  const bytes = await context.parts.publicKeys.encryptTo(publicKeyOf(key, 'Encrypt'), choice.algorithm, plaintext);
  return { bytes, materialId: undefined };
}

/** Decrypts a ciphertext of the resolved key. The caller wipes the plaintext or hands it to the client. */
export async function decryptUnder(
  resolved: ResolvedKey,
  choice: EncryptionChoice,
  ciphertext: Uint8Array,
  context: OperationContext,
): Promise<EncryptionResult> {
  if (isSymmetric(choice)) {
    const { plaintext, materialId } = await open(resolved, choice.encryptionContext, context);
    return { bytes: plaintext, materialId };
  }
  const { bound, keyStore } = usableKey(resolved.record, context);
  const bytes = await keyStore.decryptWithPrivateKey(bound, choice.algorithm, ciphertext, context.signal);
  return { bytes, materialId: undefined };
}

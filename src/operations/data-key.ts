/** A fresh data key and its sealed copy: what GenerateDataKey and GenerateDataKeyWithoutPlaintext have in common. */
import { invalid } from '../api/violations.ts';
import { KmsError } from '../errors.ts';
import { keyArn } from '../keys/arn.ts';
import { recheckedKey } from './key-change.ts';
import { authenticatedContext, currentMaterial, seal } from './symmetric-encryption.ts';
import type { OperationContext } from './operation.ts';
import type { EncryptionContext, Sealed } from './symmetric-encryption.ts';

export interface DataKeyInput {
  readonly EncryptionContext?: EncryptionContext;
  readonly NumberOfBytes?: number;
  readonly KeySpec?: 'AES_256' | 'AES_128';
}

const LENGTHS_BYTES = { AES_256: 32, AES_128: 16 };

/** Exactly one of KeySpec and NumberOfBytes. */
export function validateDataKeyInput(input: DataKeyInput): void {
  if ((input.KeySpec === undefined) === (input.NumberOfBytes === undefined)) {
    throw invalid('Please specify either number of bytes or key spec.');
  }
}

/** Data keys are sealed by symmetric encryption keys only. The context is judged before the token is asked for random bytes. */
export function checkDataKeyRequest(input: DataKeyInput, { keys }: OperationContext<'key'>): void {
  const { record } = keys.key;
  if (record.keySpec !== 'SYMMETRIC_DEFAULT') {
    throw new KmsError('InvalidKeyUsageException', `${keyArn(record)} key spec is ${record.keySpec} which cannot generate data keys.`);
  }
  authenticatedContext(input.EncryptionContext);
}

/** Random bytes of the key's own key store, and the same sealed under the key. The caller hands the plaintext out or wipes it. */
export async function generateDataKey(
  input: DataKeyInput,
  context: OperationContext<'key'>,
): Promise<Sealed & { readonly plaintext: Uint8Array }> {
  const { record } = context.keys.key;
  const lengthBytes = input.KeySpec === undefined ? (input.NumberOfBytes ?? 0) : LENGTHS_BYTES[input.KeySpec];
  const plaintext = await currentMaterial(record, context).keyStore.random(lengthBytes, context.signal);
  try {
    const current = recheckedKey('GenerateDataKey', record, context);
    return { ...(await seal(current, plaintext, input.EncryptionContext, context)), plaintext };
  } catch (error) {
    plaintext.fill(0);
    throw error;
  }
}

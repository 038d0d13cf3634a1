/** Encrypt: up to 4,096 bytes under a KMS key. */
import { assertAlgorithm } from '../keys/algorithms.ts';
import { keyArn } from '../keys/arn.ts';
import { usedKey } from './named-key.ts';
import { defineOperation } from './operation.ts';
import { authenticatedContext, seal } from './symmetric-encryption.ts';
import type { Operation } from './operation.ts';
import type { EncryptionContext } from './symmetric-encryption.ts';

interface EncryptInput {
  readonly Plaintext: Uint8Array;
  readonly EncryptionContext?: EncryptionContext;
  readonly EncryptionAlgorithm?: string;
}

export const encrypt: Operation = defineOperation<EncryptInput, 'key'>({
  name: 'Encrypt',
  action: 'Encrypt',
  keys: usedKey,
  usage: 'ENCRYPT_DECRYPT',
  check: (input, { keys }) => assertAlgorithm(input.EncryptionAlgorithm ?? 'SYMMETRIC_DEFAULT', keys.key.record.keySpec, 'ENCRYPT_DECRYPT'),
  dryRun: (input) => void authenticatedContext(input.EncryptionContext),
  perform: async (input, context) => {
    const { record } = context.keys.key;
    const { ciphertext } = await seal(record, input.Plaintext, input.EncryptionContext, context);
    return { CiphertextBlob: ciphertext, KeyId: keyArn(record), EncryptionAlgorithm: 'SYMMETRIC_DEFAULT' };
  },
});

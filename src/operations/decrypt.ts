/** Decrypt: the key is read from the ciphertext; a KeyId in the request must name the same one. */
import { missingMember } from '../api/violations.ts';
import { assertAlgorithm } from '../keys/algorithms.ts';
import { keyArn } from '../keys/arn.ts';
import { defineOperation } from './operation.ts';
import { ignoresCiphertext, keyOfCiphertext, open, proveOpens, refuseRecipient } from './symmetric-encryption.ts';
import type { Operation } from './operation.ts';
import type { EncryptionContext } from './symmetric-encryption.ts';

interface DecryptInput {
  readonly CiphertextBlob?: Uint8Array;
  readonly EncryptionContext?: EncryptionContext;
  readonly KeyId?: string;
  readonly EncryptionAlgorithm?: string;
  readonly Recipient?: unknown;
  readonly DryRun?: boolean;
  readonly DryRunModifiers?: readonly string[];
}

export const decrypt: Operation = defineOperation<DecryptInput, 'key'>({
  name: 'Decrypt',
  action: 'Decrypt',
  keys: [{ member: 'KeyId', as: 'key', aliasAllowed: true, crossAccount: true, optional: true }],
  usage: 'ENCRYPT_DECRYPT',
  validate: (input) => {
    if (input.CiphertextBlob === undefined && !ignoresCiphertext(input)) throw missingMember('ciphertextBlob');
    if (input.KeyId === undefined && (ignoresCiphertext(input) || !isSymmetric(input))) throw missingMember('keyId');
    refuseRecipient(input.Recipient);
  },
  keysFromInput: (input, context) => {
    if (input.CiphertextBlob === undefined || ignoresCiphertext(input) || !isSymmetric(input)) return {};
    return { key: keyOfCiphertext(input.CiphertextBlob, context.keys['key'], context) };
  },
  check: (input, { keys }) => assertAlgorithm(input.EncryptionAlgorithm ?? 'SYMMETRIC_DEFAULT', keys.key.record.keySpec, 'ENCRYPT_DECRYPT'),
  dryRun: async (input, context) => {
    if (!ignoresCiphertext(input)) await proveOpens(context.keys.key, input.EncryptionContext, context);
  },
  perform: async (input, context) => {
    const { plaintext, materialId } = await open(context.keys.key, input.EncryptionContext, context);
    return {
      KeyId: keyArn(context.keys.key.record),
      Plaintext: plaintext,
      EncryptionAlgorithm: 'SYMMETRIC_DEFAULT',
      KeyMaterialId: materialId,
    };
  },
});

function isSymmetric(input: DecryptInput): boolean {
  return (input.EncryptionAlgorithm ?? 'SYMMETRIC_DEFAULT') === 'SYMMETRIC_DEFAULT';
}

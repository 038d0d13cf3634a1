/** Decrypt: the key of a symmetric ciphertext is read from it, and a KeyId must name the same one; RSA ciphertexts need the KeyId. */
import { missingMember } from '../api/violations.ts';
import { keyArn } from '../keys/arn.ts';
import { checkChoice, decryptUnder, encryptionChoice, isSymmetric, openingKey } from './encryption.ts';
import { defineOperation } from './operation.ts';
import { ignoresCiphertext } from './symmetric-encryption.ts';
import type { EncryptionChoice, EncryptionResult } from './encryption.ts';
import type { Operation, OperationContext } from './operation.ts';
import type { EncryptionContext } from './symmetric-encryption.ts';

interface DecryptInput {
  readonly CiphertextBlob?: Uint8Array;
  readonly EncryptionContext?: EncryptionContext;
  readonly KeyId?: string;
  readonly EncryptionAlgorithm?: string;
  readonly DryRun?: boolean;
  readonly DryRunModifiers?: readonly string[];
}

export const decrypt: Operation = defineOperation<DecryptInput, 'key'>({
  name: 'Decrypt',
  action: 'Decrypt',
  keys: [{ member: 'KeyId', as: 'key', aliasAllowed: true, crossAccount: true, optional: true }],
  usage: 'ENCRYPT_DECRYPT',
  forRecipient: 'Plaintext',
  validate: (input) => {
    if (input.CiphertextBlob === undefined && !ignoresCiphertext(input)) throw missingMember('ciphertextBlob');
    if (input.KeyId === undefined && (ignoresCiphertext(input) || !isSymmetric(choiceOf(input)))) throw missingMember('keyId');
  },
  keysFromInput: (input, context) => {
    if (input.CiphertextBlob === undefined || ignoresCiphertext(input)) return {};
    const key = openingKey(input.CiphertextBlob, choiceOf(input), context.keys['key'], context);
    return key === undefined ? {} : { key };
  },
  check: (input, { keys }) => checkChoice(choiceOf(input), keys.key.record),
  dryRun: async (input, context) => {
    if (!ignoresCiphertext(input)) (await decryptOf(input, context)).bytes.fill(0);
  },
  perform: async (input, context) => {
    const { bytes, materialId } = await decryptOf(input, context);
    return {
      KeyId: keyArn(context.keys.key.record),
      Plaintext: bytes,
      EncryptionAlgorithm: choiceOf(input).algorithm,
      ...(materialId !== undefined && { KeyMaterialId: materialId }),
    };
  },
});

function choiceOf(input: DecryptInput): EncryptionChoice {
  return encryptionChoice(input.EncryptionAlgorithm, input.EncryptionContext);
}

/** `validate` has seen to it that there is a ciphertext wherever this is called. */
function decryptOf(input: DecryptInput, context: OperationContext<'key'>): Promise<EncryptionResult> {
  return decryptUnder(context.keys.key, choiceOf(input), input.CiphertextBlob ?? new Uint8Array(), context);
}

/** Encrypt: up to 4,096 bytes under a symmetric key, less under an RSA key. */
import { keyArn } from '../keys/arn.ts';
import { checkChoice, checkPlaintext, encryptionChoice, encryptUnder } from './encryption.ts';
import { usedKey } from './named-key.ts';
import { defineOperation } from './operation.ts';
import type { EncryptionChoice } from './encryption.ts';
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
  check: (input, { keys }) => checkChoice(choiceOf(input), keys.key.record),
  dryRun: (input, { keys }) => checkPlaintext(choiceOf(input), keys.key.record, input.Plaintext.length),
  perform: async (input, context) => {
    const { record } = context.keys.key;
    const choice = choiceOf(input);
    const { bytes } = await encryptUnder(record, choice, input.Plaintext, context);
    return { CiphertextBlob: bytes, KeyId: keyArn(record), EncryptionAlgorithm: choice.algorithm };
  },
});

function choiceOf(input: EncryptInput): EncryptionChoice {
  return encryptionChoice(input.EncryptionAlgorithm, input.EncryptionContext);
}

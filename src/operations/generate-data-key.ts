/** GenerateDataKey: a data key in clear and sealed under a symmetric key. */
import { keyArn } from '../keys/arn.ts';
import { checkDataKeyRequest, generateDataKey, validateDataKeyInput } from './data-key.ts';
import { usedKey } from './named-key.ts';
import { defineOperation } from './operation.ts';
import type { DataKeyInput } from './data-key.ts';
import type { Operation } from './operation.ts';

export const generateDataKeyOperation: Operation = defineOperation<DataKeyInput, 'key'>({
  name: 'GenerateDataKey',
  action: 'GenerateDataKey',
  keys: usedKey,
  usage: 'ENCRYPT_DECRYPT',
  forRecipient: 'Plaintext',
  validate: validateDataKeyInput,
  check: checkDataKeyRequest,
  perform: async (input, context) => {
    const { ciphertext, plaintext, materialId } = await generateDataKey(input, context);
    return { CiphertextBlob: ciphertext, Plaintext: plaintext, KeyId: keyArn(context.keys.key.record), KeyMaterialId: materialId };
  },
});

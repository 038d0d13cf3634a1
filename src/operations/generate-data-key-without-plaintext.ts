/** GenerateDataKeyWithoutPlaintext: a data key that only its sealed copy shows. */
import { keyArn } from '../keys/arn.ts';
import { checkDataKeyRequest, generateDataKey, validateDataKeyInput } from './data-key.ts';
import { usedKey } from './named-key.ts';
import { defineOperation } from './operation.ts';
import type { DataKeyInput } from './data-key.ts';
import type { Operation } from './operation.ts';

export const generateDataKeyWithoutPlaintext: Operation = defineOperation<DataKeyInput, 'key'>({
  name: 'GenerateDataKeyWithoutPlaintext',
  action: 'GenerateDataKeyWithoutPlaintext',
  keys: usedKey,
  usage: 'ENCRYPT_DECRYPT',
  validate: validateDataKeyInput,
  check: checkDataKeyRequest,
  perform: async (input, context) => {
    const { ciphertext, plaintext, materialId } = await generateDataKey(input, context);
    plaintext.fill(0);
    return { CiphertextBlob: ciphertext, KeyId: keyArn(context.keys.key.record), KeyMaterialId: materialId };
  },
});

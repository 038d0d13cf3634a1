/** GenerateDataKeyPairWithoutPlaintext: a key pair whose private key only its sealed copy shows. */
import { keyArn } from '../keys/arn.ts';
import { checkDataKeyPairRequest, generateDataKeyPair } from './data-key-pair.ts';
import { usedKey } from './named-key.ts';
import { defineOperation } from './operation.ts';
import type { DataKeyPairInput } from './data-key-pair.ts';
import type { Operation } from './operation.ts';

export const generateDataKeyPairWithoutPlaintext: Operation = defineOperation<DataKeyPairInput, 'key'>({
  name: 'GenerateDataKeyPairWithoutPlaintext',
  action: 'GenerateDataKeyPairWithoutPlaintext',
  keys: usedKey,
  usage: 'ENCRYPT_DECRYPT',
  check: checkDataKeyPairRequest,
  perform: async (input, context) => {
    const { ciphertext, materialId, publicKey, privateKey } = await generateDataKeyPair(input, context);
    privateKey.fill(0);
    return {
      PrivateKeyCiphertextBlob: ciphertext,
      PublicKey: publicKey,
      KeyId: keyArn(context.keys.key.record),
      KeyPairSpec: input.KeyPairSpec,
      KeyMaterialId: materialId,
    };
  },
});

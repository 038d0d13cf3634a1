/** GenerateDataKeyPair: a key pair whose private key is given in clear and sealed under a symmetric key. */
import { keyArn } from '../keys/arn.ts';
import { checkDataKeyPairRequest, generateDataKeyPair } from './data-key-pair.ts';
import { usedKey } from './named-key.ts';
import { defineOperation } from './operation.ts';
import type { DataKeyPairInput } from './data-key-pair.ts';
import type { Operation } from './operation.ts';

export const generateDataKeyPairOperation: Operation = defineOperation<DataKeyPairInput, 'key'>({
  name: 'GenerateDataKeyPair',
  action: 'GenerateDataKeyPair',
  keys: usedKey,
  usage: 'ENCRYPT_DECRYPT',
  forRecipient: 'PrivateKeyPlaintext',
  check: checkDataKeyPairRequest,
  perform: async (input, context) => {
    const { ciphertext, materialId, publicKey, privateKey } = await generateDataKeyPair(input, context);
    return {
      PrivateKeyCiphertextBlob: ciphertext,
      PrivateKeyPlaintext: privateKey,
      PublicKey: publicKey,
      KeyId: keyArn(context.keys.key.record),
      KeyPairSpec: input.KeyPairSpec,
      KeyMaterialId: materialId,
    };
  },
});

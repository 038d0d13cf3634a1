/** Sign: a signature over a message, its digest or its ML-DSA representative. */
import { keyArn } from '../keys/arn.ts';
import { checkSigningInput, usableKey } from './key-uses.ts';
import { usedKey } from './named-key.ts';
import { defineOperation } from './operation.ts';
import type { SigningInput } from './key-uses.ts';
import type { Operation } from './operation.ts';

export const sign: Operation = defineOperation<SigningInput, 'key'>({
  name: 'Sign',
  action: 'Sign',
  keys: usedKey,
  usage: 'SIGN_VERIFY',
  check: checkSigningInput,
  perform: async ({ Message: message, MessageType: messageType = 'RAW', SigningAlgorithm: algorithm }, context) => {
    const { record } = context.keys.key;
    const { bound, keyStore } = usableKey(record, context);
    const signature = await keyStore.sign(bound, { algorithm, message, messageType }, context.signal);
    return { KeyId: keyArn(record), Signature: signature, SigningAlgorithm: algorithm };
  },
});

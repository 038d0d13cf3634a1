/** GetPublicKey: from the store's record; no key store is asked. */
import { keyArn } from '../keys/arn.ts';
import { algorithmsMember } from '../keys/key-metadata.ts';
import { publicKeyOf } from './key-uses.ts';
import { usedKey } from './named-key.ts';
import { defineOperation } from './operation.ts';
import type { Operation } from './operation.ts';

export const getPublicKey: Operation = defineOperation<object, 'key'>({
  name: 'GetPublicKey',
  action: 'GetPublicKey',
  keys: usedKey,
  perform: (_input, { keys }) => {
    const { record } = keys.key;
    return {
      KeyId: keyArn(record),
      PublicKey: publicKeyOf(record, 'GetPublicKey'),
      CustomerMasterKeySpec: record.keySpec,
      KeySpec: record.keySpec,
      KeyUsage: record.keyUsage,
      ...algorithmsMember(record),
    };
  },
});

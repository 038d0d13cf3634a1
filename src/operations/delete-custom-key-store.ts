/** DeleteCustomKeyStore: forgets a disconnected custom key store that has no keys. What it was connected to is not touched. */
import { KmsError } from '../errors.ts';
import { countKeysOf, customKeyStoreDeleted, editionRaised } from './custom-key-stores/custom-key-store-items.ts';
import { namedCustomKeyStore, wrongConnectionState } from './custom-key-stores/named-custom-key-store.ts';
import { defineOperation } from './operation.ts';
import type { NamedCustomKeyStoreInput } from './custom-key-stores/named-custom-key-store.ts';
import type { Operation } from './operation.ts';

export const deleteCustomKeyStore: Operation = defineOperation<NamedCustomKeyStoreInput>({
  name: 'DeleteCustomKeyStore',
  action: 'DeleteCustomKeyStore',
  keys: [],
  perform: async ({ CustomKeyStoreId: customKeyStoreId }, { parts, scope }) => {
    await parts.store.transact((store) => {
      const record = namedCustomKeyStore(store, scope, customKeyStoreId);
      if (record.connection.state !== 'DISCONNECTED') throw wrongConnectionState(record, 'DISCONNECTED');
      if (countKeysOf(store, scope, customKeyStoreId) > 0) {
        throw new KmsError('CustomKeyStoreHasCMKsException', `Custom key store ${customKeyStoreId} contains KMS keys.`);
      }
      return { changes: [customKeyStoreDeleted(scope, record), editionRaised(store, scope)], result: undefined };
    });
    return {};
  },
});

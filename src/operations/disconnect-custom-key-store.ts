/** DisconnectCustomKeyStore: its keys are Unavailable when this is answered; what key stores hold of them in memory goes after it. */
import { finishInBackground } from './custom-key-stores/connecting.ts';
import { customKeyStorePut } from './custom-key-stores/custom-key-store-items.ts';
import { namedCustomKeyStore, wrongConnectionState } from './custom-key-stores/named-custom-key-store.ts';
import { defineOperation } from './operation.ts';
import type { CustomKeyStoreRecord } from '../keys/custom-key-store-record.ts';
import type { NamedCustomKeyStoreInput } from './custom-key-stores/named-custom-key-store.ts';
import type { Operation } from './operation.ts';

export const disconnectCustomKeyStore: Operation = defineOperation<NamedCustomKeyStoreInput>({
  name: 'DisconnectCustomKeyStore',
  action: 'DisconnectCustomKeyStore',
  keys: [],
  perform: async ({ CustomKeyStoreId: customKeyStoreId }, { parts, scope }) => {
    const begun = await parts.store.transact((store) => {
      const current = namedCustomKeyStore(store, scope, customKeyStoreId);
      const { state } = current.connection;
      if (state === 'DISCONNECTED' || state === 'DISCONNECTING') throw wrongConnectionState(current, 'CONNECTED');
      const record: CustomKeyStoreRecord = { ...current, version: current.version + 1, connection: { state: 'DISCONNECTING' } };
      return { changes: [customKeyStorePut(scope, record, current.version)], result: record };
    });
    void finishInBackground(scope, begun, parts);
    return {};
  },
});

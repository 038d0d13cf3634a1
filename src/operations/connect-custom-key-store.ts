/** ConnectCustomKeyStore: begins to connect. Whether it succeeds is told by DescribeCustomKeyStores. */
import { finishInBackground } from './custom-key-stores/connecting.ts';
import { customKeyStorePut } from './custom-key-stores/custom-key-store-items.ts';
import { namedCustomKeyStore, wrongConnectionState } from './custom-key-stores/named-custom-key-store.ts';
import { defineOperation } from './operation.ts';
import type { CustomKeyStoreRecord } from '../keys/custom-key-store-record.ts';
import type { NamedCustomKeyStoreInput } from './custom-key-stores/named-custom-key-store.ts';
import type { Operation } from './operation.ts';

export const connectCustomKeyStore: Operation = defineOperation<NamedCustomKeyStoreInput>({
  name: 'ConnectCustomKeyStore',
  action: 'ConnectCustomKeyStore',
  keys: [],
  perform: async ({ CustomKeyStoreId: customKeyStoreId }, { parts, scope }) => {
    const begun = await parts.store.transact((store) => {
      const current = namedCustomKeyStore(store, scope, customKeyStoreId);
      const { state } = current.connection;
      if (state === 'FAILED' || state === 'DISCONNECTING') throw wrongConnectionState(current, 'DISCONNECTED');
      if (state !== 'DISCONNECTED') return { changes: [], result: undefined };
      const record: CustomKeyStoreRecord = { ...current, version: current.version + 1, connection: { state: 'CONNECTING' } };
      return { changes: [customKeyStorePut(scope, record, current.version)], result: record };
    });
    if (begun !== undefined) void finishInBackground(scope, begun, parts);
    return {};
  },
});

/** DescribeKey: the metadata of a key. */
import { keyMetadata } from '../keys/key-metadata.ts';
import { multiRegionMembers } from '../keys/multi-region.ts';
import { customKeyStoreMembers } from './custom-key-stores/named-custom-key-store.ts';
import { usedKey } from './named-key.ts';
import { defineOperation } from './operation.ts';
import type { Operation } from './operation.ts';

export const describeKey: Operation = defineOperation<object, 'key'>({
  name: 'DescribeKey',
  action: 'DescribeKey',
  keys: usedKey,
  perform: (_input, { keys, parts }) => {
    const { record } = keys.key;
    const { store } = parts;
    const ofOthers = { ...customKeyStoreMembers(record, store), ...multiRegionMembers(record, store.keysById(record.keyId)) };
    return { KeyMetadata: { ...keyMetadata(record), ...ofOthers } };
  },
});

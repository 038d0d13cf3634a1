/** ListKeys: the keys of the caller's account and Region, in order of key id. */
import { keyArn } from '../keys/arn.ts';
import { decodeMarker, pageMembers } from '../keys/pagination.ts';
import { defineOperation } from './operation.ts';
import type { Operation } from './operation.ts';

interface ListKeysInput {
  readonly Limit?: number;
  readonly Marker?: string;
}

const LIMIT_DEFAULT = 100;

export const listKeys: Operation = defineOperation<ListKeysInput>({
  name: 'ListKeys',
  action: 'ListKeys',
  keys: [],
  perform: (input, { parts, scope }) => {
    const listing = ['ListKeys', scope.partition, scope.account, scope.region];
    const page = parts.store.listKeys(scope, decodeMarker(listing, input.Marker), input.Limit ?? LIMIT_DEFAULT);
    return { Keys: page.items.map((key) => ({ KeyId: key.keyId, KeyArn: keyArn(key) })), ...pageMembers(listing, page.next) };
  },
});

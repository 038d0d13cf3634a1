/** UpdatePrimaryRegion: a replica becomes the primary, and the primary a replica, in one transaction; both are Updating for a moment. */
import { KmsError } from '../errors.ts';
import { keyArn } from '../keys/arn.ts';
import { keyStateCheck } from '../keys/key-states.ts';
import { currentKey } from './key-change.ts';
import { keyFamily } from './multi-region/key-family.ts';
import { settleInBackground } from './multi-region/settle-state.ts';
import { managedKey } from './named-key.ts';
import { defineOperation } from './operation.ts';
import { assertMultiRegionPrimary } from './rotation-settings.ts';
import type { KeyRecord } from '../keys/key-record.ts';
import type { Change, Store } from '../store/store.ts';
import type { Operation } from './operation.ts';

interface UpdatePrimaryRegionInput {
  readonly PrimaryRegion: string;
}

const checkState = keyStateCheck('UpdatePrimaryRegion');

export const updatePrimaryRegion: Operation = defineOperation<UpdatePrimaryRegionInput, 'key'>({
  name: 'UpdatePrimaryRegion',
  action: 'UpdatePrimaryRegion',
  keys: managedKey,
  check: (_input, { keys }) => assertMultiRegionPrimary(keys.key.record),
  perform: async ({ PrimaryRegion: region }, { keys, parts }) => {
    const swapped = await parts.store.transact((store) => {
      const primary = currentKey(store, keys.key.record);
      checkState(primary);
      assertMultiRegionPrimary(primary);
      const next = nextPrimary(store, primary, region);
      const members = membersAfter(store, primary, next);
      const changes = members.map((record): Change => ({ kind: 'put-key', record, replacesVersion: record.version - 1 }));
      return { changes, result: members };
    });
    for (const key of swapped.filter(({ state }) => state === 'Updating')) settleInBackground(key, parts);
    return undefined;
  },
});

/** Throws KmsError when the Region has no replica that may become the primary. */
function nextPrimary(store: Store, primary: KeyRecord, region: string): KeyRecord {
  if (region === primary.region) {
    throw new KmsError('UnsupportedOperationException', `${keyArn(primary)} is already the multi-region primary key.`);
  }
  const next = currentKey(store, { ...primary, region });
  checkState(next);
  return next;
}

/** Every Region learns where the primary is. */
function membersAfter(store: Store, primary: KeyRecord, next: KeyRecord): readonly KeyRecord[] {
  const { replicas = [] } = keyFamily(store, primary) ?? {};
  return [primary, ...replicas].map((key) => ({
    ...key,
    primaryRegion: next.region,
    version: key.version + 1,
    ...(key.region === primary.region || key.region === next.region ? { state: 'Updating' as const } : {}),
  }));
}

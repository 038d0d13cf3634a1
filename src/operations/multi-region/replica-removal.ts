/** What the removal of a replica is for its primary: the last one to go begins the waiting period of a primary that is to be deleted. */
import { isReplica } from '../../keys/multi-region.ts';
import { pendingDeletion } from '../pending-deletion.ts';
import { keyFamily, putShared } from './key-family.ts';
import type { KeyRecord } from '../../keys/key-record.ts';
import type { Change, Store } from '../../store/store.ts';

/**
 * Goes with the removal of `key`: the primary, written so that of two replicas that go at once one sees that it is the last, and a pending
 * material that waited for the import into this one.
 */
export function replicaRemoved(key: KeyRecord, store: Store, nowMs: number): readonly Change[] {
  const family = isReplica(key) ? keyFamily(store, key) : undefined;
  if (family === undefined) return [];
  const { primary, replicas } = family;
  const isLast = replicas.every(({ region }) => region === key.region);
  const waits = primary.state === 'PendingReplicaDeletion' && primary.pendingWindowDays !== undefined;
  const left = isLast && waits ? pendingDeletion(primary, primary.pendingWindowDays, nowMs) : primary;
  return putShared(store, left, { without: key.region }).changes;
}

/** What the removal of a replica is for its primary: the last one to go begins the waiting period of a primary that is to be deleted. */
import { isReplica } from '../../keys/multi-region.ts';
import { touchKey } from '../key-change.ts';
import { pendingDeletion } from '../pending-deletion.ts';
import { keyFamily } from './key-family.ts';
import type { KeyRecord } from '../../keys/key-record.ts';
import type { Change, Store } from '../../store/store.ts';

/** Goes with the removal of `key`. The primary is written in any case, so that of two replicas that go at once one sees that it is the last. */
export function replicaRemoved(key: KeyRecord, store: Store, nowMs: number): readonly Change[] {
  const family = isReplica(key) ? keyFamily(store, key) : undefined;
  if (family === undefined) return [];
  const { primary, replicas } = family;
  const isLast = replicas.every(({ region }) => region === key.region);
  const waits = primary.state === 'PendingReplicaDeletion' && primary.pendingWindowDays !== undefined;
  return [touchKey(isLast && waits ? pendingDeletion(primary, primary.pendingWindowDays, nowMs) : primary)];
}

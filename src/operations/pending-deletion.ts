/** A key as it waits for its deletion. */
import type { KeyRecord } from '../keys/key-record.ts';

const MS_PER_DAY = 86_400_000;

/** The key with a waiting period that begins at `nowMs`. */
export function pendingDeletion(key: KeyRecord, windowDays: number, nowMs: number): KeyRecord {
  const windowMs = windowDays * MS_PER_DAY;
  return {
    ...key,
    state: 'PendingDeletion',
    deletionAtMs: nowMs + windowMs,
    pendingWindowDays: windowDays,
    deletionRunningMsLeft: windowMs,
  };
}

/**
 * Deletion of keys whose waiting period is over. A wrong clock must never destroy a key early: the observed running time has to
 * pass too, and a jump of the wall clock pauses everything until an operator has looked.
 */
import { clockJumpMark, destroyKey, isDue } from './destroy-key.ts';
import type { KeyRecord } from '../../keys/key-record.ts';
import type { Change } from '../../store/store.ts';
import type { ServiceParts } from '../operation.ts';
import type { SweepReport } from './run-sweeps.ts';

/** Time that passed between two sweeps of one process, by both clocks. */
export interface ElapsedTime {
  readonly runningMs: number;
  readonly wallMs: number;
}

const CLOCK_JUMP_MS_MAX = 3_600_000;
const KEYS_PER_TRANSACTION = 500;

/** Counts the running time of all waiting periods down, then deletes what is due. */
export async function sweepDueDeletions(
  parts: ServiceParts,
  elapsed: ElapsedTime,
): Promise<Pick<SweepReport, 'deleted' | 'deletionsPaused'>> {
  await countDown(parts, elapsed.runningMs);
  await noticeClockJump(parts, elapsed);
  if (parts.store.mark(clockJumpMark) !== undefined) return { deleted: 0, deletionsPaused: true };
  const nowMs = parts.clock.nowMs();
  let deleted = 0;
  for (const key of parts.store.keysPendingDeletion().filter((candidate) => isDue(candidate, nowMs))) {
    if (await tryDestroy(key, parts)) deleted += 1;
  }
  return { deleted, deletionsPaused: false };
}

/** In portions: a transaction has a limit, and no number of waiting keys may stop the sweep. */
async function countDown(parts: ServiceParts, runningMs: number): Promise<void> {
  if (runningMs <= 0) return;
  const waiting = parts.store.keysPendingDeletion().filter((key) => (key.deletionRunningMsLeft ?? 0) > 0);
  for (let first = 0; first < waiting.length; first += KEYS_PER_TRANSACTION) {
    const portion = waiting.slice(first, first + KEYS_PER_TRANSACTION);
    await parts.store.transact((store) => ({
      changes: portion.flatMap((key) => countedDown(store.key(key, key.keyId), runningMs)),
      result: undefined,
    }));
  }
}

/** No change for a key whose deletion was cancelled, or that is gone. */
function countedDown(key: KeyRecord | undefined, runningMs: number): readonly Change[] {
  if (key?.state !== 'PendingDeletion' || key.deletionRunningMsLeft === undefined) return [];
  const record = { ...key, version: key.version + 1, deletionRunningMsLeft: Math.max(0, key.deletionRunningMsLeft - runningMs) };
  return [{ kind: 'put-key', record, replacesVersion: key.version }];
}

async function noticeClockJump({ store, clock, log }: ServiceParts, { runningMs, wallMs }: ElapsedTime): Promise<void> {
  const jumpMs = wallMs - runningMs;
  if (Math.abs(jumpMs) <= CLOCK_JUMP_MS_MAX) return;
  await store.setMark(clockJumpMark, `${new Date(clock.nowMs()).toISOString()} by ${jumpMs} ms`);
  log.error(
    { jumpMs },
    'the wall clock jumped: key deletions are paused; when the time is right, start the service once with --confirm-clock',
  );
}

async function tryDestroy(key: KeyRecord, parts: ServiceParts): Promise<boolean> {
  try {
    return await destroyKey(key, parts);
  } catch (error) {
    parts.log.warn(
      { keyId: key.keyId, account: key.account, region: key.region, err: error },
      'key deletion is not finished and will be repeated',
    );
    return false;
  }
}

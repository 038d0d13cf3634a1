/** Deletion when it is due and not before, whatever the clock does; unfinished acts settled; nothing guessed. */
import { describe, expect, test } from 'vitest';
import { KeyStoreError } from '../../../../src/keystore/keystore.ts';
import { intentLeaseMs } from '../../../../src/operations/intents.ts';
import { clockJumpMark } from '../../../../src/operations/sweeps/destroy-key.ts';
import { runSweeps, sweepStopwatch } from '../../../../src/operations/sweeps/run-sweeps.ts';
import { openFixture } from '../../../support/kms-fixture.ts';
import { intentOf, keyIdOf, keyOf, scopeA } from '../../../support/store-records.ts';
import type { SweepReport } from '../../../../src/operations/sweeps/run-sweeps.ts';
import type { KmsFixture } from '../../../support/kms-fixture.ts';

const DAY_MS = 86_400_000;
const HOUR_MS = 3_600_000;

interface SweepFixture extends KmsFixture {
  readonly KeyId: string;
  /** Lets `ms` of time pass in steps of an hour, with a sweep after each; gives the last report. */
  readonly live: (ms: number) => Promise<SweepReport>;
  readonly sweep: () => Promise<SweepReport>;
}

/** A key whose deletion is scheduled in seven days. */
async function withScheduledKey(): Promise<SweepFixture> {
  const fixture = openFixture();
  const { KeyId } = await fixture.createKey();
  await fixture.perform('CreateAlias', { AliasName: 'alias/app', TargetKeyId: KeyId });
  await fixture.perform('ScheduleKeyDeletion', { KeyId, PendingWindowInDays: 7 });
  const elapsed = sweepStopwatch(fixture.clock);
  const sweep = async (): Promise<SweepReport> => runSweeps(fixture.parts, elapsed());
  const live: SweepFixture['live'] = async (ms) => {
    let report = await sweep();
    for (let passed = 0; passed < ms; passed += HOUR_MS) {
      fixture.clock.advance(Math.min(HOUR_MS, ms - passed));
      report = await sweep();
    }
    return report;
  };
  return { ...fixture, KeyId, live, sweep };
}

describe('due deletions', () => {
  test('the key is there to the last millisecond of its waiting period, and gone after it with material and aliases', async () => {
    const { live, clock, sweep, store, caller, keyStore, KeyId } = await withScheduledKey();
    const material = store.key(caller, KeyId)?.currentMaterialId;
    await live(7 * DAY_MS - 1);
    expect([store.key(caller, KeyId)?.state, keyStore.objects.size]).toEqual(['PendingDeletion', 1]);
    clock.advance(1);
    expect(await sweep()).toMatchObject({ deleted: 1, settledIntents: 0, deletionsPaused: false });
    expect(store.key(caller, KeyId)).toBeUndefined();
    expect(store.alias(caller, 'alias/app')).toBeUndefined();
    expect([keyStore.objects.size, store.intents().length]).toEqual([0, 0]);
    expect(keyStore.calls.slice(-2)).toEqual([
      { call: 'forget', subject: material },
      { call: 'destroyMaterial', subject: material },
    ]);
  });

  test('a clock that is set forward deletes nothing, and pauses deletions until an operator clears the mark', async () => {
    const { live, clock, sweep, store, caller, KeyId } = await withScheduledKey();
    await live(DAY_MS);
    clock.wallMs += 30 * DAY_MS;
    expect(await sweep()).toMatchObject({ deleted: 0, deletionsPaused: true });
    expect(await live(30 * DAY_MS)).toMatchObject({ deleted: 0, deletionsPaused: true });
    expect(store.key(caller, KeyId)?.state).toBe('PendingDeletion');
    await store.setMark(clockJumpMark, undefined);
    expect(await sweep()).toMatchObject({ deleted: 1, deletionsPaused: false });
  });

  test.each([-2 * HOUR_MS, 2 * HOUR_MS])('a jump of %d ms pauses, one of an hour does not', async (jumpMs) => {
    const { live, clock, sweep } = await withScheduledKey();
    await live(HOUR_MS);
    clock.wallMs += Math.sign(jumpMs) * HOUR_MS;
    expect(await sweep()).toMatchObject({ deletionsPaused: false });
    clock.wallMs += jumpMs;
    expect(await sweep()).toMatchObject({ deletionsPaused: true });
  });

  test('a clock that was wrong while the service was down deletes nothing: the running time is not used up', async () => {
    const { clock, parts, store, caller, KeyId } = await withScheduledKey();
    clock.wallMs += 365 * DAY_MS;
    const afterRestart = sweepStopwatch(clock);
    expect(await runSweeps(parts, afterRestart())).toMatchObject({ deleted: 0, deletionsPaused: false });
    expect(store.key(caller, KeyId)?.deletionRunningMsLeft).toBe(7 * DAY_MS);
  });

  test('any number of keys wait at the same time: their time is counted down in transactions that every store takes', async () => {
    const { store, parts } = openFixture();
    const waiting = { state: 'PendingDeletion', deletionAtMs: 1, deletionRunningMsLeft: DAY_MS } as const;
    for (let number = 0; number < 1_200; number += 1) {
      await store.commit([{ kind: 'put-key', record: keyOf(number, waiting), replacesVersion: 0 }]);
    }
    const commit = store.commit.bind(store);
    const sizes: number[] = [];
    store.commit = (changes) => {
      sizes.push(changes.length);
      return commit(changes);
    };
    await runSweeps(parts, { runningMs: HOUR_MS, wallMs: HOUR_MS });
    expect(Math.max(...sizes)).toBeLessThanOrEqual(1_000);
    const left = new Set(store.keysPendingDeletion().map((key) => key.deletionRunningMsLeft));
    expect(left).toEqual(new Set([DAY_MS - HOUR_MS]));
  });

  test('a cancelled deletion is not carried out', async () => {
    const { live, perform, store, caller, KeyId } = await withScheduledKey();
    await live(6 * DAY_MS);
    await perform('CancelKeyDeletion', { KeyId });
    await live(2 * DAY_MS);
    expect(store.key(caller, KeyId)?.state).toBe('Disabled');
  });

  test('a deletion that the key store interrupts cannot be cancelled any more, and is finished when its lease is over', async () => {
    const { live, clock, sweep, perform, store, caller, keyStore, KeyId } = await withScheduledKey();
    await live(7 * DAY_MS - 1);
    keyStore.failNext('destroyMaterial', new KeyStoreError('unavailable', 'away'));
    clock.advance(1);
    expect(await sweep()).toMatchObject({ deleted: 0 });
    expect([store.key(caller, KeyId)?.state, store.intents().length]).toEqual(['PendingDeletion', 1]);
    await expect(perform('CancelKeyDeletion', { KeyId })).rejects.toMatchObject({ code: 'KMSInvalidStateException' });
    expect(await sweep()).toMatchObject({ deleted: 0, settledIntents: 0 });
    clock.advance(intentLeaseMs + 1);
    expect(await sweep()).toMatchObject({ settledIntents: 1 });
    expect([store.key(caller, KeyId), keyStore.objects.size, store.intents().length]).toEqual([undefined, 0, 0]);
  });

  test('a cancellation that comes between decision and commit wins', async () => {
    const { live, clock, sweep, store, caller, keyStore, KeyId } = await withScheduledKey();
    await live(7 * DAY_MS - 1);
    clock.advance(1);
    // The count-down is a transaction of its own: let it pass, then cancel inside the next.
    const transact = store.transact.bind(store);
    let transactions = 0;
    store.transact = async (decide) => {
      transactions += 1;
      if (transactions === 2) {
        store.interleave(() => {
          const current = store.key(caller, KeyId)!;
          const record = { ...current, version: current.version + 1, state: 'Disabled' as const };
          void store.commit([{ kind: 'put-key', record, replacesVersion: current.version }]);
        });
      }
      return transact(decide);
    };
    expect(await sweep()).toMatchObject({ deleted: 0 });
    expect([store.key(caller, KeyId)?.state, keyStore.objects.size, store.intents().length]).toEqual(['Disabled', 1, 0]);
  });

  test('with a mark that came after destruction began, what is begun waits too', async () => {
    const { live, clock, sweep, store, keyStore } = await withScheduledKey();
    await live(7 * DAY_MS - 1);
    keyStore.failNext('destroyMaterial', new KeyStoreError('unavailable', 'away'));
    clock.advance(1);
    await sweep();
    await store.setMark(clockJumpMark, 'operator looks');
    clock.advance(intentLeaseMs + 1);
    expect(await sweep()).toMatchObject({ settledIntents: 0, deletionsPaused: true });
    expect([keyStore.objects.size, store.intents().length]).toEqual([1, 1]);
  });
});

describe('expired intents', () => {
  test('of a key that was never recorded: its object is destroyed, and no other', async () => {
    const { createKey, perform, store, keyStore, clock, parts } = openFixture();
    await createKey();
    keyStore.failNext('createMaterial', new KeyStoreError('timeout', 'slow'));
    await expect(perform('CreateKey')).rejects.toMatchObject({ code: 'DependencyTimeoutException' });
    expect(keyStore.objects.size).toBe(2);
    clock.advance(intentLeaseMs);
    expect(await runSweeps(parts, { runningMs: 0, wallMs: 0 })).toMatchObject({ settledIntents: 0 });
    clock.advance(1);
    expect(await runSweeps(parts, { runningMs: 0, wallMs: 0 })).toMatchObject({ settledIntents: 1 });
    expect([keyStore.objects.size, store.intents().length]).toEqual([1, 0]);
  });

  test('an owner that comes back after the take-over cannot record its key', async () => {
    const { perform, store, keyStore, clock, parts } = openFixture();
    const create = keyStore.createMaterial.bind(keyStore);
    keyStore.createMaterial = async (request) => {
      const material = await create(request);
      clock.advance(intentLeaseMs + 1);
      await runSweeps({ ...parts, ownerId: 'process-2' }, { runningMs: 0, wallMs: 0 });
      return material;
    };
    await expect(perform('CreateKey')).rejects.toMatchObject({ code: 'KMSInternalException' });
    expect([[...store.allKeys()], keyStore.objects.size, store.intents()]).toEqual([[], 0, []]);
  });

  test('stay, with a new lease, while the key store is away', async () => {
    const { store, keyStore, clock, parts } = openFixture();
    await store.commit([{ kind: 'put-intent', record: intentOf(1) }]);
    keyStore.failNext('destroyByObjectId', new KeyStoreError('unavailable', 'away'));
    expect(await runSweeps(parts, { runningMs: 0, wallMs: 0 })).toMatchObject({ settledIntents: 0 });
    expect(store.intents()[0]).toMatchObject({ owner: 'process-1', fence: 2, leaseUntilMs: clock.nowMs() + intentLeaseMs });
  });

  test('of a key store that the configuration no longer has: stay, and do not stop the others', async () => {
    const { store, parts } = openFixture();
    await store.commit([
      { kind: 'put-intent', record: intentOf(1, { keyStore: 'gone' }) },
      { kind: 'put-intent', record: intentOf(2) },
    ]);
    expect(await runSweeps(parts, { runningMs: 0, wallMs: 0 })).toMatchObject({ settledIntents: 1 });
    expect(store.intents().map((intent) => intent.keyStore)).toEqual(['gone']);
  });

  test('to destroy a key whose record is gone: only the intent is left to remove', async () => {
    const { store, keyStore, parts } = openFixture();
    await store.commit([{ kind: 'put-intent', record: intentOf(1, { kind: 'destroy-material' }) }]);
    expect(await runSweeps(parts, { runningMs: 0, wallMs: 0 })).toMatchObject({ settledIntents: 1 });
    expect([store.intents(), keyStore.calls]).toEqual([[], []]);
  });

  test('to destroy a key that lives: nothing is destroyed and the intent stays for somebody to look at', async () => {
    const { store, keyStore, parts } = openFixture();
    await store.commit([
      { kind: 'put-key', record: keyOf(1), replacesVersion: 0 },
      { kind: 'put-intent', record: intentOf(1, { kind: 'destroy-material' }) },
    ]);
    expect(await runSweeps(parts, { runningMs: 0, wallMs: 0 })).toMatchObject({ settledIntents: 0 });
    expect([store.key(scopeA, keyIdOf(1))?.state, keyStore.calls, store.intents().length]).toEqual(['Enabled', [], 1]);
  });
});

test('the stopwatch gives whole milliseconds, which is what a store keeps, and loses none', () => {
  const { clock } = openFixture();
  const elapsed = sweepStopwatch(clock);
  const given = [0.6, 0.6, 0.7].map((ms) => {
    clock.advance(ms);
    return elapsed().runningMs;
  });
  expect(given).toEqual([0, 1, 0]);
});

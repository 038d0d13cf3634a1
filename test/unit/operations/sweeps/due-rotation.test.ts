/** Automatic rotation: when it is due and not before, of Enabled keys only, whatever happens to other keys. */
import { describe, expect, test } from 'vitest';
import { KeyStoreError } from '../../../../src/keystore/keystore.ts';
import { usesMax, usesPerLease, usesWarnedAt } from '../../../../src/keystore/symmetric/direct-uses.ts';
import { intentLeaseMs } from '../../../../src/operations/intents.ts';
import { clockJumpMark } from '../../../../src/operations/sweeps/destroy-key.ts';
import { sweepDueRotations } from '../../../../src/operations/sweeps/due-rotation.ts';
import { runSweeps } from '../../../../src/operations/sweeps/run-sweeps.ts';
import { leasesNotingWear } from '../../../../src/operations/sweeps/worn-materials.ts';
import { openFixture } from '../../../support/kms-fixture.ts';
import { keyOf, materialOf } from '../../../support/store-records.ts';
import type { KmsFixture } from '../../../support/kms-fixture.ts';

const DAY_MS = 86_400_000;

interface RotationFixture extends KmsFixture {
  readonly KeyId: string;
  readonly sweep: () => Promise<number>;
  // oxlint-disable-next-line typescript/no-explicit-any
  readonly rotations: (keyId?: string) => Promise<any[]>;
  /** A further key with the same period. */
  readonly another: () => Promise<string>;
}

/** A key that rotates every 90 days from now on. */
async function withRotatingKey(): Promise<RotationFixture> {
  const fixture = openFixture();
  const another = async (): Promise<string> => {
    const { KeyId } = await fixture.createKey();
    await fixture.perform('EnableKeyRotation', { KeyId, RotationPeriodInDays: 90 });
    return KeyId;
  };
  const KeyId = await another();
  const rotations: RotationFixture['rotations'] = async (keyId = KeyId) =>
    (await fixture.perform('ListKeyRotations', { KeyId: keyId })).Rotations;
  return { ...fixture, KeyId, rotations, another, sweep: async () => sweepDueRotations(fixture.parts) };
}

describe('due rotations', () => {
  test('a key rotates at its time and not a millisecond before, and the next time is a period later', async () => {
    const { sweep, clock, rotations, perform, KeyId, keyStore, store } = await withRotatingKey();
    clock.advance(90 * DAY_MS - 1);
    expect([await sweep(), await rotations()]).toEqual([0, []]);
    clock.advance(1);
    expect(await sweep()).toBe(1);
    expect(await rotations()).toMatchObject([
      { RotationType: 'AUTOMATIC', RotationDate: new Date(clock.nowMs()), KeyMaterialState: 'CURRENT' },
    ]);
    expect(await perform('GetKeyRotationStatus', { KeyId })).toMatchObject({ NextRotationDate: new Date(clock.nowMs() + 90 * DAY_MS) });
    expect(await sweep()).toBe(0);
    expect([keyStore.objects.size, store.intents().length]).toEqual([2, 0]);
    clock.advance(90 * DAY_MS);
    expect([await sweep(), (await rotations()).length]).toEqual([1, 2]);
  });

  test('a round of the scheduled work reports it', async () => {
    const { clock, parts } = await withRotatingKey();
    clock.advance(91 * DAY_MS);
    expect(await runSweeps(parts, { runningMs: 0, wallMs: 0 })).toMatchObject({ rotated: 1 });
  });

  test.each([
    ['DisableKey', ['EnableKey']],
    ['ScheduleKeyDeletion', ['CancelKeyDeletion', 'EnableKey']],
  ])('after %s a key does not rotate, and an overdue one rotates when it is Enabled again', async (operation, undoing) => {
    const { sweep, clock, perform, KeyId } = await withRotatingKey();
    await perform(operation, { KeyId });
    clock.advance(91 * DAY_MS);
    expect(await sweep()).toBe(0);
    for (const undo of undoing) await perform(undo, { KeyId });
    expect(await sweep()).toBe(1);
  });

  test('a key whose rotation was disabled does not rotate', async () => {
    const { sweep, clock, perform, KeyId } = await withRotatingKey();
    await perform('DisableKeyRotation', { KeyId });
    clock.advance(91 * DAY_MS);
    expect(await sweep()).toBe(0);
  });

  test('a key that is disabled while its material is made keeps the one it had', async () => {
    const { sweep, clock, perform, KeyId, keyStore, store } = await withRotatingKey();
    clock.advance(90 * DAY_MS);
    const createMaterial = keyStore.createMaterial.bind(keyStore);
    keyStore.createMaterial = async (request) => {
      await perform('DisableKey', { KeyId });
      return createMaterial(request);
    };
    expect(await sweep()).toBe(0);
    expect([keyStore.objects.size, store.intents().length]).toEqual([1, 0]);
  });

  test('replicas of multi-Region keys wait for their primary', async () => {
    const { store, sweep, clock } = openFixtureWithSweep();
    const rotationSchedule = { periodDays: 90, nextAtMs: clock.nowMs() };
    await store.commit([
      { kind: 'put-key', record: keyOf(1, { multiRegion: true, primaryRegion: 'us-east-1', rotationSchedule }), replacesVersion: 0 },
    ]);
    expect(await sweep()).toBe(0);
  });

  test('while a jump of the clock is not confirmed nothing rotates', async () => {
    const { sweep, clock, store } = await withRotatingKey();
    clock.advance(90 * DAY_MS);
    await store.setMark(clockJumpMark, 'now');
    expect(await sweep()).toBe(0);
    await store.setMark(clockJumpMark, undefined);
    expect(await sweep()).toBe(1);
  });
});

describe('rotations that fail', () => {
  test('one failing key does not stop the others, and is tried again', async () => {
    const { sweep, clock, keyStore, another, rotations, KeyId } = await withRotatingKey();
    const other = await another();
    clock.advance(90 * DAY_MS);
    keyStore.failNext('createMaterial', new KeyStoreError('internal', 'odd'));
    expect(await sweep()).toBe(1);
    expect([(await rotations()).length, (await rotations(other)).length]).toEqual([0, 1]);
    expect(await sweep()).toBe(1);
    expect(await rotations(KeyId)).toHaveLength(1);
  });

  test('a key store that is away is asked once in a round', async () => {
    const { sweep, clock, keyStore, another } = await withRotatingKey();
    await another();
    clock.advance(90 * DAY_MS);
    const asked = keyStore.callsOf('createMaterial').length;
    keyStore.failNext('createMaterial', new KeyStoreError('unavailable', 'away'));
    expect(await sweep()).toBe(0);
    expect(keyStore.callsOf('createMaterial')).toHaveLength(asked + 1);
    expect(await sweep()).toBe(2);
  });

  test('a key store that is known to be away is not asked, and no intent is left for it', async () => {
    const { sweep, clock, keyStore, store } = await withRotatingKey();
    clock.advance(90 * DAY_MS);
    keyStore.state = 'unavailable';
    expect([await sweep(), keyStore.callsOf('createMaterial').length, store.intents().length]).toEqual([0, 1, 0]);
    keyStore.state = 'ready';
    expect(await sweep()).toBe(1);
  });

  test('what a crash or a late key store leaves behind is destroyed when its lease is over, and nothing else', async () => {
    const { sweep, clock, keyStore, parts, store } = await withRotatingKey();
    clock.advance(90 * DAY_MS);
    keyStore.failNext('createMaterial', new KeyStoreError('timeout', 'no answer, but made'));
    expect([await sweep(), keyStore.objects.size, store.intents().length]).toEqual([0, 2, 1]);
    expect(await sweep()).toBe(1);
    expect(keyStore.objects.size).toBe(3);
    clock.advance(intentLeaseMs + 1);
    expect(await runSweeps(parts, { runningMs: 0, wallMs: 0 })).toMatchObject({ settledIntents: 1 });
    expect([keyStore.objects.size, store.intents().length]).toEqual([2, 0]);
  });

  test('a round tries 100 keys, the longest overdue first', async () => {
    const { sweep, clock, another, rotations, KeyId } = await withRotatingKey();
    clock.advance(1);
    const later: string[] = [];
    for (let count = 0; count < 100; count += 1) later.push(await another());
    clock.advance(90 * DAY_MS);
    expect(await sweep()).toBe(100);
    expect(await rotations(KeyId)).toHaveLength(1);
    expect(await sweep()).toBe(1);
    expect(await Promise.all(later.map(async (id) => (await rotations(id)).length))).toEqual(later.map(() => 1));
  });
});

describe('materials near the end of their uses', () => {
  test('a direct material is noted when it nears its limit, and its key rotates without a schedule', async () => {
    const { store, sweep, createKey, perform } = openFixtureWithSweep();
    const { KeyId, CurrentKeyMaterialId } = await createKey();
    const leases = leasesNotingWear(store);
    await leases.lease(CurrentKeyMaterialId, usesWarnedAt - 2 * usesPerLease);
    expect(await leases.lease(CurrentKeyMaterialId, usesPerLease)).toBeLessThan(usesWarnedAt);
    expect(await sweep()).toBe(0);
    expect(await leases.lease(CurrentKeyMaterialId, usesPerLease)).toBe(usesWarnedAt);
    expect(await leases.lease(CurrentKeyMaterialId, usesPerLease)).toBeLessThan(usesMax);
    expect(await sweep()).toBe(1);
    expect((await perform('ListKeyRotations', { KeyId })).Rotations).toMatchObject([{ RotationType: 'AUTOMATIC' }]);
    expect(await leases.lease(CurrentKeyMaterialId, usesPerLease)).toBeLessThan(usesMax);
    expect(await sweep()).toBe(0);
  });

  test('a key that cannot rotate by itself is left to its owner', async () => {
    const { store, sweep } = openFixtureWithSweep();
    await store.commit([{ kind: 'put-key', record: keyOf(1, { origin: 'EXTERNAL' }), replacesVersion: 0 }]);
    await leasesNotingWear(store).lease(materialOf(1).materialId, usesWarnedAt);
    expect(await sweep()).toBe(0);
  });
});

function openFixtureWithSweep(): KmsFixture & { readonly sweep: () => Promise<number> } {
  const fixture = openFixture();
  return { ...fixture, sweep: async () => sweepDueRotations(fixture.parts) };
}

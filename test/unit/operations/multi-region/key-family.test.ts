/** Changes of one Region together with what the others share of them. */
import { expect, test } from 'vitest';
import { putShared } from '../../../../src/operations/multi-region/key-family.ts';
import { StoreConflictError } from '../../../../src/store/store.ts';
import { far, home, near, openMultiRegionFixture } from '../../../support/multi-region-fixture.ts';
import type { KeyRecord } from '../../../../src/keys/key-record.ts';
import type { MultiRegionFixture } from '../../../support/multi-region-fixture.ts';

async function familyOfThree(): Promise<MultiRegionFixture & { readonly member: (region: string) => KeyRecord }> {
  const fixture = await openMultiRegionFixture();
  const { KeyId } = (await fixture.perform(home, 'CreateKey', { MultiRegion: true })).KeyMetadata;
  for (const ReplicaRegion of [near, far]) await fixture.perform(home, 'ReplicateKey', { KeyId, ReplicaRegion });
  const member = (region: string): KeyRecord => {
    const found = fixture.store.keysById(KeyId).find((key) => key.region === region);
    if (found === undefined) throw new Error(`no key in ${region}`);
    return found;
  };
  return { ...fixture, member };
}

test('of two changes in two Regions that were decided at once, one is decided again', async () => {
  const { store, member } = await familyOfThree();
  const [first, second] = [near, far].map((region) => putShared(store, { ...member(region), description: region }));
  await store.commit(first?.changes ?? []);
  await expect(store.commit(second?.changes ?? [])).rejects.toThrow(StoreConflictError);
  expect([member(near).description, member(far).description]).toEqual([near, '']);
});

test('what a Region has of its own is written there and in no other but the primary, which stays as it is', async () => {
  const { store, member } = await familyOfThree();
  const before = member(home);
  const { changes } = putShared(store, { ...member(near), description: 'near' });
  expect(new Set(changes.map((change) => change.kind === 'put-key' && change.record.region))).toEqual(new Set([home, near]));
  await store.commit(changes);
  expect(member(home)).toEqual({ ...before, version: before.version + 1 });
});

test('what is shared follows the primary', async () => {
  const { store, member } = await familyOfThree();
  const rotationSchedule = { periodDays: 100, nextAtMs: 1 };
  await store.commit(putShared(store, { ...member(home), rotationSchedule }).changes);
  expect([near, far].map((region) => member(region).rotationSchedule)).toEqual([rotationSchedule, rotationSchedule]);
});

/**
 * Multi-Region keys whose making, rotation or removal is interrupted at every point, or meets another change: a family is whole or not
 * there, and once the sweeps have run no key store holds anything that no record names.
 */
import { describe, expect, test } from 'vitest';
import { toHex } from '../../../src/bytes.ts';
import { KeyStoreError } from '../../../src/keystore/keystore.ts';
import { intentLeaseMs } from '../../../src/operations/intents.ts';
import { runSweeps } from '../../../src/operations/sweeps/run-sweeps.ts';
import { StoreUnavailableError } from '../../../src/store/store.ts';
import { base64 } from '../../support/kms-fixture.ts';
import { far, home, near, openMultiRegionFixture } from '../../support/multi-region-fixture.ts';
import { TransportingFakeKeyStore } from '../../support/transporting-fake-key-store.ts';
import type { MultiRegionFixture } from '../../support/multi-region-fixture.ts';

const DAY_MS = 86_400_000;

interface Scene extends MultiRegionFixture {
  readonly eu: TransportingFakeKeyStore;
  readonly us: TransportingFakeKeyStore;
  readonly KeyId: string;
  /** Made with every material of the key. */
  readonly ciphertexts: readonly string[];
}

/** A primary with three materials, and replicas of it. */
async function openScene(...replicas: readonly string[]): Promise<Scene> {
  const [eu, us] = [new TransportingFakeKeyStore('eu'), new TransportingFakeKeyStore('us')];
  const fixture = await openMultiRegionFixture({ keyStores: [eu, us] });
  const { perform } = fixture;
  const { KeyId } = (await perform(home, 'CreateKey', { MultiRegion: true })).KeyMetadata;
  for (const ReplicaRegion of replicas) await perform(home, 'ReplicateKey', { KeyId, ReplicaRegion });
  const ciphertexts: string[] = [];
  for (const rotates of [true, true, false]) {
    ciphertexts.push(base64((await perform(home, 'Encrypt', { KeyId, Plaintext: base64('kept') })).CiphertextBlob));
    if (rotates) await perform(home, 'RotateKeyOnDemand', { KeyId });
  }
  return { ...fixture, eu, us, KeyId, ciphertexts };
}

/** As a restart finds it once the leases are over. */
async function sweepLater({ parts, clock }: Scene, ms = intentLeaseMs + 1): Promise<void> {
  clock.advance(ms);
  for (const wallMs of [ms, 0]) await runSweeps(parts, { wallMs, runningMs: wallMs });
}

/** Resolves to the Regions that have the key. */
async function expectWhole({ store, eu, us, perform, KeyId, ciphertexts }: Scene): Promise<readonly string[]> {
  expect(store.intents()).toEqual([]);
  const members = store.keysById(KeyId);
  for (const keyStore of [eu, us]) {
    const named = members.flatMap(({ materials }) => materials.filter((material) => material.keyStore === keyStore.name));
    expect([...keyStore.objects.keys()].toSorted()).toEqual(named.map(({ reference }) => toHex(reference)).toSorted());
  }
  const shared = members.map(({ materials, currentMaterialId, primaryRegion, state }) => ({
    materials: materials.map(({ materialId, rotation }) => [materialId, rotation]),
    currentMaterialId,
    primaryRegion,
    state,
  }));
  for (const one of shared) expect(one).toEqual({ ...shared[0], state: 'Enabled' });
  for (const { region } of members) {
    for (const CiphertextBlob of ciphertexts) {
      expect(Buffer.from((await perform(region, 'Decrypt', { CiphertextBlob })).Plaintext).toString()).toBe('kept');
    }
  }
  return members.map(({ region }) => region);
}

const failures = [
  { afterwards: 'surely not applied', tookEffect: false, mayHaveApplied: false },
  { afterwards: 'not applied, which nobody knows', tookEffect: false, mayHaveApplied: true },
  { afterwards: 'applied, which nobody knows', tookEffect: true, mayHaveApplied: true },
];
const failAt = ({ store }: Scene, commit: number, { tookEffect, mayHaveApplied }: (typeof failures)[number]): void =>
  store.failCommit(new StoreUnavailableError('on order', { mayHaveApplied }), { afterCommits: commit, tookEffect });
/** Three intents and the record; then the end of Creating. */
const commitsOfReplication = [0, 1, 2, 3, 4];
/** The intents of the new material and of its two copies, and the record. */
const commitsOfRotation = [0, 1, 2, 3];
const ofEach = (commits: readonly number[]): readonly ((typeof failures)[number] & { commit: number })[] =>
  commits.flatMap((commit) => failures.map((failure) => ({ ...failure, commit })));

describe('a store that fails', () => {
  test.each(ofEach(commitsOfReplication))(
    'at commit $commit of a replication, $afterwards: the replica is whole or not there',
    async (at) => {
      const scene = await openScene(near);
      const { perform, KeyId } = scene;
      failAt(scene, at.commit, at);
      const outcome = await perform(home, 'ReplicateKey', { KeyId, ReplicaRegion: far }).then(
        () => 'done',
        ({ code }: { code: string }) => code,
      );
      expect(outcome).toBe(at.commit < 4 ? 'KMSInternalException' : 'done');
      await sweepLater(scene);
      const regions = await expectWhole(scene);
      expect(regions.includes(far)).toBe(at.commit === 4 || (at.commit === 3 && at.tookEffect));
      if (!regions.includes(far)) await perform(home, 'ReplicateKey', { KeyId, ReplicaRegion: far });
      expect(await expectWhole(scene)).toHaveLength(3);
    },
  );

  test.each(ofEach(commitsOfRotation))('at commit $commit of a rotation, $afterwards: all Regions have rotated or none', async (at) => {
    const scene = await openScene(near, far);
    const { perform, KeyId } = scene;
    failAt(scene, at.commit, at);
    await expect(perform(home, 'RotateKeyOnDemand', { KeyId })).rejects.toMatchObject({ code: 'KMSInternalException' });
    await sweepLater(scene);
    expect(await expectWhole(scene)).toHaveLength(3);
    expect(scene.eu.objects.size).toBe(at.commit === 3 && at.tookEffect ? 8 : 6);
  });

  test.each(ofEach([0, 1, 2]))(
    'at commit $commit of UpdatePrimaryRegion, $afterwards: there is one primary, and no state lasts',
    async (at) => {
      const scene = await openScene(near, far);
      const { perform, KeyId } = scene;
      failAt(scene, at.commit, at);
      await perform(home, 'UpdatePrimaryRegion', { KeyId, PrimaryRegion: far }).catch(() => undefined);
      await sweepLater(scene);
      await expectWhole(scene);
      const moved = at.commit > 0 || at.tookEffect;
      expect(scene.store.keysById(KeyId)[0]).toMatchObject({ primaryRegion: moved ? far : home });
    },
  );
});

describe('a key store that fails', () => {
  const kinds = ['unavailable', 'timeout', 'internal', 'unsupported'] as const;
  const cases = [1, 2, 3].flatMap((receipt) => kinds.map((kind) => ({ receipt, kind })));

  test.each(cases)('at copy $receipt of a replication ($kind) leaves nothing behind', async ({ receipt, kind }) => {
    const scene = await openScene();
    const { us, perform, KeyId } = scene;
    us.beforeReceipt = async (count) => {
      if (count === receipt) throw new KeyStoreError(kind, 'on order');
    };
    await expect(perform(home, 'ReplicateKey', { KeyId, ReplicaRegion: far })).rejects.toThrow();
    await sweepLater(scene);
    expect(await expectWhole(scene)).toEqual([home]);
  });

  test('when what it made is to be destroyed again: the sweeps do it', async () => {
    const scene = await openScene();
    const { us, perform, KeyId } = scene;
    us.beforeReceipt = async (count) => {
      if (count < 3) return;
      us.failNext('destroyByObjectId', new KeyStoreError('unavailable', 'away'));
      throw new KeyStoreError('refused', 'on order');
    };
    await expect(perform(home, 'ReplicateKey', { KeyId, ReplicaRegion: far })).rejects.toThrow();
    expect(us.objects.size).toBe(1);
    await sweepLater(scene);
    expect(await expectWhole(scene)).toEqual([home]);
  });
});

describe('of changes at once', () => {
  test('two replications to one Region, one comes through', async () => {
    const scene = await openScene();
    const { perform, KeyId } = scene;
    const both = await Promise.allSettled([1, 2].map(() => perform(home, 'ReplicateKey', { KeyId, ReplicaRegion: far })));
    expect(both.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    expect(both.find(({ status }) => status === 'rejected')).toMatchObject({ reason: { code: 'AlreadyExistsException' } });
    expect(await expectWhole(scene)).toEqual([home, far]);
  });

  test.each([
    ['DisableKey', {}, 'DisabledException'],
    ['ScheduleKeyDeletion', {}, 'KMSInvalidStateException'],
    ['RotateKeyOnDemand', {}, 'ConflictException'],
    ['UpdatePrimaryRegion', { PrimaryRegion: near }, 'UnsupportedOperationException'],
  ])('a replication that meets %s of its primary makes no replica', async (operation, input, code) => {
    const scene = await openScene(near);
    const { us, perform, KeyId, store } = scene;
    us.beforeReceipt = async (count) => {
      if (count === 3) await perform(home, operation, { KeyId, ...input });
    };
    await expect(perform(home, 'ReplicateKey', { KeyId, ReplicaRegion: far })).rejects.toMatchObject({ code });
    expect([us.objects.size, store.intents()]).toEqual([0, []]);
  });

  test.each([
    ['the only replica is removed', [far]],
    ['one of two replicas is removed', [near, far]],
  ])('a rotation does not happen while %s', async (_what, replicas) => {
    const scene = await openScene(...replicas);
    const { us, perform, KeyId, clock, parts } = scene;
    await perform(far, 'ScheduleKeyDeletion', { KeyId, PendingWindowInDays: 7 });
    clock.advance(7 * DAY_MS);
    us.beforeReceipt = async () => void (await runSweeps(parts, { wallMs: 7 * DAY_MS, runningMs: 7 * DAY_MS }));
    await expect(perform(home, 'RotateKeyOnDemand', { KeyId })).rejects.toMatchObject({ code: 'ConflictException' });
    expect(await expectWhole(scene)).not.toContain(far);
  });

  test('a rotation that meets the destruction of a replica: what it got is destroyed with it', async () => {
    const scene = await openScene(far);
    const { us, perform, KeyId } = scene;
    await perform(far, 'ScheduleKeyDeletion', { KeyId, PendingWindowInDays: 7 });
    const destroy = us.destroyMaterial.bind(us);
    us.destroyMaterial = async (bound) => {
      us.destroyMaterial = destroy;
      await perform(home, 'RotateKeyOnDemand', { KeyId });
      await destroy(bound);
    };
    await sweepLater(scene, 7 * DAY_MS);
    expect(us.objects.size).toBe(0);
    expect(await expectWhole(scene)).toEqual([home]);
  });
});

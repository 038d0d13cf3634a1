/** Multi-Region keys: made, replicated, used, rotated, moved and deleted over three Regions and two key stores. */
import { createPublicKey, verify } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { KeyStoreError } from '../../../src/keystore/keystore.ts';
import { runSweeps } from '../../../src/operations/sweeps/run-sweeps.ts';
import { base64, refusal } from '../../support/kms-fixture.ts';
import { far, home, near, openMultiRegionFixture } from '../../support/multi-region-fixture.ts';
import type { MultiRegionFixture } from '../../support/multi-region-fixture.ts';

const DAY_MS = 86_400_000;
const MRK = /^mrk-[0-9a-f]{32}$/;
const arnIn = (region: string, keyId: string): string => `arn:aws:kms:${region}:111122223333:key/${keyId}`;

async function primaryOf({ perform }: MultiRegionFixture, input: object = {}): Promise<string> {
  return (await perform(home, 'CreateKey', { MultiRegion: true, ...input })).KeyMetadata.KeyId;
}

async function sweepLater({ parts, clock }: MultiRegionFixture, days: number): Promise<void> {
  clock.advance(days * DAY_MS);
  await runSweeps(parts, { wallMs: days * DAY_MS, runningMs: days * DAY_MS });
}

describe('a multi-Region key', () => {
  test('has an id of its own kind, and is a primary without replicas at first', async () => {
    const { perform } = await openMultiRegionFixture();
    const { KeyMetadata: key } = await perform(home, 'CreateKey', { MultiRegion: true });
    expect(key.KeyId).toMatch(MRK);
    expect(key.MultiRegion).toBe(true);
    expect(key.MultiRegionConfiguration).toEqual({
      MultiRegionKeyType: 'PRIMARY',
      PrimaryKey: { Arn: key.Arn, Region: home },
      ReplicaKeys: [],
    });
    const { KeyMetadata: single } = await perform(home, 'CreateKey');
    expect(single).not.toHaveProperty('MultiRegionConfiguration');
  });

  test('is shown as Creating when it is replicated, and Enabled a moment later', async () => {
    const fixture = await openMultiRegionFixture();
    const { perform } = fixture;
    const KeyId = await primaryOf(fixture, { Description: 'primary', Tags: [{ TagKey: 'a', TagValue: 'b' }] });
    const reply = await perform(home, 'ReplicateKey', { KeyId, ReplicaRegion: far });
    expect(reply).not.toHaveProperty('ReplicaTags');
    expect(reply.ReplicaPolicy).toContain('Enable IAM User Permissions');
    expect(reply.ReplicaKeyMetadata).toMatchObject({
      KeyState: 'Creating',
      Enabled: false,
      Description: '',
      KeyId,
      Arn: arnIn(far, KeyId),
    });
    expect(reply.ReplicaKeyMetadata).not.toHaveProperty('CurrentKeyMaterialId');
    const [primary, replica] = [await fixture.describe(home, KeyId), await fixture.describe(far, KeyId)];
    expect(replica).toMatchObject({ KeyState: 'Enabled', Enabled: true, CurrentKeyMaterialId: primary.CurrentKeyMaterialId });
    expect(replica.MultiRegionConfiguration).toEqual({
      MultiRegionKeyType: 'REPLICA',
      PrimaryKey: { Arn: primary.Arn, Region: home },
      ReplicaKeys: [{ Arn: replica.Arn, Region: far }],
    });
    expect(await perform(far, 'ListResourceTags', { KeyId })).toMatchObject({ Tags: [] });
    await expect(fixture.describe(near, KeyId)).rejects.toMatchObject(
      refusal('NotFoundException', `Key '${arnIn(near, KeyId)}' does not exist`),
    );
  });

  test.each([near, far])('opens in %s what was encrypted at home, and the other way round', async (region) => {
    const fixture = await openMultiRegionFixture();
    const { perform } = fixture;
    const KeyId = await primaryOf(fixture);
    const { CiphertextBlob: made } = await perform(home, 'Encrypt', { KeyId, Plaintext: base64('before') });
    await perform(home, 'ReplicateKey', { KeyId, ReplicaRegion: region });
    const opened = await perform(region, 'Decrypt', { CiphertextBlob: base64(made) });
    expect(Buffer.from(opened.Plaintext).toString()).toBe('before');
    expect(opened.KeyId).toBe(arnIn(region, KeyId));
    const { CiphertextBlob: there } = await perform(region, 'Encrypt', { KeyId, Plaintext: base64('there') });
    expect(Buffer.from((await perform(home, 'Decrypt', { CiphertextBlob: base64(there) })).Plaintext).toString()).toBe('there');
  });

  test('of other kinds is the same key in the other Region', async () => {
    const fixture = await openMultiRegionFixture();
    const { perform } = fixture;
    const KeyId = await primaryOf(fixture, { KeySpec: 'ECC_NIST_P256', KeyUsage: 'SIGN_VERIFY' });
    await perform(home, 'ReplicateKey', { KeyId, ReplicaRegion: far });
    const { PublicKey } = await perform(home, 'GetPublicKey', { KeyId });
    const { Signature } = await perform(far, 'Sign', { KeyId, Message: base64('m'), SigningAlgorithm: 'ECDSA_SHA_256' });
    const key = createPublicKey({ key: Buffer.from(PublicKey), format: 'der', type: 'spki' });
    expect(verify('sha256', Buffer.from('m'), key, Signature)).toBe(true);
  });

  test('is replicated once to each Region, from its primary, to Regions that are served and pinned', async () => {
    const fixture = await openMultiRegionFixture();
    const { perform, store } = fixture;
    const KeyId = await primaryOf(fixture);
    await perform(home, 'ReplicateKey', { KeyId, ReplicaRegion: far });
    for (const ReplicaRegion of [far, home]) {
      await expect(perform(home, 'ReplicateKey', { KeyId, ReplicaRegion })).rejects.toMatchObject({ code: 'AlreadyExistsException' });
    }
    await expect(perform(far, 'ReplicateKey', { KeyId, ReplicaRegion: near })).rejects.toMatchObject(
      refusal('UnsupportedOperationException', `${arnIn(far, KeyId)} is not a multi-region primary key.`),
    );
    const { KeyMetadata: single } = await perform(home, 'CreateKey');
    await expect(perform(home, 'ReplicateKey', { KeyId: single.KeyId, ReplicaRegion: far })).rejects.toMatchObject({
      code: 'UnsupportedOperationException',
    });
    await expect(perform(home, 'ReplicateKey', { KeyId, ReplicaRegion: 'ap-south-1' })).rejects.toMatchObject({
      code: 'UnsupportedOperationException',
    });
    for (const ReplicaRegion of ['cn-north-1', 'us-gov-west-1']) {
      await expect(perform(home, 'ReplicateKey', { KeyId, ReplicaRegion })).rejects.toMatchObject({
        code: 'UnsupportedOperationException',
        publicMessage: expect.stringContaining('not in the partition aws'),
      });
    }
    const unpinned = await openMultiRegionFixture({ isPinned: false });
    const other = await primaryOf(unpinned);
    await expect(unpinned.perform(home, 'ReplicateKey', { KeyId: other, ReplicaRegion: far })).rejects.toMatchObject({
      code: 'UnsupportedOperationException',
      publicMessage: expect.stringContaining('no pin'),
    });
    await unpinned.perform(home, 'ReplicateKey', { KeyId: other, ReplicaRegion: near });
    expect([store.intents(), unpinned.store.intents()]).toEqual([[], []]);
  });
});

describe('rotation', () => {
  test('reaches all Regions at once, and new replicas get all materials', async () => {
    const fixture = await openMultiRegionFixture();
    const { perform, describe: show, store } = fixture;
    const KeyId = await primaryOf(fixture);
    const { CiphertextBlob: old } = await perform(home, 'Encrypt', { KeyId, Plaintext: base64('old') });
    await perform(home, 'ReplicateKey', { KeyId, ReplicaRegion: far });
    await perform(home, 'EnableKeyRotation', { KeyId, RotationPeriodInDays: 90 });
    expect(await perform(far, 'GetKeyRotationStatus', { KeyId })).toMatchObject({ KeyRotationEnabled: true, RotationPeriodInDays: 90 });
    await perform(home, 'RotateKeyOnDemand', { KeyId });
    await sweepLater(fixture, 90);
    await perform(home, 'ReplicateKey', { KeyId, ReplicaRegion: near });
    const { CurrentKeyMaterialId } = await show(home, KeyId);
    for (const region of [near, far]) {
      expect((await show(region, KeyId)).CurrentKeyMaterialId).toBe(CurrentKeyMaterialId);
      const { Rotations } = await perform(region, 'ListKeyRotations', { KeyId });
      expect(Rotations.map(({ RotationType }: { RotationType: string }) => RotationType)).toEqual(['ON_DEMAND', 'AUTOMATIC']);
      expect(Buffer.from((await perform(region, 'Decrypt', { CiphertextBlob: base64(old) })).Plaintext).toString()).toBe('old');
    }
    await perform(home, 'DisableKeyRotation', { KeyId });
    expect(await perform(near, 'GetKeyRotationStatus', { KeyId })).toMatchObject({ KeyRotationEnabled: false });
    expect(store.intents()).toEqual([]);
  });

  test('does not happen anywhere when one Region cannot have the material', async () => {
    const fixture = await openMultiRegionFixture();
    const { perform, describe: show, store, keyStores } = fixture;
    const KeyId = await primaryOf(fixture);
    await perform(home, 'ReplicateKey', { KeyId, ReplicaRegion: far });
    const before = await show(home, KeyId);
    const [, us] = keyStores as [unknown, MultiRegionFixture['keyStores'][number]];
    const receive = us.receiveTransported;
    us.receiveTransported = () => Promise.reject(new KeyStoreError('unavailable', 'away'));
    await expect(perform(home, 'RotateKeyOnDemand', { KeyId })).rejects.toMatchObject({ code: 'KeyUnavailableException' });
    if (receive !== undefined) us.receiveTransported = receive;
    expect(await show(home, KeyId)).toEqual(before);
    expect((await show(far, KeyId)).CurrentKeyMaterialId).toBe(before.CurrentKeyMaterialId);
    // What the store that failed may have made is the sweep's; the material of the other one is gone.
    expect(store.intents()).toMatchObject([{ scope: { region: far } }]);
  });
});

describe('the primary', () => {
  test('moves to the Region of an enabled replica, which then replicates and rotates', async () => {
    const fixture = await openMultiRegionFixture();
    const { perform, describe: show } = fixture;
    const KeyId = await primaryOf(fixture);
    await expect(perform(home, 'UpdatePrimaryRegion', { KeyId, PrimaryRegion: far })).rejects.toMatchObject({ code: 'NotFoundException' });
    for (const ReplicaRegion of [far, near]) await perform(home, 'ReplicateKey', { KeyId, ReplicaRegion });
    await perform(far, 'DisableKey', { KeyId });
    await expect(perform(home, 'UpdatePrimaryRegion', { KeyId, PrimaryRegion: far })).rejects.toMatchObject({ code: 'DisabledException' });
    await perform(far, 'EnableKey', { KeyId });
    expect(await perform(home, 'UpdatePrimaryRegion', { KeyId, PrimaryRegion: far })).toBeUndefined();
    for (const region of [home, near, far]) {
      expect(await show(region, KeyId)).toMatchObject({
        KeyState: 'Enabled',
        MultiRegionConfiguration: { MultiRegionKeyType: region === far ? 'PRIMARY' : 'REPLICA', PrimaryKey: { Region: far } },
      });
    }
    await expect(perform(home, 'RotateKeyOnDemand', { KeyId })).rejects.toMatchObject({ code: 'UnsupportedOperationException' });
    await perform(far, 'RotateKeyOnDemand', { KeyId });
    expect((await show(home, KeyId)).CurrentKeyMaterialId).toBe((await show(far, KeyId)).CurrentKeyMaterialId);
  });

  test('is deleted after its last replica, and begins to wait only then', async () => {
    const fixture = await openMultiRegionFixture();
    const { perform, describe: show, store } = fixture;
    const KeyId = await primaryOf(fixture);
    await perform(home, 'ReplicateKey', { KeyId, ReplicaRegion: far });
    const scheduled = await perform(home, 'ScheduleKeyDeletion', { KeyId, PendingWindowInDays: 8 });
    expect(scheduled).toEqual({ KeyId: arnIn(home, KeyId), KeyState: 'PendingReplicaDeletion', PendingWindowInDays: 8 });
    expect(await show(home, KeyId)).toMatchObject({ KeyState: 'PendingReplicaDeletion', PendingDeletionWindowInDays: 8, Enabled: false });
    await perform(home, 'CancelKeyDeletion', { KeyId });
    expect(await show(home, KeyId)).toMatchObject({ KeyState: 'Disabled' });
    await perform(home, 'ScheduleKeyDeletion', { KeyId, PendingWindowInDays: 8 });
    await perform(far, 'ScheduleKeyDeletion', { KeyId, PendingWindowInDays: 7 });
    await sweepLater(fixture, 7);
    await expect(show(far, KeyId)).rejects.toMatchObject({ code: 'NotFoundException' });
    const waiting = await show(home, KeyId);
    expect(waiting).toMatchObject({ KeyState: 'PendingDeletion', DeletionDate: new Date(fixture.clock.nowMs() + 8 * DAY_MS) });
    await sweepLater(fixture, 8);
    expect([...store.allKeys()]).toEqual([]);
  });
});

test('a state that a crash left behind is ended by the sweeps', async () => {
  const fixture = await openMultiRegionFixture();
  const { store, parts, describe: show } = fixture;
  const KeyId = await primaryOf(fixture);
  const [record] = store.allKeys();
  if (record === undefined) throw new Error('no key');
  await store.commit([
    { kind: 'put-key', record: { ...record, state: 'Updating', version: record.version + 1 }, replacesVersion: record.version },
  ]);
  expect(await show(home, KeyId)).toMatchObject({ KeyState: 'Updating' });
  await runSweeps(parts, { wallMs: 0, runningMs: 0 });
  expect(await show(home, KeyId)).toMatchObject({ KeyState: 'Enabled' });
});

/** Multi-Region keys whose material is imported: the same one in every Region, and rotation only once every Region has the next. */
import { constants, createPublicKey, publicEncrypt, randomBytes } from 'node:crypto';
import { expect, test } from 'vitest';
import { runSweeps } from '../../../src/operations/sweeps/run-sweeps.ts';
import { base64 } from '../../support/kms-fixture.ts';
import { far, home, openMultiRegionFixture } from '../../support/multi-region-fixture.ts';
import type { MultiRegionFixture } from '../../support/multi-region-fixture.ts';

async function importInto(
  { perform }: MultiRegionFixture,
  region: string,
  KeyId: string,
  material: Uint8Array,
  terms: object = {},
): Promise<void> {
  const wrapping = { WrappingAlgorithm: 'RSAES_OAEP_SHA_256', WrappingKeySpec: 'RSA_2048' };
  const { PublicKey, ImportToken } = await perform(region, 'GetParametersForImport', { KeyId, ...wrapping });
  const key = createPublicKey({ key: Buffer.from(PublicKey), format: 'der', type: 'spki' });
  const wrapped = publicEncrypt({ key, oaepHash: 'sha256', padding: constants.RSA_PKCS1_OAEP_PADDING }, material);
  const parameters = { KeyId, ImportToken: base64(ImportToken), EncryptedKeyMaterial: base64(wrapped) };
  await perform(region, 'ImportKeyMaterial', { ...parameters, ExpirationModel: 'KEY_MATERIAL_DOES_NOT_EXPIRE', ...terms });
}

async function pendingStates({ perform }: MultiRegionFixture, KeyId: string): Promise<readonly unknown[]> {
  const states: unknown[] = [];
  for (const region of [home, far]) {
    const { Rotations } = await perform(region, 'ListKeyRotations', { KeyId, IncludeKeyMaterial: 'ALL_KEY_MATERIAL' });
    states.push(Rotations[1]?.KeyMaterialState);
  }
  return states;
}

test('a replica takes the material of its primary only, and rotation waits until every Region has the next one', async () => {
  const fixture = await openMultiRegionFixture();
  const { perform, describe: show } = fixture;
  const [first, second] = [randomBytes(32), randomBytes(32)];
  const { KeyMetadata: made } = await perform(home, 'CreateKey', { MultiRegion: true, Origin: 'EXTERNAL' });
  const { KeyId } = made;
  await expect(perform(home, 'ReplicateKey', { KeyId, ReplicaRegion: far })).rejects.toMatchObject({ code: 'KMSInvalidStateException' });
  await importInto(fixture, home, KeyId, first);
  await perform(home, 'ReplicateKey', { KeyId, ReplicaRegion: far });
  expect(await show(far, KeyId)).toMatchObject({ KeyState: 'PendingImport', Origin: 'EXTERNAL' });
  await expect(importInto(fixture, far, KeyId, second)).rejects.toMatchObject({ code: 'IncorrectKeyMaterialException' });
  await importInto(fixture, far, KeyId, first);
  expect(await show(far, KeyId)).toMatchObject({ KeyState: 'Enabled' });
  const { CiphertextBlob } = await perform(home, 'Encrypt', { KeyId, Plaintext: base64('imported') });
  expect(Buffer.from((await perform(far, 'Decrypt', { CiphertextBlob: base64(CiphertextBlob) })).Plaintext).toString()).toBe('imported');

  const isNew = { ImportType: 'NEW_KEY_MATERIAL' };
  await expect(importInto(fixture, far, KeyId, second, isNew)).rejects.toMatchObject({ code: 'UnsupportedOperationException' });
  await importInto(fixture, home, KeyId, second, isNew);
  const waiting = 'PENDING_MULTI_REGION_IMPORT_AND_ROTATION';
  expect(await pendingStates(fixture, KeyId)).toEqual([waiting, waiting]);
  await expect(perform(home, 'RotateKeyOnDemand', { KeyId })).rejects.toMatchObject({ code: 'KMSInvalidStateException' });
  await importInto(fixture, far, KeyId, second);
  expect(await pendingStates(fixture, KeyId)).toEqual(['PENDING_ROTATION', 'PENDING_ROTATION']);
  await perform(home, 'RotateKeyOnDemand', { KeyId });
  expect(await pendingStates(fixture, KeyId)).toEqual(['CURRENT', 'CURRENT']);
  expect((await show(far, KeyId)).CurrentKeyMaterialId).toBe((await show(home, KeyId)).CurrentKeyMaterialId);
});

test('a pending material that is deleted from the primary is gone from its replicas', async () => {
  const fixture = await openMultiRegionFixture();
  const { perform } = fixture;
  const [first, second] = [randomBytes(32), randomBytes(32)];
  const { KeyMetadata: made } = await perform(home, 'CreateKey', { MultiRegion: true, Origin: 'EXTERNAL' });
  const { KeyId } = made;
  await importInto(fixture, home, KeyId, first);
  await perform(home, 'ReplicateKey', { KeyId, ReplicaRegion: far });
  await importInto(fixture, far, KeyId, first);
  await importInto(fixture, home, KeyId, second, { ImportType: 'NEW_KEY_MATERIAL' });
  await importInto(fixture, far, KeyId, second);
  const { Rotations } = await perform(home, 'ListKeyRotations', { KeyId, IncludeKeyMaterial: 'ALL_KEY_MATERIAL' });
  await perform(home, 'DeleteImportedKeyMaterial', { KeyId, KeyMaterialId: Rotations[1].KeyMaterialId });
  expect(await pendingStates(fixture, KeyId)).toEqual([undefined, undefined]);
  expect(fixture.store.intents()).toEqual([]);
});

/** A primary with a pending material, and a replica in `far` that has only the first. */
async function withPending(fixture: MultiRegionFixture): Promise<{ readonly KeyId: string; readonly second: Uint8Array }> {
  const [first, second] = [randomBytes(32), randomBytes(32)];
  const { KeyId } = (await fixture.perform(home, 'CreateKey', { MultiRegion: true, Origin: 'EXTERNAL' })).KeyMetadata;
  await importInto(fixture, home, KeyId, first);
  await importInto(fixture, home, KeyId, second, { ImportType: 'NEW_KEY_MATERIAL' });
  await fixture.perform(home, 'ReplicateKey', { KeyId, ReplicaRegion: far });
  await importInto(fixture, far, KeyId, first, { KeyMaterialId: (await fixture.describe(home, KeyId)).CurrentKeyMaterialId });
  return { KeyId, second };
}

test('a new replica makes the pending material of its primary wait for it', async () => {
  const fixture = await openMultiRegionFixture();
  const { KeyId, second } = await withPending(fixture);
  const waiting = 'PENDING_MULTI_REGION_IMPORT_AND_ROTATION';
  expect(await pendingStates(fixture, KeyId)).toEqual([waiting, waiting]);
  await expect(fixture.perform(home, 'RotateKeyOnDemand', { KeyId })).rejects.toMatchObject({ code: 'KMSInvalidStateException' });
  await importInto(fixture, far, KeyId, second);
  expect(await pendingStates(fixture, KeyId)).toEqual(['PENDING_ROTATION', 'PENDING_ROTATION']);
});

test('a pending material does not wait for a replica that is gone', async () => {
  const fixture = await openMultiRegionFixture();
  const { perform, clock, parts } = fixture;
  const { KeyId } = await withPending(fixture);
  await perform(far, 'ScheduleKeyDeletion', { KeyId, PendingWindowInDays: 7 });
  const weekMs = 7 * 86_400_000;
  clock.advance(weekMs);
  await runSweeps(parts, { wallMs: weekMs, runningMs: weekMs });
  await perform(home, 'RotateKeyOnDemand', { KeyId });
  const { Rotations } = await perform(home, 'ListKeyRotations', { KeyId, IncludeKeyMaterial: 'ALL_KEY_MATERIAL' });
  expect(Rotations[1].KeyMaterialState).toBe('CURRENT');
});

test('no new material is imported into a key that became a replica while it was unwrapped', async () => {
  const fixture = await openMultiRegionFixture();
  const { perform, keyStores } = fixture;
  const first = randomBytes(32);
  const { KeyId } = (await perform(home, 'CreateKey', { MultiRegion: true, Origin: 'EXTERNAL' })).KeyMetadata;
  await importInto(fixture, home, KeyId, first);
  await perform(home, 'ReplicateKey', { KeyId, ReplicaRegion: far });
  await importInto(fixture, far, KeyId, first);
  const [eu] = keyStores;
  const unwrap = eu?.importMaterial?.bind(eu);
  if (eu === undefined || unwrap === undefined) throw new Error('no store that imports');
  eu.importMaterial = async (request, signal) => {
    await perform(home, 'UpdatePrimaryRegion', { KeyId, PrimaryRegion: far });
    return unwrap(request, signal);
  };
  const isNew = { ImportType: 'NEW_KEY_MATERIAL' };
  await expect(importInto(fixture, home, KeyId, randomBytes(32), isNew)).rejects.toMatchObject({ code: 'UnsupportedOperationException' });
  expect(await pendingStates(fixture, KeyId)).toEqual([undefined, undefined]);
});

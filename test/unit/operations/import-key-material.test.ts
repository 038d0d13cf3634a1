/** Import of key material: terms, what may be imported again, and what a failure at each step leaves behind. */
import { randomBytes } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { KeyStoreError } from '../../../src/keystore/keystore.ts';
import { intentLeaseMs } from '../../../src/operations/intents.ts';
import { comparePresence } from '../../../src/operations/sweeps/presence.ts';
import { StoreUnavailableError } from '../../../src/store/store.ts';
import { fakeWrapped } from '../../support/fake-key-store.ts';
import { forever, openImported, openImports, openPending } from '../../support/import-fixture.ts';
import { base64, refusal } from '../../support/kms-fixture.ts';

const DAY_MS = 86_400_000;
const INCORRECT_MATERIAL =
  'The request was rejected because the key material in the request is expired, invalid, or does not meet expectations.';

describe('the terms of an import', () => {
  test.each([
    [{}, 'A validTo date must be set if the ExpirationModel is KEY_MATERIAL_EXPIRES'],
    [{ ExpirationModel: 'KEY_MATERIAL_EXPIRES' }, 'A validTo date must be set if the ExpirationModel is KEY_MATERIAL_EXPIRES'],
    [{ ...forever, ValidTo: 1_900_000_000 }, 'A validTo date must not be set if the ExpirationModel is KEY_MATERIAL_DOES_NOT_EXPIRE'],
    [{ ValidTo: 1_800_000_000 }, 'The validTo date must be in the future'],
    [{ ValidTo: 1_800_000_000 + 365 * 86_400 + 1 }, 'The validTo date must be at most 365 days in the future'],
    [
      { ...forever, ImportType: 'NEW_KEY_MATERIAL', KeyMaterialId: 'a'.repeat(64) },
      'A KeyMaterialId must not be set if the ImportType is NEW_KEY_MATERIAL',
    ],
  ])('%j are refused', async (terms, text) => {
    const { importMaterial, store, keyStore } = await openImports();
    await expect(importMaterial(randomBytes(32), terms)).rejects.toMatchObject(refusal('ValidationException', text));
    expect([store.intents(), keyStore.callsOf('importMaterial')]).toEqual([[], []]);
  });

  test('show in the metadata of the key, and change with each import of the same material', async () => {
    const { importMaterial, material, perform, KeyId, materials } = await openImported();
    const metadata = async (): Promise<object> => (await perform('DescribeKey', { KeyId })).KeyMetadata;
    expect(await metadata()).toMatchObject({ KeyState: 'Enabled', Enabled: true, ...forever, ProtectionLevel: 'HSM' });
    expect(await metadata()).not.toHaveProperty('ValidTo');
    expect(await metadata()).not.toHaveProperty('ImportedThroughSoftware');
    await importMaterial(material, { ValidTo: 1_800_000_000 + 365 * 86_400 });
    expect(await metadata()).toMatchObject({
      ExpirationModel: 'KEY_MATERIAL_EXPIRES',
      ValidTo: new Date(1_800_000_000_000 + 365 * DAY_MS),
    });
    await importMaterial(material, forever);
    expect(await metadata()).not.toHaveProperty('ValidTo');
    expect(materials()).toBe(1);
  });

  test('keep the description of the material until another is given', async () => {
    const { importMaterial, material, record, perform, KeyId } = await openImported({ ...forever, KeyMaterialDescription: 'first' });
    await perform('DeleteImportedKeyMaterial', { KeyId });
    await importMaterial(material);
    expect(record().materials[0]?.import?.description).toBe('first');
    await importMaterial(material, { ...forever, KeyMaterialDescription: 'second' });
    expect(record().materials[0]?.import?.description).toBe('second');
  });
});

describe('ImportKeyMaterial', () => {
  test('makes the first material the current one and enables the key', async () => {
    const { materialId, perform, KeyId, Arn, importMaterial, material } = await openImported();
    expect(await importMaterial(material)).toEqual({ KeyId: Arn, KeyMaterialId: materialId });
    const { KeyMetadata } = await perform('DescribeKey', { KeyId });
    expect(KeyMetadata).toMatchObject({ KeyState: 'Enabled', CurrentKeyMaterialId: materialId });
    const { CiphertextBlob } = await perform('Encrypt', { KeyId, Plaintext: base64('hello') });
    expect(base64((await perform('Decrypt', { CiphertextBlob: base64(CiphertextBlob) })).Plaintext)).toBe(base64('hello'));
  });

  test('leaves a disabled key disabled', async () => {
    const { importMaterial, material, perform, KeyId, record } = await openImported();
    await perform('DisableKey', { KeyId });
    await importMaterial(material);
    expect(record().state).toBe('Disabled');
  });

  test.each([
    ['other material', () => randomBytes(32), {}, INCORRECT_MATERIAL],
    ['the same as new material', (same: Buffer) => same, { ImportType: 'NEW_KEY_MATERIAL' }, INCORRECT_MATERIAL],
    ['the same under another id', (same: Buffer) => same, { KeyMaterialId: 'a'.repeat(64) }, INCORRECT_MATERIAL],
    ['too short a material', () => randomBytes(31), {}, INCORRECT_MATERIAL],
  ])('refuses %s and leaves nothing of it', async (_, choose, terms, text) => {
    const { importMaterial, material, record, materials, store } = await openImported();
    const before = record();
    await expect(importMaterial(choose(material), { ...forever, ...terms })).rejects.toMatchObject(
      refusal('IncorrectKeyMaterialException', text),
    );
    expect([record(), materials(), store.intents()]).toEqual([before, 1, []]);
  });

  test('takes only existing material for EXISTING_KEY_MATERIAL, also when there never was any', async () => {
    const { importMaterial, record, materials } = await openImports();
    await expect(importMaterial(randomBytes(32), { ...forever, ImportType: 'EXISTING_KEY_MATERIAL' })).rejects.toMatchObject({
      code: 'IncorrectKeyMaterialException',
    });
    expect([record().materials, materials()]).toEqual([[], 0]);
  });

  test('refuses what was wrapped for another set, in the words for a ciphertext', async () => {
    const { parameters, perform, KeyId, store } = await openImports();
    const [own, other] = [await parameters(), await parameters()];
    const input = { KeyId, ImportToken: base64(own.ImportToken), ...forever };
    await expect(
      perform('ImportKeyMaterial', { ...input, EncryptedKeyMaterial: base64(fakeWrapped(other.PublicKey, randomBytes(32))) }),
    ).rejects.toMatchObject(refusal('InvalidCiphertextException', undefined));
    expect(store.intents()).toEqual([]);
  });

  test('keeps a second material pending; the current one does not change, and there is no third', async () => {
    const { importMaterial, record, materialId, second, secondId, Arn, material, materials } = await openPending();
    expect(record()).toMatchObject({ state: 'Enabled', currentMaterialId: materialId });
    expect(record().materials.map(({ pending }) => pending)).toEqual([undefined, 'PENDING_ROTATION']);
    const newMaterial = { ...forever, ImportType: 'NEW_KEY_MATERIAL' };
    await expect(importMaterial(randomBytes(32), newMaterial)).rejects.toMatchObject({
      code: 'KMSInvalidStateException',
      publicMessage: expect.stringMatching(
        new RegExp(
          `^New key material \\(id: [a-f0-9]{64}\\) cannot be imported into KMS key ${Arn}, because another key material \\(id: ${secondId}\\) is pending rotation\\.$`,
        ),
      ),
    });
    expect(materials()).toBe(2);
    await importMaterial(second);
    await importMaterial(material, { ...forever, KeyMaterialId: materialId });
    expect(record().materials).toHaveLength(2);
  });

  test('destroys at once what the store surely did not record, and keeps the key as it was', async () => {
    const { importMaterial, store, materials, record } = await openImports();
    store.failCommit(new StoreUnavailableError('disk full'), { afterCommits: 3 });
    await expect(importMaterial(randomBytes(32))).rejects.toMatchObject({ code: 'KMSInternalException' });
    expect([materials(), record().state, store.intents().length]).toEqual([0, 'PendingImport', 1]);
  });

  test.each([
    ['was not written', false, 0],
    ['was written all the same', true, 1],
  ])('leaves to the sweep what may have been recorded: it %s', async (_, tookEffect, expected) => {
    const { importMaterial, store, materials, clock, sweep, perform, KeyId } = await openImports();
    store.failCommit(new StoreUnavailableError('no answer', { mayHaveApplied: true }), { afterCommits: 3, tookEffect });
    await expect(importMaterial(randomBytes(32))).rejects.toMatchObject({ code: 'KMSInternalException' });
    expect(materials()).toBe(1);
    clock.advance(intentLeaseMs + 1);
    await sweep();
    expect([materials(), store.intents().length]).toEqual([expected, 0]);
    if (tookEffect) await expect(perform('Encrypt', { KeyId, Plaintext: 'AA==' })).resolves.toBeDefined();
  });

  test('leaves to the sweep the object of a key store that timed out, and of a repeated import that could not be destroyed', async () => {
    const { importMaterial, material, keyStore, store, materials, clock, sweep } = await openImported();
    keyStore.failNext('importMaterial', new KeyStoreError('timeout', 'slow'));
    await expect(importMaterial(material)).rejects.toMatchObject({ code: 'DependencyTimeoutException' });
    keyStore.failNext('destroyByObjectId', new KeyStoreError('unavailable', 'away'));
    await importMaterial(material);
    expect([materials(), store.intents().length]).toEqual([3, 2]);
    clock.advance(intentLeaseMs + 1);
    await sweep();
    expect([materials(), store.intents().length]).toEqual([1, 0]);
  });

  test('is refused, and its object destroyed, when the deletion of the key was scheduled meanwhile', async () => {
    const { importMaterial, keyStore, perform, KeyId, Arn, materials, store } = await openImports();
    const importInto = keyStore.importMaterial.bind(keyStore);
    keyStore.importMaterial = async (request) => {
      const imported = await importInto(request);
      await perform('ScheduleKeyDeletion', { KeyId });
      return imported;
    };
    await expect(importMaterial(randomBytes(32))).rejects.toMatchObject(refusal('KMSInvalidStateException', `${Arn} is pending deletion.`));
    expect([materials(), store.intents()]).toEqual([0, []]);
  });

  test('leaves objects that the comparison of store and key store knows', async () => {
    const { importMaterial, keyStore, parts, perform, KeyId } = await openImported();
    expect(await comparePresence(keyStore, parts)).toMatchObject({ missing: [], unknownObjectIds: [] });
    await perform('DeleteImportedKeyMaterial', { KeyId });
    expect(await comparePresence(keyStore, parts)).toMatchObject({ missing: [], unknownObjectIds: [] });
    await expect(importMaterial(randomBytes(32))).rejects.toBeDefined();
    expect(await comparePresence(keyStore, parts)).toMatchObject({ missing: [], unknownObjectIds: [] });
  });
});

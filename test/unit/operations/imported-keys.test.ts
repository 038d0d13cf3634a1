/** Keys whose material is imported, and may be gone: not yet there, deleted, expired, pending. */
import { randomBytes } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { KeyStoreError } from '../../../src/keystore/keystore.ts';
import { intentLeaseMs } from '../../../src/operations/intents.ts';
import { clockJumpMark } from '../../../src/operations/sweeps/destroy-key.ts';
import { runSweeps } from '../../../src/operations/sweeps/run-sweeps.ts';
import { forever, openImported, openImports, openPending } from '../../support/import-fixture.ts';
import { base64, refusal } from '../../support/kms-fixture.ts';

const DAY_MS = 86_400_000;

describe('a key of origin EXTERNAL', () => {
  test('has no material at first, and is pending import', async () => {
    const { perform, KeyId, Arn, keyStore } = await openImports();
    const { KeyMetadata } = await perform('DescribeKey', { KeyId });
    expect(KeyMetadata).toMatchObject({ Origin: 'EXTERNAL', KeyState: 'PendingImport', Enabled: false });
    for (const member of ['CurrentKeyMaterialId', 'ExpirationModel', 'ValidTo', 'ProtectionLevel'])
      expect(KeyMetadata).not.toHaveProperty(member);
    await expect(perform('Encrypt', { KeyId, Plaintext: 'AA==' })).rejects.toMatchObject(
      refusal('KMSInvalidStateException', `${Arn} is pending import.`),
    );
    expect(keyStore.calls).toEqual([]);
  });

  test('stays pending import when its deletion is cancelled, and is disabled when its material is there', async () => {
    const { perform, KeyId, importMaterial, record } = await openImports();
    const scheduleAndCancel = async (): Promise<string> => {
      await perform('ScheduleKeyDeletion', { KeyId, PendingWindowInDays: 7 });
      await perform('CancelKeyDeletion', { KeyId });
      return record().state;
    };
    expect(await scheduleAndCancel()).toBe('PendingImport');
    await importMaterial(randomBytes(32));
    expect(await scheduleAndCancel()).toBe('Disabled');
  });

  test('without material is deleted when it is due, and no cancellation comes in between', async () => {
    const { perform, KeyId, store, caller, clock, parts } = await openImports();
    await perform('ScheduleKeyDeletion', { KeyId, PendingWindowInDays: 7 });
    clock.advance(7 * DAY_MS);
    const commit = store.commit.bind(store);
    let commits = 0;
    let cancellation: unknown;
    store.commit = async (changes) => {
      await commit(changes);
      commits += 1;
      // After the first two, the count-down and the beginning of the destruction.
      if (commits === 2) cancellation = await perform('CancelKeyDeletion', { KeyId }).catch((error: unknown) => error);
    };
    expect(await runSweeps(parts, { runningMs: 7 * DAY_MS, wallMs: 7 * DAY_MS })).toMatchObject({ deleted: 1 });
    expect(cancellation).toMatchObject({ code: 'KMSInvalidStateException' });
    expect([store.key(caller, KeyId), store.intents()]).toEqual([undefined, []]);
  });

  test('whose material was deleted is deleted without touching the key store for it', async () => {
    const { perform, KeyId, store, caller, clock, parts, keyStore } = await openImported();
    await perform('DeleteImportedKeyMaterial', { KeyId });
    await perform('ScheduleKeyDeletion', { KeyId, PendingWindowInDays: 7 });
    clock.advance(7 * DAY_MS);
    const before = keyStore.callsOf('destroyMaterial').length;
    expect(await runSweeps(parts, { runningMs: 7 * DAY_MS, wallMs: 7 * DAY_MS })).toMatchObject({ deleted: 1 });
    expect([store.key(caller, KeyId), store.intents(), keyStore.callsOf('destroyMaterial').length]).toEqual([undefined, [], before]);
  });
});

describe('DeleteImportedKeyMaterial', () => {
  test('takes the material away at once, keeps its id, and lets nothing but the same back in', async () => {
    const { perform, KeyId, Arn, material, materialId, importMaterial, materials, keyStore, store } = await openImported();
    const { CiphertextBlob } = await perform('Encrypt', { KeyId, Plaintext: base64('hello') });
    expect(await perform('DeleteImportedKeyMaterial', { KeyId })).toEqual({ KeyId: Arn, KeyMaterialId: materialId });
    expect(keyStore.calls.slice(-2)).toEqual([
      { call: 'forget', subject: materialId },
      { call: 'destroyMaterial', subject: materialId },
    ]);
    expect([materials(), store.intents()]).toEqual([0, []]);
    const { KeyMetadata } = await perform('DescribeKey', { KeyId });
    expect(KeyMetadata).toMatchObject({ KeyState: 'PendingImport', CurrentKeyMaterialId: materialId });
    expect(KeyMetadata).not.toHaveProperty('ExpirationModel');
    await expect(perform('Decrypt', { CiphertextBlob: base64(CiphertextBlob) })).rejects.toMatchObject(
      refusal('KMSInvalidStateException', `${Arn} is pending import.`),
    );
    await expect(importMaterial(randomBytes(32))).rejects.toMatchObject({ code: 'IncorrectKeyMaterialException' });
    await importMaterial(material);
    expect(base64((await perform('Decrypt', { CiphertextBlob: base64(CiphertextBlob) })).Plaintext)).toBe(base64('hello'));
  });

  test('may be repeated, and answers without a material for a key that never had one', async () => {
    const { perform, KeyId, Arn, materialId } = await openImported();
    for (let times = 0; times < 2; times += 1) {
      expect(await perform('DeleteImportedKeyMaterial', { KeyId })).toEqual({ KeyId: Arn, KeyMaterialId: materialId });
    }
    const empty = await openImports();
    expect(await empty.perform('DeleteImportedKeyMaterial', { KeyId: empty.KeyId })).toEqual({ KeyId: empty.Arn });
  });

  test('of a pending material leaves no trace and the key as it is', async () => {
    const { perform, KeyId, Arn, secondId, record, materials, importMaterial } = await openPending();
    expect(await perform('DeleteImportedKeyMaterial', { KeyId, KeyMaterialId: secondId })).toEqual({ KeyId: Arn, KeyMaterialId: secondId });
    expect([record().state, record().materials.length, materials()]).toEqual(['Enabled', 1, 1]);
    await importMaterial(randomBytes(32), { ...forever, ImportType: 'NEW_KEY_MATERIAL' });
    expect(record().materials).toHaveLength(2);
  });

  test('refuses a material that the key does not have', async () => {
    const { perform, KeyId, Arn } = await openImported();
    const KeyMaterialId = 'a'.repeat(64);
    await expect(perform('DeleteImportedKeyMaterial', { KeyId, KeyMaterialId })).rejects.toMatchObject(
      refusal('NotFoundException', `Key material ${KeyMaterialId} is not associated with KMS key ${Arn}.`),
    );
  });

  test('of any material that was ever current makes the key pending import, until all of them are back', async () => {
    const fixture = await openPending();
    const { perform, KeyId, material, materialId, second, secondId, record, importMaterial } = fixture;
    await perform('RotateKeyOnDemand', { KeyId });
    await perform('DeleteImportedKeyMaterial', { KeyId, KeyMaterialId: materialId });
    await perform('DeleteImportedKeyMaterial', { KeyId });
    expect(record()).toMatchObject({ state: 'PendingImport', currentMaterialId: secondId });
    await importMaterial(second);
    expect(record().state).toBe('PendingImport');
    await importMaterial(material);
    expect(record().state).toBe('Enabled');
    expect(record().materials.map(({ rotation }) => rotation?.type)).toEqual([undefined, 'ON_DEMAND']);
  });

  test('leaves a key whose deletion is scheduled as it is', async () => {
    const { perform, KeyId, record, materials } = await openImported();
    await perform('ScheduleKeyDeletion', { KeyId });
    await perform('DeleteImportedKeyMaterial', { KeyId });
    expect([record().state, materials()]).toEqual(['PendingDeletion', 0]);
    await perform('CancelKeyDeletion', { KeyId });
    expect(record().state).toBe('PendingImport');
  });

  test.each(['forget', 'destroyMaterial'] as const)('puts the key out of use even when %s fails, and the sweep finishes', async (call) => {
    const { perform, KeyId, record, materials, keyStore, store, clock, sweep, materialId, material, importMaterial } = await openImported();
    keyStore.failNext(call, new KeyStoreError('unavailable', 'away'));
    await expect(perform('DeleteImportedKeyMaterial', { KeyId })).rejects.toMatchObject({ code: 'KeyUnavailableException' });
    expect([record().state, materials(), store.intents().length]).toEqual(['PendingImport', 1, 1]);
    await importMaterial(material);
    const forgotten = keyStore.callsOf('forget').length;
    clock.advance(intentLeaseMs + 1);
    await sweep();
    expect([materials(), store.intents().length, record().state]).toEqual([1, 0, 'Enabled']);
    expect(keyStore.callsOf('forget').slice(forgotten)).toEqual([materialId]);
    await expect(perform('Encrypt', { KeyId, Plaintext: 'AA==' })).resolves.toBeDefined();
  });
});

describe('a material that expires', () => {
  const inAnHour = { ValidTo: 1_800_000_000 + 3_600 };
  const HOUR_MS = 3_600_000;

  test('is refused from that moment on, before any sweep', async () => {
    const { clock, perform, KeyId, Arn, materials } = await openImported(inAnHour);
    clock.advance(HOUR_MS - 1);
    await perform('Encrypt', { KeyId, Plaintext: 'AA==' });
    clock.advance(1);
    await expect(perform('Encrypt', { KeyId, Plaintext: 'AA==' })).rejects.toMatchObject(
      refusal('KMSInvalidStateException', `${Arn} is pending import.`),
    );
    const { KeyMetadata } = await perform('DescribeKey', { KeyId });
    expect(KeyMetadata).toMatchObject({ KeyState: 'PendingImport', Enabled: false });
    expect(KeyMetadata).not.toHaveProperty('ValidTo');
    expect(materials()).toBe(1);
  });

  test('seals nothing any more when its time ends while a data key is made', async () => {
    const { clock, perform, KeyId, Arn, keyStore } = await openImported(inAnHour);
    const random = keyStore.random.bind(keyStore);
    keyStore.random = async (lengthBytes) => {
      clock.advance(HOUR_MS);
      return random(lengthBytes);
    };
    await expect(perform('GenerateDataKey', { KeyId, KeySpec: 'AES_256' })).rejects.toMatchObject(
      refusal('KMSInvalidStateException', `${Arn} is pending import.`),
    );
    expect(keyStore.callsOf('encrypt')).toHaveLength(0);
  });

  test('is destroyed by the sweep, and comes back by import', async () => {
    const { clock, sweep, record, materials, material, materialId, importMaterial, keyStore, store } = await openImported(inAnHour);
    clock.advance(HOUR_MS - 1);
    expect(await sweep()).toMatchObject({ expiredMaterials: 0 });
    clock.advance(1);
    expect(await sweep()).toMatchObject({ expiredMaterials: 1 });
    expect(await sweep()).toMatchObject({ expiredMaterials: 0 });
    expect(keyStore.callsOf('forget')).toEqual([materialId]);
    expect([materials(), record().state, record().materials[0]?.import?.state, store.intents()]).toEqual([
      0,
      'PendingImport',
      'PENDING_IMPORT',
      [],
    ]);
    await importMaterial(material);
    expect([materials(), record().state]).toEqual([1, 'Enabled']);
  });

  test('that is imported again after its time and before the sweep lives on', async () => {
    const { clock, sweep, record, materials, material, importMaterial, perform, KeyId } = await openImported(inAnHour);
    clock.advance(HOUR_MS);
    await importMaterial(material);
    expect(await sweep()).toMatchObject({ expiredMaterials: 0 });
    expect([materials(), record().state]).toEqual([1, 'Enabled']);
    await expect(perform('Encrypt', { KeyId, Plaintext: 'AA==' })).resolves.toBeDefined();
  });

  test('leaves a key whose deletion is scheduled as it is, and takes a pending material without a trace', async () => {
    const { clock, sweep, record, perform, KeyId, importMaterial } = await openImported();
    await importMaterial(randomBytes(32), { ...inAnHour, ImportType: 'NEW_KEY_MATERIAL' });
    clock.advance(HOUR_MS);
    await sweep();
    expect([record().state, record().materials.length]).toEqual(['Enabled', 1]);
    await importMaterial(randomBytes(32), { ValidTo: 1_800_000_000 + 7_200, ImportType: 'NEW_KEY_MATERIAL' });
    await perform('ScheduleKeyDeletion', { KeyId });
    clock.advance(HOUR_MS);
    await sweep();
    expect([record().state, record().materials.length]).toEqual(['PendingDeletion', 1]);
  });

  test('is not destroyed while a jump of the clock is not confirmed, and not used either', async () => {
    const { clock, sweep, materials, perform, KeyId, store } = await openImported(inAnHour);
    await store.setMark(clockJumpMark, 'operator looks');
    clock.advance(HOUR_MS);
    expect(await sweep()).toMatchObject({ expiredMaterials: 0 });
    expect(materials()).toBe(1);
    await expect(perform('Encrypt', { KeyId, Plaintext: 'AA==' })).rejects.toMatchObject({ code: 'KMSInvalidStateException' });
  });

  test('is out of use even when its key store is away, and the sweep of intents finishes', async () => {
    const { clock, sweep, record, materials, keyStore, store } = await openImported(inAnHour);
    clock.advance(HOUR_MS);
    keyStore.failNext('destroyMaterial', new KeyStoreError('unavailable', 'away'));
    expect(await sweep()).toMatchObject({ expiredMaterials: 0 });
    expect([record().state, materials(), store.intents().length]).toEqual(['PendingImport', 1, 1]);
    clock.advance(intentLeaseMs + 1);
    await sweep();
    expect([materials(), store.intents().length]).toEqual([0, 0]);
  });

  test('shows the earliest end of all materials that belong to the key', async () => {
    const fixture = await openPending();
    const { importMaterial, material, second, perform, KeyId } = fixture;
    await perform('RotateKeyOnDemand', { KeyId });
    await importMaterial(material, inAnHour);
    await importMaterial(second, { ValidTo: 1_800_000_000 + 7_200 });
    const { KeyMetadata } = await perform('DescribeKey', { KeyId });
    expect(KeyMetadata).toMatchObject({ ExpirationModel: 'KEY_MATERIAL_EXPIRES', ValidTo: new Date(1_800_000_000_000 + HOUR_MS) });
  });
});

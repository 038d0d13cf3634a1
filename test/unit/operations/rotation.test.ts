/** Rotation: which keys, when, how often, what a rotation shows; and what becomes of one that something else gets in the way of. */
import { describe, expect, test } from 'vitest';
import { KeyStoreError } from '../../../src/keystore/keystore.ts';
import { base64, openFixture, refusal } from '../../support/kms-fixture.ts';
import { keyOf, materialOf } from '../../support/store-records.ts';
import type { KeyRecord, MaterialRecord } from '../../../src/keys/key-record.ts';
import type { KmsFixture } from '../../support/kms-fixture.ts';

const DAY_MS = 86_400_000;
const MINUTE_MS = 60_000;
const MATERIAL_ID = /^[0-9a-f]{64}$/;

async function put({ store }: KmsFixture, record: KeyRecord): Promise<KeyRecord> {
  await store.commit([{ kind: 'put-key', record, replacesVersion: 0 }]);
  return record;
}

const imported: MaterialRecord = {
  ...materialOf(1),
  import: { state: 'IMPORTED', expirationModel: 'KEY_MATERIAL_DOES_NOT_EXPIRE', description: 'first', throughSoftware: false },
};
const externalKey = keyOf(1, { origin: 'EXTERNAL', materials: [imported] });

function pendingMaterial(validToMs?: number): MaterialRecord {
  return {
    ...materialOf(2),
    pending: 'PENDING_ROTATION',
    import: {
      state: 'IMPORTED',
      expirationModel: validToMs === undefined ? 'KEY_MATERIAL_DOES_NOT_EXPIRE' : 'KEY_MATERIAL_EXPIRES',
      ...(validToMs !== undefined && { validToMs }),
      throughSoftware: false,
    },
  };
}

describe('automatic rotation as it is set', () => {
  test('it is off for a new key, on for a year or the period that is asked for, and off again', async () => {
    const { createKey, perform, clock } = openFixture();
    const { KeyId, Arn } = await createKey();
    expect(await perform('GetKeyRotationStatus', { KeyId })).toEqual({ KeyId: Arn, KeyRotationEnabled: false });
    expect(await perform('EnableKeyRotation', { KeyId })).toBeUndefined();
    const on = { KeyId: Arn, KeyRotationEnabled: true };
    const inDays = (days: number): object => ({ RotationPeriodInDays: days, NextRotationDate: new Date(clock.nowMs() + days * DAY_MS) });
    expect(await perform('GetKeyRotationStatus', { KeyId })).toEqual({ ...on, ...inDays(365) });
    clock.advance(DAY_MS);
    await perform('EnableKeyRotation', { KeyId, RotationPeriodInDays: 90 });
    expect(await perform('GetKeyRotationStatus', { KeyId: Arn })).toEqual({ ...on, ...inDays(90) });
    clock.advance(DAY_MS);
    await perform('EnableKeyRotation', { KeyId });
    expect(await perform('GetKeyRotationStatus', { KeyId: Arn })).toEqual({ ...on, ...inDays(365) });
    expect(await perform('DisableKeyRotation', { KeyId })).toBeUndefined();
    expect(await perform('GetKeyRotationStatus', { KeyId })).toEqual({ KeyId: Arn, KeyRotationEnabled: false });
  });

  test.each([89, 2561])('a period of %d days is refused', async (RotationPeriodInDays) => {
    const { createKey, perform } = openFixture();
    const { KeyId } = await createKey();
    await expect(perform('EnableKeyRotation', { KeyId, RotationPeriodInDays })).rejects.toMatchObject({ code: 'ValidationException' });
  });

  test('a key that is pending deletion shows it off, and on again when the deletion is cancelled', async () => {
    const { createKey, perform } = openFixture();
    const { KeyId } = await createKey();
    await perform('EnableKeyRotation', { KeyId });
    await perform('ScheduleKeyDeletion', { KeyId });
    expect(await perform('GetKeyRotationStatus', { KeyId })).toEqual({ KeyId: expect.any(String), KeyRotationEnabled: false });
    await perform('CancelKeyDeletion', { KeyId });
    expect(await perform('GetKeyRotationStatus', { KeyId })).toMatchObject({ KeyRotationEnabled: true, RotationPeriodInDays: 365 });
  });

  test.each(['EnableKeyRotation', 'DisableKeyRotation'])('%s is for symmetric keys with material of this service', async (operation) => {
    const fixture = openFixture();
    const hmac = await put(fixture, keyOf(3, { keySpec: 'HMAC_256', keyUsage: 'GENERATE_VERIFY_MAC' }));
    await expect(fixture.perform(operation, { KeyId: hmac.keyId })).rejects.toMatchObject(
      refusal('UnsupportedOperationException', undefined),
    );
    await put(fixture, externalKey);
    const arn = `arn:aws:kms:eu-central-1:111122223333:key/${externalKey.keyId}`;
    await expect(fixture.perform(operation, { KeyId: externalKey.keyId })).rejects.toMatchObject(
      refusal('UnsupportedOperationException', `${arn} origin is EXTERNAL which is not valid for this operation.`),
    );
    for (const key of [hmac, externalKey]) {
      expect(await fixture.perform('GetKeyRotationStatus', { KeyId: key.keyId })).toMatchObject({ KeyRotationEnabled: false });
    }
  });

  test('a replica of a multi-Region key leaves it to its primary', async () => {
    const fixture = openFixture();
    const replica = await put(fixture, keyOf(4, { multiRegion: true, primaryRegion: 'us-east-1' }));
    const arn = `arn:aws:kms:eu-central-1:111122223333:key/${replica.keyId}`;
    for (const operation of ['EnableKeyRotation', 'DisableKeyRotation', 'RotateKeyOnDemand']) {
      await expect(fixture.perform(operation, { KeyId: replica.keyId })).rejects.toMatchObject(
        refusal('UnsupportedOperationException', `${arn} is not a multi-region primary key.`),
      );
    }
  });
});

describe('rotation on demand', () => {
  test('new ciphertexts use the new material, old ones open with the old, and each answer names the one it used', async () => {
    const { createKey, perform, keyStore } = openFixture();
    const { KeyId, Arn, CurrentKeyMaterialId: first } = await createKey();
    const old = await perform('GenerateDataKey', { KeyId, KeySpec: 'AES_256' });
    expect(await perform('RotateKeyOnDemand', { KeyId })).toEqual({ KeyId: Arn });
    const { CurrentKeyMaterialId: second } = (await perform('DescribeKey', { KeyId })).KeyMetadata;
    expect(second).toMatch(MATERIAL_ID);
    expect(second).not.toBe(first);
    expect(await perform('Decrypt', { CiphertextBlob: base64(old.CiphertextBlob) })).toMatchObject({ KeyMaterialId: first });
    const fresh = await perform('GenerateDataKey', { KeyId, KeySpec: 'AES_256' });
    expect(fresh.KeyMaterialId).toBe(second);
    const moved = await perform('ReEncrypt', { CiphertextBlob: base64(old.CiphertextBlob), DestinationKeyId: KeyId });
    expect(moved).toMatchObject({ SourceKeyMaterialId: first, DestinationKeyMaterialId: second });
    expect(keyStore.objects.size).toBe(2);
    expect(keyStore.callsOf('forget')).toEqual([first]);
  });

  test('the automatic schedule stays as it is', async () => {
    const { createKey, perform, clock } = openFixture();
    const { KeyId } = await createKey();
    await perform('EnableKeyRotation', { KeyId });
    const before = await perform('GetKeyRotationStatus', { KeyId });
    clock.advance(DAY_MS);
    await perform('RotateKeyOnDemand', { KeyId });
    expect(await perform('GetKeyRotationStatus', { KeyId })).toEqual(before);
  });

  test('a key has 25 of them in its life', async () => {
    const { createKey, perform, keyStore } = openFixture();
    const { KeyId, Arn } = await createKey();
    for (let count = 0; count < 25; count += 1) await perform('RotateKeyOnDemand', { KeyId });
    await expect(perform('RotateKeyOnDemand', { KeyId })).rejects.toMatchObject(
      refusal(
        'LimitExceededException',
        `The on-demand rotations limit has been reached for the given keyId. No more on-demand rotations can be performed for this key: ${Arn}`,
      ),
    );
    expect(keyStore.objects.size).toBe(26);
    const { Rotations } = await perform('ListKeyRotations', { KeyId });
    expect(Rotations).toHaveLength(25);
  });

  test('none begins within 20 minutes of an automatic rotation', async () => {
    const { createKey, perform, clock } = openFixture();
    const { KeyId } = await createKey();
    await perform('EnableKeyRotation', { KeyId, RotationPeriodInDays: 90 });
    clock.advance(90 * DAY_MS - 20 * MINUTE_MS - 1);
    await perform('RotateKeyOnDemand', { KeyId });
    clock.advance(1);
    await expect(perform('RotateKeyOnDemand', { KeyId })).rejects.toMatchObject({ code: 'ConflictException' });
    clock.advance(DAY_MS);
    await expect(perform('RotateKeyOnDemand', { KeyId })).rejects.toMatchObject({ code: 'ConflictException' });
  });

  test('keys of other specs are refused without a message, but after their state', async () => {
    const fixture = openFixture();
    const key = await put(fixture, keyOf(3, { keySpec: 'HMAC_256', keyUsage: 'GENERATE_VERIFY_MAC' }));
    await expect(fixture.perform('RotateKeyOnDemand', { KeyId: key.keyId })).rejects.toMatchObject(
      refusal('UnsupportedOperationException', undefined),
    );
    const waiting = await put(
      fixture,
      keyOf(6, { keySpec: 'HMAC_256', keyUsage: 'GENERATE_VERIFY_MAC', origin: 'EXTERNAL', state: 'PendingImport' }),
    );
    await expect(fixture.perform('RotateKeyOnDemand', { KeyId: waiting.keyId })).rejects.toMatchObject({
      code: 'KMSInvalidStateException',
    });
  });

  test('of two at once one rotates and the other is told of a conflict, and leaves nothing', async () => {
    const { createKey, perform, keyStore, store } = openFixture();
    const { KeyId } = await createKey();
    const both = await Promise.allSettled([perform('RotateKeyOnDemand', { KeyId }), perform('RotateKeyOnDemand', { KeyId })]);
    expect(both.map(({ status }) => status).toSorted()).toEqual(['fulfilled', 'rejected']);
    expect(both.find(({ status }) => status === 'rejected')).toMatchObject({ reason: { code: 'ConflictException' } });
    expect([keyStore.objects.size, store.intents().length]).toEqual([2, 0]);
    expect((await perform('ListKeyRotations', { KeyId })).Rotations).toHaveLength(1);
  });

  test.each([
    ['disabled', 'DisableKey', 'DisabledException'],
    ['scheduled for deletion', 'ScheduleKeyDeletion', 'KMSInvalidStateException'],
  ])('a key that is %s while its new material is made keeps the old one', async (_what, operation, code) => {
    const { createKey, perform, keyStore, store } = openFixture();
    const { KeyId, CurrentKeyMaterialId } = await createKey();
    const createMaterial = keyStore.createMaterial.bind(keyStore);
    keyStore.createMaterial = async (request) => {
      const material = await createMaterial(request);
      await perform(operation, { KeyId });
      return material;
    };
    await expect(perform('RotateKeyOnDemand', { KeyId })).rejects.toMatchObject({ code });
    expect((await perform('DescribeKey', { KeyId })).KeyMetadata.CurrentKeyMaterialId).toBe(CurrentKeyMaterialId);
    expect([keyStore.objects.size, store.intents().length]).toEqual([1, 0]);
  });

  test('while the key store makes the material the status says since when', async () => {
    const { createKey, perform, keyStore, clock } = openFixture();
    const { KeyId } = await createKey();
    const createMaterial = keyStore.createMaterial.bind(keyStore);
    const startedAtMs = clock.nowMs();
    let status: object | undefined;
    keyStore.createMaterial = async (request) => {
      clock.advance(MINUTE_MS);
      status = await perform('GetKeyRotationStatus', { KeyId });
      return createMaterial(request);
    };
    await perform('RotateKeyOnDemand', { KeyId });
    expect(status).toEqual({ KeyId: expect.any(String), KeyRotationEnabled: false, OnDemandRotationStartDate: new Date(startedAtMs) });
    expect(await perform('GetKeyRotationStatus', { KeyId })).not.toHaveProperty('OnDemandRotationStartDate');
  });

  test('a key store that cannot make the material leaves the key as it was', async () => {
    const { createKey, perform, keyStore, store } = openFixture();
    const { KeyId, CurrentKeyMaterialId } = await createKey();
    keyStore.failNext('createMaterial', new KeyStoreError('unavailable', 'away'));
    await expect(perform('RotateKeyOnDemand', { KeyId })).rejects.toMatchObject({ code: 'KeyUnavailableException' });
    expect((await perform('DescribeKey', { KeyId })).KeyMetadata.CurrentKeyMaterialId).toBe(CurrentKeyMaterialId);
    expect(store.intents()).toHaveLength(1);
    await perform('RotateKeyOnDemand', { KeyId });
    expect((await perform('DescribeKey', { KeyId })).KeyMetadata.CurrentKeyMaterialId).not.toBe(CurrentKeyMaterialId);
  });

  test('a former material that cannot be forgotten now is no failure of the rotation', async () => {
    const { createKey, perform, keyStore } = openFixture();
    const { KeyId, Arn } = await createKey();
    keyStore.failNext('forget', new KeyStoreError('unavailable', 'away'));
    expect(await perform('RotateKeyOnDemand', { KeyId })).toEqual({ KeyId: Arn });
  });
});

describe('rotation of imported keys', () => {
  test('the pending material becomes the current one', async () => {
    const fixture = openFixture();
    await put(fixture, { ...externalKey, materials: [imported, pendingMaterial()] });
    const { keyId } = externalKey;
    await fixture.perform('RotateKeyOnDemand', { KeyId: keyId });
    const record = fixture.store.key(fixture.caller, keyId);
    expect(record?.currentMaterialId).toBe(materialOf(2).materialId);
    expect(record?.materials[1]).toMatchObject({ rotation: { type: 'ON_DEMAND', atMs: fixture.clock.nowMs() } });
    expect(record?.materials[1]).not.toHaveProperty('pending');
    expect(fixture.keyStore.callsOf('createMaterial')).toEqual([]);
    expect(fixture.keyStore.callsOf('forget')).toEqual([imported.materialId]);
  });

  test.each([
    ['no pending material', () => []],
    [
      'a pending material that other Regions miss',
      () => [{ ...pendingMaterial(), pending: 'PENDING_MULTI_REGION_IMPORT_AND_ROTATION' as const }],
    ],
    ['a pending material whose time is over', (nowMs: number) => [pendingMaterial(nowMs)]],
  ])('%s is refused', async (_what, more) => {
    const fixture = openFixture();
    await put(fixture, { ...externalKey, materials: [imported, ...more(fixture.clock.nowMs())] });
    await expect(fixture.perform('RotateKeyOnDemand', { KeyId: externalKey.keyId })).rejects.toMatchObject(
      refusal(
        'KMSInvalidStateException',
        `No available key material pending rotation for the key: arn:aws:kms:eu-central-1:111122223333:key/${externalKey.keyId}.`,
      ),
    );
  });
});

describe('the list of rotations', () => {
  test('it has completed rotations only, or all materials with their state', async () => {
    const { createKey, perform, clock } = openFixture();
    const { KeyId, Arn, CurrentKeyMaterialId: first } = await createKey();
    expect(await perform('ListKeyRotations', { KeyId })).toEqual({ Rotations: [], Truncated: false });
    await perform('RotateKeyOnDemand', { KeyId });
    const { CurrentKeyMaterialId: second } = (await perform('DescribeKey', { KeyId })).KeyMetadata;
    const rotation = {
      KeyId: Arn,
      KeyMaterialId: second,
      KeyMaterialState: 'CURRENT',
      RotationDate: new Date(clock.nowMs()),
      RotationType: 'ON_DEMAND',
    };
    expect(await perform('ListKeyRotations', { KeyId })).toEqual({ Rotations: [rotation], Truncated: false });
    expect(await perform('ListKeyRotations', { KeyId, IncludeKeyMaterial: 'ALL_KEY_MATERIAL' })).toEqual({
      Rotations: [{ KeyId: Arn, KeyMaterialId: first, KeyMaterialState: 'NON_CURRENT' }, rotation],
      Truncated: false,
    });
  });

  test('imported materials show their import', async () => {
    const fixture = openFixture();
    const validToMs = fixture.clock.nowMs() + DAY_MS;
    await put(fixture, { ...externalKey, materials: [imported, pendingMaterial(validToMs)] });
    const { Rotations } = await fixture.perform('ListKeyRotations', { KeyId: externalKey.keyId, IncludeKeyMaterial: 'ALL_KEY_MATERIAL' });
    expect(Rotations).toEqual([
      expect.objectContaining({
        KeyMaterialState: 'CURRENT',
        ImportState: 'IMPORTED',
        KeyMaterialDescription: 'first',
        ExpirationModel: 'KEY_MATERIAL_DOES_NOT_EXPIRE',
      }),
      expect.objectContaining({
        KeyMaterialState: 'PENDING_ROTATION',
        ImportState: 'IMPORTED',
        ExpirationModel: 'KEY_MATERIAL_EXPIRES',
        ValidTo: new Date(validToMs),
      }),
    ]);
    expect(Rotations[1]).not.toHaveProperty('RotationDate');
  });

  test('pages show every rotation once', async () => {
    const { createKey, perform } = openFixture();
    const { KeyId } = await createKey();
    for (let count = 0; count < 5; count += 1) await perform('RotateKeyOnDemand', { KeyId });
    const all = (await perform('ListKeyRotations', { KeyId })).Rotations;
    const seen: object[] = [];
    let Marker: string | undefined;
    do {
      const page = await perform('ListKeyRotations', { KeyId, Limit: 2, Marker });
      seen.push(...page.Rotations);
      Marker = page.NextMarker;
      expect(page.Truncated).toBe(Marker !== undefined);
    } while (Marker !== undefined);
    expect(seen).toEqual(all);
    const first = await perform('ListKeyRotations', { KeyId, Limit: 2 });
    const other = { KeyId, IncludeKeyMaterial: 'ALL_KEY_MATERIAL', Marker: first.NextMarker };
    await expect(perform('ListKeyRotations', other)).rejects.toMatchObject({ code: 'InvalidMarkerException' });
  });

  test('it is empty for keys that cannot rotate', async () => {
    const fixture = openFixture();
    const key = await put(fixture, keyOf(3, { keySpec: 'HMAC_256', keyUsage: 'GENERATE_VERIFY_MAC' }));
    const all = { KeyId: key.keyId, IncludeKeyMaterial: 'ALL_KEY_MATERIAL' };
    expect(await fixture.perform('ListKeyRotations', all)).toEqual({ Rotations: [], Truncated: false });
  });
});

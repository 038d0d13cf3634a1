/** The rules of interface Kms that hold over every store and key store: what a client sees of keys, aliases, tags and ciphertexts. */
import { randomBytes } from 'node:crypto';
import { setImmediate } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { checkedKms } from '../support/checked-kms.ts';
import { base64, callerOf, refusal } from '../support/kms-fixture.ts';
import type { Caller, Kms } from '../../src/kms.ts';

/** One place where a service runs; it starts without keys and serves the account and Region of the fixture's caller. */
export interface KmsPlace {
  readonly kms: Kms;
  remove(): Promise<void>;
}

const ARN = /^arn:aws:kms:eu-central-1:111122223333:key\/[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;
const MATERIAL_ID = /^[0-9a-f]{64}$/;

export function kmsContract(name: string, openPlace: () => Promise<KmsPlace>): void {
  describe(name, () => {
    let place: KmsPlace;
    beforeEach(async () => {
      place = await openPlace();
    });
    afterEach(async () => place.remove());

    // Replies are untyped on purpose: each test states what it expects of them.
    // oxlint-disable-next-line typescript/no-explicit-any
    const perform = async (operation: string, input: object = {}, caller: Partial<Caller> = {}): Promise<any> =>
      checkedKms(place.kms).perform(operation, input, callerOf(caller));
    const createKey = async (input: object = {}): Promise<{ readonly KeyId: string; readonly Arn: string }> =>
      (await perform('CreateKey', input)).KeyMetadata;
    const encrypt = async (KeyId: string, plaintext: Uint8Array, more: object = {}): Promise<string> =>
      base64((await perform('Encrypt', { KeyId, Plaintext: base64(plaintext), ...more })).CiphertextBlob);

    test('a new key is enabled, described as created, and listed', async () => {
      const created = await createKey({ Description: 'orders', Tags: [{ TagKey: 'team', TagValue: 'shop' }] });
      expect(created).toMatchObject({ Arn: expect.stringMatching(ARN), KeyState: 'Enabled', Enabled: true, Description: 'orders' });
      expect(created).toMatchObject({ CurrentKeyMaterialId: expect.stringMatching(MATERIAL_ID), ProtectionLevel: expect.any(String) });
      expect((await perform('DescribeKey', { KeyId: created.KeyId })).KeyMetadata).toEqual(created);
      expect(await perform('ListKeys')).toEqual({ Keys: [{ KeyId: created.KeyId, KeyArn: created.Arn }], Truncated: false });
      const tags = await perform('ListResourceTags', { KeyId: created.Arn });
      expect(tags).toEqual({ Tags: [{ TagKey: 'team', TagValue: 'shop' }], Truncated: false });
    });

    test.each([1, 32, 1024, 4096])('%d bytes come back from their ciphertext, which fits 6,144 bytes', async (length) => {
      const { KeyId, Arn } = await createKey();
      const plaintext = new Uint8Array(randomBytes(length));
      const encrypted = await perform('Encrypt', { KeyId, Plaintext: base64(plaintext) });
      expect(encrypted).toEqual({ CiphertextBlob: expect.any(Uint8Array), KeyId: Arn, EncryptionAlgorithm: 'SYMMETRIC_DEFAULT' });
      expect(encrypted.CiphertextBlob.length).toBeLessThanOrEqual(6144);
      const decrypted = await perform('Decrypt', { CiphertextBlob: base64(encrypted.CiphertextBlob) });
      expect(decrypted).toEqual({
        KeyId: Arn,
        Plaintext: expect.any(Uint8Array),
        EncryptionAlgorithm: 'SYMMETRIC_DEFAULT',
        KeyMaterialId: expect.stringMatching(MATERIAL_ID),
      });
      expect(Buffer.compare(decrypted.Plaintext, plaintext)).toBe(0);
    });

    test('equal plaintexts give different ciphertexts', async () => {
      const { KeyId } = await createKey();
      const plaintext = new Uint8Array(16);
      expect(new Set([await encrypt(KeyId, plaintext), await encrypt(KeyId, plaintext), await encrypt(KeyId, plaintext)]).size).toBe(3);
    });

    test('the encryption context must be the same, in any order', async () => {
      const { KeyId } = await createKey();
      const CiphertextBlob = await encrypt(KeyId, randomBytes(8), { EncryptionContext: { a: '1', b: 'ü' } });
      await expect(perform('Decrypt', { CiphertextBlob, EncryptionContext: { b: 'ü', a: '1' } })).resolves.toBeDefined();
      for (const EncryptionContext of [undefined, { a: '1' }, { a: '1', b: 'Ü' }, { a: 'ü', b: '1' }, { a: '1', b: 'ü', c: '' }]) {
        await expect(perform('Decrypt', { CiphertextBlob, EncryptionContext })).rejects.toMatchObject(
          refusal('InvalidCiphertextException', undefined),
        );
      }
    });

    test('any changed byte of a ciphertext is refused, and never opened', async () => {
      const { KeyId } = await createKey();
      const good = Buffer.from(await encrypt(KeyId, randomBytes(8)), 'base64');
      for (let index = 0; index < good.length; index += 1) {
        const bad = Buffer.from(good);
        bad[index] = (bad[index] ?? 0) ^ 0x01;
        const attempt = perform('Decrypt', { CiphertextBlob: base64(bad) });
        await expect(attempt, `byte ${index}`).rejects.toMatchObject({ code: /^(InvalidCiphertext|AccessDenied)Exception$/ });
      }
      for (const CiphertextBlob of [good.subarray(0, -1), good.subarray(1), Buffer.concat([good, Buffer.alloc(1)]), randomBytes(64)]) {
        await expect(perform('Decrypt', { CiphertextBlob: base64(CiphertextBlob) })).rejects.toMatchObject({
          code: 'InvalidCiphertextException',
        });
      }
    });

    test('a KeyId that is not the key of the ciphertext is the incorrect key; the right one may be named in four ways', async () => {
      const { KeyId, Arn } = await createKey();
      const other = await createKey();
      await perform('CreateAlias', { AliasName: 'alias/right', TargetKeyId: KeyId });
      const CiphertextBlob = await encrypt(KeyId, randomBytes(8));
      const aliasArn = Arn.replace(/key\/.*/, 'alias/right');
      for (const name of [KeyId, Arn, 'alias/right', aliasArn]) {
        await expect(perform('Decrypt', { CiphertextBlob, KeyId: name })).resolves.toMatchObject({ KeyId: Arn });
      }
      await expect(perform('Decrypt', { CiphertextBlob, KeyId: other.KeyId })).rejects.toMatchObject(
        refusal('IncorrectKeyException', 'The key ID in the request does not identify a CMK that can perform this operation.'),
      );
    });

    test('a data key and its sealed copy are the same key, with and without plaintext', async () => {
      const { KeyId, Arn } = await createKey();
      const context = { EncryptionContext: { volume: 'v1' } };
      const both = await perform('GenerateDataKey', { KeyId, KeySpec: 'AES_256', ...context });
      expect(both).toMatchObject({ KeyId: Arn, KeyMaterialId: expect.stringMatching(MATERIAL_ID) });
      expect(both.Plaintext).toHaveLength(32);
      const opened = await perform('Decrypt', { CiphertextBlob: base64(both.CiphertextBlob), ...context });
      expect(Buffer.compare(opened.Plaintext, both.Plaintext)).toBe(0);
      const sealed = await perform('GenerateDataKeyWithoutPlaintext', { KeyId, NumberOfBytes: 64 });
      expect(sealed).not.toHaveProperty('Plaintext');
      const unsealed = await perform('Decrypt', { CiphertextBlob: base64(sealed.CiphertextBlob) });
      expect(unsealed.Plaintext).toHaveLength(64);
      expect(unsealed.Plaintext).not.toEqual(new Uint8Array(64));
    });

    test('ReEncrypt moves a ciphertext to another key and another context', async () => {
      const [source, destination] = [await createKey(), await createKey()];
      const plaintext = new Uint8Array(randomBytes(40));
      const CiphertextBlob = await encrypt(source.KeyId, plaintext, { EncryptionContext: { from: 'a' } });
      const moved = await perform('ReEncrypt', {
        CiphertextBlob,
        SourceEncryptionContext: { from: 'a' },
        DestinationKeyId: destination.KeyId,
        DestinationEncryptionContext: { to: 'b' },
      });
      expect(moved).toMatchObject({ SourceKeyId: source.Arn, KeyId: destination.Arn });
      expect(moved.SourceKeyMaterialId).not.toBe(moved.DestinationKeyMaterialId);
      const opened = await perform('Decrypt', { CiphertextBlob: base64(moved.CiphertextBlob), EncryptionContext: { to: 'b' } });
      expect(opened.KeyId).toBe(destination.Arn);
      expect(Buffer.compare(opened.Plaintext, plaintext)).toBe(0);
    });

    test('random bytes have the length that was asked for, and differ', async () => {
      const [a, b] = [await perform('GenerateRandom', { NumberOfBytes: 1024 }), await perform('GenerateRandom', { NumberOfBytes: 1024 })];
      expect([a.Plaintext.length, b.Plaintext.length]).toEqual([1024, 1024]);
      expect(Buffer.compare(a.Plaintext, b.Plaintext)).not.toBe(0);
    });

    test('a disabled key is refused for every use, and works again when enabled', async () => {
      const { KeyId, Arn } = await createKey();
      const CiphertextBlob = await encrypt(KeyId, randomBytes(8));
      expect(await perform('DisableKey', { KeyId })).toBeUndefined();
      const disabled = refusal('DisabledException', `${Arn} is disabled.`);
      await expect(encrypt(KeyId, randomBytes(8))).rejects.toMatchObject(disabled);
      await expect(perform('Decrypt', { CiphertextBlob })).rejects.toMatchObject(disabled);
      await expect(perform('GenerateDataKey', { KeyId, KeySpec: 'AES_128' })).rejects.toMatchObject(disabled);
      expect(await perform('EnableKey', { KeyId })).toBeUndefined();
      await expect(perform('Decrypt', { CiphertextBlob })).resolves.toMatchObject({ KeyId: Arn });
    });

    test('a key whose deletion was scheduled is refused, and disabled when the deletion is cancelled', async () => {
      const { KeyId, Arn } = await createKey();
      const CiphertextBlob = await encrypt(KeyId, randomBytes(8));
      const scheduled = await perform('ScheduleKeyDeletion', { KeyId, PendingWindowInDays: 7 });
      expect(scheduled).toEqual({ KeyId: Arn, DeletionDate: expect.any(Date), KeyState: 'PendingDeletion', PendingWindowInDays: 7 });
      await expect(perform('Decrypt', { CiphertextBlob })).rejects.toMatchObject(
        refusal('KMSInvalidStateException', `${Arn} is pending deletion.`),
      );
      expect(await perform('CancelKeyDeletion', { KeyId })).toEqual({ KeyId: Arn });
      expect((await perform('DescribeKey', { KeyId })).KeyMetadata).toMatchObject({ KeyState: 'Disabled' });
      await perform('EnableKey', { KeyId });
      await expect(perform('Decrypt', { CiphertextBlob })).resolves.toMatchObject({ KeyId: Arn });
    });

    test('an alias names its key until it is moved or deleted', async () => {
      const [first, second] = [await createKey(), await createKey()];
      expect(await perform('CreateAlias', { AliasName: 'alias/app', TargetKeyId: first.Arn })).toBeUndefined();
      expect((await perform('DescribeKey', { KeyId: 'alias/app' })).KeyMetadata.KeyId).toBe(first.KeyId);
      await perform('UpdateAlias', { AliasName: 'alias/app', TargetKeyId: second.KeyId });
      expect((await perform('DescribeKey', { KeyId: 'alias/app' })).KeyMetadata.KeyId).toBe(second.KeyId);
      expect((await perform('ListAliases', { KeyId: first.KeyId })).Aliases).toEqual([]);
      expect((await perform('ListAliases', { KeyId: second.KeyId })).Aliases).toEqual([
        {
          AliasName: 'alias/app',
          AliasArn: 'arn:aws:kms:eu-central-1:111122223333:alias/app',
          TargetKeyId: second.KeyId,
          CreationDate: expect.any(Date),
          LastUpdatedDate: expect.any(Date),
        },
      ]);
      await perform('DeleteAlias', { AliasName: 'alias/app' });
      await expect(perform('DescribeKey', { KeyId: 'alias/app' })).rejects.toMatchObject(
        refusal('NotFoundException', 'Alias arn:aws:kms:eu-central-1:111122223333:alias/app is not found.'),
      );
    });

    test('after a rotation new ciphertexts use the new material and old ones open with the old; both are listed', async () => {
      const { KeyId, Arn } = await createKey();
      const current = async (): Promise<string> => (await perform('DescribeKey', { KeyId })).KeyMetadata.CurrentKeyMaterialId;
      const context = { EncryptionContext: { volume: 'v1' } };
      const old = await perform('GenerateDataKey', { KeyId, KeySpec: 'AES_256', ...context });
      const first = await current();
      expect(await perform('RotateKeyOnDemand', { KeyId })).toEqual({ KeyId: Arn });
      const second = await current();
      const fresh = await perform('GenerateDataKey', { KeyId, KeySpec: 'AES_256', ...context });
      expect([old.KeyMaterialId, fresh.KeyMaterialId]).toEqual([first, second]);
      expect(first).not.toBe(second);
      for (const { CiphertextBlob, Plaintext, KeyMaterialId } of [old, fresh]) {
        const opened = await perform('Decrypt', { CiphertextBlob: base64(CiphertextBlob), ...context });
        expect(opened).toMatchObject({ KeyId: Arn, KeyMaterialId });
        expect(Buffer.compare(opened.Plaintext, Plaintext)).toBe(0);
      }
      const input = { CiphertextBlob: base64(old.CiphertextBlob), DestinationKeyId: KeyId, SourceEncryptionContext: { volume: 'v1' } };
      expect(await perform('ReEncrypt', input)).toMatchObject({ SourceKeyMaterialId: first, DestinationKeyMaterialId: second });
      const listed = (await perform('ListKeyRotations', { KeyId, IncludeKeyMaterial: 'ALL_KEY_MATERIAL' })).Rotations;
      expect(listed).toMatchObject([
        { KeyMaterialId: first, KeyMaterialState: 'NON_CURRENT' },
        { KeyMaterialId: second, KeyMaterialState: 'CURRENT', RotationType: 'ON_DEMAND', RotationDate: expect.any(Date) },
      ]);
    });

    test('uses go on while the key rotates, and none that begins afterwards is under the former material', async () => {
      const { KeyId } = await createKey();
      const old = await encrypt(KeyId, randomBytes(8));
      const rotated = new AbortController();
      const uses = Array.from({ length: 4 }, async () => {
        while (!rotated.signal.aborted) {
          // Lets the threads and processes be heard that the rotation waits for.
          await setImmediate();
          const { CiphertextBlob, KeyMaterialId } = await perform('GenerateDataKeyWithoutPlaintext', { KeyId, KeySpec: 'AES_256' });
          expect(await perform('Decrypt', { CiphertextBlob: base64(CiphertextBlob) })).toMatchObject({ KeyMaterialId });
          await perform('Decrypt', { CiphertextBlob: old });
        }
      });
      const rotate = async (): Promise<void> => {
        for (let count = 0; count < 5; count += 1) {
          await perform('RotateKeyOnDemand', { KeyId });
          const { CurrentKeyMaterialId } = (await perform('DescribeKey', { KeyId })).KeyMetadata;
          const after = await perform('GenerateDataKey', { KeyId, KeySpec: 'AES_256' });
          expect(after.KeyMaterialId).toBe(CurrentKeyMaterialId);
        }
      };
      await Promise.all([...uses, rotate().finally(() => rotated.abort())]);
      expect((await perform('ListKeyRotations', { KeyId })).Rotations).toHaveLength(5);
    });

    test('of two rotations at once one is carried out', async () => {
      const { KeyId } = await createKey();
      const both = await Promise.allSettled([perform('RotateKeyOnDemand', { KeyId }), perform('RotateKeyOnDemand', { KeyId })]);
      expect(both.filter(({ status }) => status === 'rejected')).toEqual([
        { status: 'rejected', reason: expect.objectContaining({ code: 'ConflictException' }) },
      ]);
      expect((await perform('ListKeyRotations', { KeyId })).Rotations).toHaveLength(1);
    });

    test('automatic rotation is set, shown and taken back', async () => {
      const { KeyId, Arn } = await createKey();
      await perform('EnableKeyRotation', { KeyId, RotationPeriodInDays: 180 });
      expect(await perform('GetKeyRotationStatus', { KeyId })).toEqual({
        KeyId: Arn,
        KeyRotationEnabled: true,
        RotationPeriodInDays: 180,
        NextRotationDate: expect.any(Date),
      });
      await perform('DisableKeyRotation', { KeyId });
      expect(await perform('GetKeyRotationStatus', { KeyId })).toEqual({ KeyId: Arn, KeyRotationEnabled: false });
    });

    test('the key of a service is made when it is first named, once, and is the same from then on', async () => {
      const named = async (): Promise<string> => (await perform('DescribeKey', { KeyId: 'alias/aws/s3' })).KeyMetadata.KeyId;
      const [first, second] = await Promise.all([named(), named()]);
      expect([second, await named()]).toEqual([first, first]);
      expect((await perform('ListKeys')).Keys).toHaveLength(1);
      const { Aliases } = await perform('ListAliases', { KeyId: first });
      expect(Aliases).toMatchObject([{ AliasName: 'alias/aws/s3', TargetKeyId: first }]);
      const CiphertextBlob = await encrypt('alias/aws/s3', randomBytes(8));
      expect(await perform('Decrypt', { CiphertextBlob })).toMatchObject({ KeyId: expect.stringContaining(first) });
    });

    test('of many aliases that are made at once a key gets 50', async () => {
      const { KeyId } = await createKey();
      const names = Array.from({ length: 55 }, (_, index) => `alias/a${index}`);
      const made = await Promise.allSettled(names.map(async (AliasName) => perform('CreateAlias', { AliasName, TargetKeyId: KeyId })));
      const refused = made.filter(({ status }) => status === 'rejected');
      expect(refused).toEqual(
        Array.from({ length: 5 }, () => ({ status: 'rejected', reason: expect.objectContaining({ code: 'LimitExceededException' }) })),
      );
      expect((await perform('ListAliases', { KeyId, Limit: 100 })).Aliases).toHaveLength(50);
    });

    test('tags and description change and are listed', async () => {
      const { KeyId } = await createKey();
      await perform('TagResource', {
        KeyId,
        Tags: [
          { TagKey: 'b', TagValue: '1' },
          { TagKey: 'a', TagValue: '' },
        ],
      });
      await perform('TagResource', { KeyId, Tags: [{ TagKey: 'b', TagValue: '2' }] });
      await perform('UntagResource', { KeyId, TagKeys: ['a', 'none'] });
      expect((await perform('ListResourceTags', { KeyId })).Tags).toEqual([{ TagKey: 'b', TagValue: '2' }]);
      await perform('UpdateKeyDescription', { KeyId, Description: 'new' });
      expect((await perform('DescribeKey', { KeyId })).KeyMetadata.Description).toBe('new');
    });

    test('a listing in small pages shows every key once', async () => {
      const ids = [];
      for (let count = 0; count < 5; count += 1) ids.push((await createKey()).KeyId);
      const seen: string[] = [];
      let Marker: string | undefined;
      do {
        const page = await perform('ListKeys', { Limit: 2, Marker });
        seen.push(...page.Keys.map((key: { KeyId: string }) => key.KeyId));
        Marker = page.NextMarker;
        expect(page.Truncated).toBe(Marker !== undefined);
      } while (Marker !== undefined);
      expect(seen).toEqual(ids.toSorted());
    });

    test('accounts and Regions do not see each other’s keys and aliases', async () => {
      const { KeyId, Arn } = await createKey();
      await perform('CreateAlias', { AliasName: 'alias/mine', TargetKeyId: KeyId });
      const CiphertextBlob = await encrypt(KeyId, randomBytes(8));
      const stranger = { account: '999988887777', principalArn: 'arn:aws:iam::999988887777:user/mallory' };
      expect((await perform('ListKeys', {}, stranger)).Keys).toEqual([]);
      await expect(perform('DescribeKey', { KeyId }, stranger)).rejects.toMatchObject({ code: 'NotFoundException' });
      await expect(perform('DescribeKey', { KeyId: 'alias/mine' }, stranger)).rejects.toMatchObject({ code: 'NotFoundException' });
      await expect(perform('DescribeKey', { KeyId: Arn }, stranger)).rejects.toMatchObject({ code: 'AccessDeniedException' });
      const denied = refusal(
        'AccessDeniedException',
        'The ciphertext refers to a customer master key that does not exist, does not exist in this region, or you are not allowed to access.',
      );
      await expect(perform('Decrypt', { CiphertextBlob }, stranger)).rejects.toMatchObject(denied);
      await expect(perform('Decrypt', { CiphertextBlob }, { region: 'us-east-1' })).rejects.toMatchObject(denied);
      expect((await perform('ListKeys', {}, { region: 'us-east-1' })).Keys).toEqual([]);
    });
  });
}

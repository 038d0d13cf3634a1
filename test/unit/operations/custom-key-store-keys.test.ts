/** Keys of custom key stores: where they live, and what becomes of them when their store is disconnected. */
import { describe, expect, test } from 'vitest';
import { KeyStoreError } from '../../../src/keystore/keystore.ts';
import { finishDestruction } from '../../../src/operations/sweeps/destroy-key.ts';
import { cluster, clusterId, openCustomKeyStoreFixture, proxy } from '../../support/custom-key-store-fixture.ts';
import { base64, callerOf, refusal } from '../../support/kms-fixture.ts';

describe('a key of a custom key store', () => {
  test('lives in the key store behind it and says where it is', async () => {
    const { perform, keyStore, connected } = openCustomKeyStoreFixture();
    const CustomKeyStoreId = await connected();
    const { KeyMetadata } = await perform('CreateKey', { Origin: 'AWS_CLOUDHSM', CustomKeyStoreId });
    expect(KeyMetadata).toMatchObject({ Origin: 'AWS_CLOUDHSM', CustomKeyStoreId, CloudHsmClusterId: clusterId, KeyState: 'Enabled' });
    expect(KeyMetadata).not.toHaveProperty('CurrentKeyMaterialId');
    expect((await perform('DescribeKey', { KeyId: KeyMetadata.KeyId })).KeyMetadata).toEqual(KeyMetadata);
    expect(keyStore.objects.size).toBe(1);
    const { CiphertextBlob } = await perform('Encrypt', { KeyId: KeyMetadata.KeyId, Plaintext: base64('x') });
    const { Plaintext } = await perform('Decrypt', { CiphertextBlob: base64(CiphertextBlob) });
    expect(Buffer.from(Plaintext).toString()).toBe('x');
    expect((await perform('GenerateRandom', { NumberOfBytes: 5, CustomKeyStoreId })).Plaintext).toHaveLength(5);
  });

  test('is Unavailable from the moment at which its store is disconnected, and what it was when it is connected again', async () => {
    const { perform, keyStore, connected, settled } = openCustomKeyStoreFixture();
    const CustomKeyStoreId = await connected();
    const create = async (): Promise<{ KeyId: string; Arn: string }> =>
      (await perform('CreateKey', { Origin: 'AWS_CLOUDHSM', CustomKeyStoreId })).KeyMetadata;
    const [enabled, disabled, dying] = [await create(), await create(), await create()];
    const { CiphertextBlob } = await perform('Encrypt', { KeyId: enabled.KeyId, Plaintext: base64('x') });
    await perform('DisableKey', { KeyId: disabled.KeyId });
    await perform('ScheduleKeyDeletion', { KeyId: dying.KeyId });
    const states = async (): Promise<string[]> => {
      const keys = [enabled, disabled, dying].map(async ({ KeyId }) => (await perform('DescribeKey', { KeyId })).KeyMetadata.KeyState);
      return Promise.all(keys);
    };
    const forgotten = keyStore.callsOf('forget').length;
    await perform('DisconnectCustomKeyStore', { CustomKeyStoreId });
    expect(await states()).toEqual(['Unavailable', 'Unavailable', 'PendingDeletion']);
    const unavailable = refusal('KMSInvalidStateException', `${enabled.Arn} is unavailable.`);
    await expect(perform('Decrypt', { CiphertextBlob: base64(CiphertextBlob) })).rejects.toMatchObject(unavailable);
    await settled(CustomKeyStoreId);
    expect(keyStore.callsOf('forget').length - forgotten).toBe(3);
    const notConnected = { code: 'CustomKeyStoreInvalidStateException' };
    await expect(create()).rejects.toMatchObject(notConnected);
    await expect(perform('GenerateRandom', { NumberOfBytes: 5, CustomKeyStoreId })).rejects.toMatchObject(notConnected);
    await perform('EnableKey', { KeyId: disabled.KeyId });
    await perform('ConnectCustomKeyStore', { CustomKeyStoreId });
    await settled(CustomKeyStoreId);
    expect(await states()).toEqual(['Enabled', 'Enabled', 'PendingDeletion']);
    await perform('Decrypt', { CiphertextBlob: base64(CiphertextBlob) });
  });

  test('that its key store cannot use now is in an invalid state, whatever the reason; a wrong ciphertext is what it always is', async () => {
    const { perform, keyStore, connected } = openCustomKeyStoreFixture();
    const CustomKeyStoreId = await connected();
    const { KeyId, Arn } = (await perform('CreateKey', { Origin: 'AWS_CLOUDHSM', CustomKeyStoreId })).KeyMetadata;
    for (const kind of ['unavailable', 'timeout', 'material-missing', 'internal'] as const) {
      keyStore.failNext('encrypt', new KeyStoreError(kind, 'away'));
      const refused = await perform('Encrypt', { KeyId, Plaintext: base64('x') }).catch((error: unknown) => error);
      expect(refused).toMatchObject({
        code: 'KMSInvalidStateException',
        publicMessage: expect.stringContaining(`${Arn} is in`) as unknown,
      });
    }
    const { CiphertextBlob } = await perform('Encrypt', { KeyId, Plaintext: base64('x') });
    const wrong = { CiphertextBlob: base64(CiphertextBlob), EncryptionContext: { a: 'b' } };
    await expect(perform('Decrypt', wrong)).rejects.toMatchObject({ code: 'InvalidCiphertextException' });
    const plain = (await perform('CreateKey')).KeyMetadata.KeyId;
    keyStore.failNext('encrypt', new KeyStoreError('unavailable', 'away'));
    await expect(perform('Encrypt', { KeyId: plain, Plaintext: base64('x') })).rejects.toMatchObject({ code: 'KeyUnavailableException' });
  });

  test('keeps its store from being deleted until it is gone', async () => {
    const { perform, parts, store, connected, settled } = openCustomKeyStoreFixture();
    const CustomKeyStoreId = await connected();
    const { KeyMetadata } = await perform('CreateKey', { Origin: 'AWS_CLOUDHSM', CustomKeyStoreId });
    await expect(perform('DeleteCustomKeyStore', { CustomKeyStoreId })).rejects.toMatchObject({
      code: 'CustomKeyStoreInvalidStateException',
    });
    await perform('DisconnectCustomKeyStore', { CustomKeyStoreId });
    await settled(CustomKeyStoreId);
    await expect(perform('DeleteCustomKeyStore', { CustomKeyStoreId })).rejects.toMatchObject({ code: 'CustomKeyStoreHasCMKsException' });
    await finishDestruction(store.key(callerOf(), KeyMetadata.KeyId)!, parts);
    expect(await perform('DeleteCustomKeyStore', { CustomKeyStoreId })).toEqual({});
    await expect(perform('DeleteCustomKeyStore', { CustomKeyStoreId })).rejects.toMatchObject({ code: 'CustomKeyStoreNotFoundException' });
    await perform('CreateCustomKeyStore', cluster);
  });

  test('that is made while its store is disconnected is not recorded, and leaves no object', async () => {
    const { perform, keyStore, store, connected, settled } = openCustomKeyStoreFixture();
    const CustomKeyStoreId = await connected();
    const createMaterial = keyStore.createMaterial.bind(keyStore);
    keyStore.createMaterial = async (request) => {
      const material = await createMaterial(request);
      await perform('DisconnectCustomKeyStore', { CustomKeyStoreId });
      await settled(CustomKeyStoreId);
      await perform('DeleteCustomKeyStore', { CustomKeyStoreId });
      return material;
    };
    await expect(perform('CreateKey', { Origin: 'AWS_CLOUDHSM', CustomKeyStoreId })).rejects.toMatchObject({
      code: 'CustomKeyStoreNotFoundException',
    });
    expect([keyStore.objects.size, store.countKeys(callerOf()), store.intents().length]).toEqual([0, 0, 0]);
  });

  test('seals nothing any more when its store is disconnected while a data key is made', async () => {
    const { perform, keyStore, connected, settled } = openCustomKeyStoreFixture();
    const CustomKeyStoreId = await connected();
    const { KeyId, Arn } = (await perform('CreateKey', { Origin: 'AWS_CLOUDHSM', CustomKeyStoreId })).KeyMetadata;
    const random = keyStore.random.bind(keyStore);
    keyStore.random = async (lengthBytes) => {
      await perform('DisconnectCustomKeyStore', { CustomKeyStoreId });
      await settled(CustomKeyStoreId);
      return random(lengthBytes);
    };
    const unavailable = refusal('KMSInvalidStateException', `${Arn} is unavailable.`);
    await expect(perform('GenerateDataKey', { KeyId, KeySpec: 'AES_256' })).rejects.toMatchObject(unavailable);
    expect(keyStore.callsOf('encrypt')).toHaveLength(0);
  });

  test('many made at once are all recorded', async () => {
    const { perform, connected, store } = openCustomKeyStoreFixture();
    const CustomKeyStoreId = await connected();
    await Promise.all(Array.from({ length: 20 }, () => perform('CreateKey', { Origin: 'AWS_CLOUDHSM', CustomKeyStoreId })));
    expect(store.countKeys(callerOf())).toBe(20);
  });

  test.each([
    ['an origin without a store', { Origin: 'AWS_CLOUDHSM' }, 'ValidationException'],
    ['a store without its origin', { CustomKeyStoreId: 'cks-1' }, 'ValidationException'],
    ['an external key of another origin', { XksKeyId: 'key-1' }, 'ValidationException'],
    ['no external key', { Origin: 'EXTERNAL_KEY_STORE', CustomKeyStoreId: 'cks-1' }, 'ValidationException'],
    [
      'an HMAC key',
      { Origin: 'AWS_CLOUDHSM', CustomKeyStoreId: 'cks-1', KeySpec: 'HMAC_256', KeyUsage: 'GENERATE_VERIFY_MAC' },
      'UnsupportedOperationException',
    ],
    ['a multi-Region key', { Origin: 'AWS_CLOUDHSM', CustomKeyStoreId: 'cks-1', MultiRegion: true }, 'UnsupportedOperationException'],
    ['an unknown store', { Origin: 'AWS_CLOUDHSM', CustomKeyStoreId: 'cks-1' }, 'CustomKeyStoreNotFoundException'],
  ])('CreateKey refuses %s', async (_name, input, code) => {
    const { perform } = openCustomKeyStoreFixture();
    await expect(perform('CreateKey', input)).rejects.toMatchObject({ code });
  });

  test('does not go to a store of another type, nor to an external one, which is never connected; that gives no random bytes either', async () => {
    const { perform, connected } = openCustomKeyStoreFixture();
    const hsm = await connected();
    const { CustomKeyStoreId } = await perform('CreateCustomKeyStore', proxy);
    const external = { Origin: 'EXTERNAL_KEY_STORE', XksKeyId: 'key-1' };
    const unsupported = { code: 'UnsupportedOperationException' };
    await expect(perform('CreateKey', { ...external, CustomKeyStoreId: hsm })).rejects.toMatchObject(unsupported);
    await expect(perform('CreateKey', { Origin: 'AWS_CLOUDHSM', CustomKeyStoreId })).rejects.toMatchObject(unsupported);
    await expect(perform('CreateKey', { ...external, CustomKeyStoreId })).rejects.toMatchObject({
      code: 'CustomKeyStoreInvalidStateException',
    });
    await expect(perform('GenerateRandom', { NumberOfBytes: 5, CustomKeyStoreId })).rejects.toMatchObject(unsupported);
  });
});

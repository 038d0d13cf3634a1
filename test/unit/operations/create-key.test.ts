/** CreateKey: what it refuses and in which words, and what a failure at each step leaves behind. */
import { describe, expect, test } from 'vitest';
import { KeyStoreError } from '../../../src/keystore/keystore.ts';
import { StoreConflictError, StoreUnavailableError } from '../../../src/store/store.ts';
import { openFixture, refusal } from '../../support/kms-fixture.ts';

describe('CreateKey refuses', () => {
  test.each([
    [
      { KeySpec: 'RSA_2048' },
      'ValidationException',
      'You must specify a KeyUsage value for all KMS keys except for symmetric encryption keys.',
    ],
    [
      { KeySpec: 'RSA_2048', KeyUsage: 'KEY_AGREEMENT' },
      'ValidationException',
      'KeyUsage KEY_AGREEMENT is not compatible with KeySpec RSA_2048',
    ],
    [
      { KeySpec: 'HMAC_256', CustomerMasterKeySpec: 'HMAC_256', KeyUsage: 'GENERATE_VERIFY_MAC' },
      'ValidationException',
      'You cannot specify KeySpec and CustomerMasterKeySpec in the same request. CustomerMasterKeySpec is deprecated.',
    ],
    [
      {
        Tags: [
          { TagKey: 'a', TagValue: '' },
          { TagKey: 'a', TagValue: '' },
        ],
      },
      'TagException',
      'Duplicate tag keys',
    ],
    [{ Policy: '{"Statement":' }, 'MalformedPolicyDocumentException', 'The policy is not valid JSON.'],
    [
      { Policy: `{"Statement":[]${' '.repeat(32_768)}}` },
      'LimitExceededException',
      'The key policy is longer than the limit of 32768 bytes.',
    ],
    [
      { KeySpec: 'RSA_2048', KeyUsage: 'SIGN_VERIFY' },
      'UnsupportedOperationException',
      'The key store main cannot hold keys of spec RSA_2048.',
    ],
    [
      { Origin: 'EXTERNAL', KeySpec: 'ML_DSA_44', KeyUsage: 'SIGN_VERIFY' },
      'UnsupportedOperationException',
      'Key material cannot be imported into keys of spec ML_DSA_44.',
    ],
    [
      { Origin: 'AWS_CLOUDHSM', CustomKeyStoreId: 'cks-1' },
      'CustomKeyStoreNotFoundException',
      'Custom key store cks-1 does not exist.',
    ],
    [
      { MultiRegion: true },
      'UnsupportedOperationException',
      'The key store main does not replicate key material, as multi-Region keys need it.',
    ],
  ])('%j', async (input, code, text) => {
    const { perform, store, keyStore } = openFixture();
    await expect(perform('CreateKey', input)).rejects.toMatchObject(refusal(code, text));
    expect([...store.allKeys(), ...store.intents(), ...keyStore.calls]).toEqual([]);
  });

  test('a Region that no key store serves', async () => {
    const { perform } = openFixture();
    await expect(perform('CreateKey', {}, { region: 'ap-south-1' })).rejects.toMatchObject({ code: 'UnsupportedOperationException' });
  });

  test('the 100,001st key of an account and Region', async () => {
    const { perform, store } = openFixture();
    store.countKeys = () => 100_000;
    await expect(perform('CreateKey')).rejects.toMatchObject({ code: 'LimitExceededException' });
    store.countKeys = () => 99_999;
    await expect(perform('CreateKey')).resolves.toBeDefined();
  });
});

describe('CreateKey', () => {
  test('accepts CustomerMasterKeySpec and false MultiRegion, keeps the policy that it is given and makes one otherwise', async () => {
    const { createKey, store, caller } = openFixture();
    const policy = '{"Version":"2012-10-17","Statement":[]}';
    const own = await createKey({ CustomerMasterKeySpec: 'SYMMETRIC_DEFAULT', MultiRegion: false, Policy: policy });
    const standard = await createKey();
    expect(store.key(caller, own.KeyId)?.policy).toBe(policy);
    expect(store.key(caller, standard.KeyId)?.policy).toContain('Enable IAM User Permissions');
  });

  test('names the token object in an intent before it touches the key store, and ends the intent with the record', async () => {
    const { createKey, store, keyStore } = openFixture();
    const create = keyStore.createMaterial.bind(keyStore);
    let intentAtCreation: unknown;
    keyStore.createMaterial = async (request) => {
      intentAtCreation = { ...store.intents()[0], same: Buffer.compare(store.intents()[0]!.objectId, request.objectId) === 0 };
      return create(request);
    };
    const { KeyId } = await createKey();
    expect(intentAtCreation).toMatchObject({ kind: 'create-material', keyId: KeyId, keyStore: 'main', owner: 'process-1', same: true });
    expect(store.intents()).toEqual([]);
  });

  test('touches no key store when the intent cannot be written', async () => {
    const { perform, store, keyStore } = openFixture();
    store.failCommit(new StoreUnavailableError('disk full'));
    await expect(perform('CreateKey')).rejects.toMatchObject({ code: 'KMSInternalException' });
    expect(keyStore.calls).toEqual([]);
  });

  test('writes no intent while the key store is known to be away', async () => {
    const { perform, store, keyStore } = openFixture();
    keyStore.state = 'unavailable';
    await expect(perform('CreateKey')).rejects.toMatchObject({ code: 'KeyUnavailableException' });
    expect(store.generation).toBe(0);
  });

  test.each([
    ['unsupported', 'UnsupportedOperationException', 0],
    ['refused', 'UnsupportedOperationException', 0],
    ['timeout', 'DependencyTimeoutException', 1],
    ['unavailable', 'KeyUnavailableException', 1],
    ['internal', 'KMSInternalException', 1],
  ] as const)('a key store that answers %s gives %s and leaves %d intents', async (kind, code, intents) => {
    const { perform, store, keyStore } = openFixture();
    keyStore.failNext('createMaterial', new KeyStoreError(kind, 'the reason'));
    await expect(perform('CreateKey')).rejects.toMatchObject({ code });
    expect(store.intents()).toHaveLength(intents);
    expect([...store.allKeys()]).toEqual([]);
  });

  test.each([new StoreUnavailableError('disk full'), new StoreConflictError('taken over')])(
    'the object is destroyed at once when the record is surely not written (%s), and the intent stays',
    async (failure) => {
      const { perform, store, keyStore } = openFixture();
      store.failCommit(failure, { afterCommits: 1 });
      await expect(perform('CreateKey')).rejects.toMatchObject({ code: 'KMSInternalException' });
      expect(keyStore.objects.size).toBe(0);
      expect(store.intents()).toHaveLength(1);
    },
  );

  test.each([new Error('connection lost'), new StoreUnavailableError('the disk gives no answer', { mayHaveApplied: true })])(
    'nothing is destroyed when the record may have been written (%s)',
    async (failure) => {
      const { perform, store, keyStore } = openFixture();
      store.failCommit(failure, { afterCommits: 1, tookEffect: true });
      await expect(perform('CreateKey')).rejects.toMatchObject({ code: 'KMSInternalException' });
      expect([keyStore.objects.size, store.intents().length]).toEqual([1, 0]);
    },
  );

  test('an internal failure does not tell the caller what happened', async () => {
    const { perform, store } = openFixture();
    store.failCommit(new Error('/var/lib/hsm-kms/store.db is gone'));
    await expect(perform('CreateKey')).rejects.toMatchObject(
      refusal('KMSInternalException', 'The request was rejected because an internal exception occurred. The request can be retried.'),
    );
  });
});

/** Parameters for imports: which are given, how long they live, what a failure at each step leaves behind. */
import { randomBytes } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { KeyStoreError } from '../../../src/keystore/keystore.ts';
import { intentLeaseMs } from '../../../src/operations/intents.ts';
import { StoreUnavailableError } from '../../../src/store/store.ts';
import { fakeWrapped } from '../../support/fake-key-store.ts';
import { forever, openImports } from '../../support/import-fixture.ts';
import { base64, refusal } from '../../support/kms-fixture.ts';

const DAY_MS = 86_400_000;
const INVALID_TOKEN = 'The request was rejected because the provided import token is invalid or is associated with a different KMS key.';
const EXPIRED_TOKEN =
  'The request was rejected because the specified import token is expired. Use GetParametersForImport to get a new import token and public key, use the new public key to encrypt the key material, and then try the request again.';

describe('GetParametersForImport', () => {
  test('gives a token and a public key that are valid for 24 hours, others at every call', async () => {
    const { parameters, Arn, clock } = await openImports();
    const [first, second] = [await parameters(), await parameters()];
    expect(first).toMatchObject({ KeyId: Arn, ParametersValidTo: new Date(clock.nowMs() + DAY_MS) });
    expect([base64(first.ImportToken), base64(first.PublicKey)]).not.toContain(base64(second.ImportToken));
    expect(base64(first.PublicKey)).not.toBe(base64(second.PublicKey));
  });

  test.each([
    ['RSAES_PKCS1_V1_5', 'RSA_2048', 'The wrapping algorithm RSAES_PKCS1_V1_5 is not supported.'],
    ['SM2PKE', 'SM2', 'The wrapping algorithm SM2PKE is not valid for key material of spec SYMMETRIC_DEFAULT.'],
    ['SM2PKE', 'RSA_2048', 'The wrapping key spec RSA_2048 is not valid for the wrapping algorithm SM2PKE.'],
    ['RSAES_OAEP_SHA_256', 'SM2', 'The wrapping key spec SM2 is not valid for the wrapping algorithm RSAES_OAEP_SHA_256.'],
    [
      'RSA_AES_KEY_WRAP_SHA_256',
      'RSA_4096',
      'The wrapping algorithm RSA_AES_KEY_WRAP_SHA_256 is not valid for key material of spec SYMMETRIC_DEFAULT.',
    ],
  ])('refuses %s with %s for a symmetric key', async (WrappingAlgorithm, WrappingKeySpec, text) => {
    const { perform, KeyId, keyStore } = await openImports();
    await expect(perform('GetParametersForImport', { KeyId, WrappingAlgorithm, WrappingKeySpec })).rejects.toMatchObject(
      refusal('UnsupportedOperationException', text),
    );
    expect(keyStore.calls).toEqual([]);
  });

  test('refuses a key of another origin', async () => {
    const { createKey, parameters } = await openImports();
    const { KeyId, Arn } = await createKey();
    await expect(parameters(KeyId)).rejects.toMatchObject(
      refusal('UnsupportedOperationException', `${Arn} origin is AWS_KMS which is not valid for this operation.`),
    );
  });

  test('gives at most 100 sets of one key at a time', async () => {
    const { parameters, clock, sweep, Arn } = await openImports();
    for (let sets = 0; sets < 100; sets += 1) await parameters();
    await expect(parameters()).rejects.toMatchObject({ code: 'LimitExceededException', publicMessage: expect.stringContaining(Arn) });
    clock.advance(DAY_MS);
    await sweep();
    await expect(parameters()).resolves.toBeDefined();
  });

  test('leaves nothing when its record surely was not written, and an intent that names the object when the key store timed out', async () => {
    const { parameters, store, keyStore, clock, sweep } = await openImports();
    store.failCommit(new StoreUnavailableError('disk full'), { afterCommits: 1 });
    await expect(parameters()).rejects.toMatchObject({ code: 'KMSInternalException' });
    expect(keyStore.objects.size).toBe(0);
    keyStore.failNext('createImportKey', new KeyStoreError('timeout', 'slow'));
    await expect(parameters()).rejects.toMatchObject({ code: 'DependencyTimeoutException' });
    expect([keyStore.objects.size, store.intents().length]).toEqual([1, 2]);
    clock.advance(intentLeaseMs + 1);
    await sweep();
    expect([keyStore.objects.size, store.intents().length]).toEqual([0, 0]);
  });

  test('keeps its wrapping key when the record was written although the store said otherwise', async () => {
    const { parameters, store, keyStore, clock, sweep, KeyId } = await openImports();
    store.failCommit(new StoreUnavailableError('no answer', { mayHaveApplied: true }), { afterCommits: 1, tookEffect: true });
    await expect(parameters(KeyId)).rejects.toMatchObject({ code: 'KMSInternalException' });
    clock.advance(intentLeaseMs + 1);
    await sweep();
    expect([keyStore.objects.size, store.intents().length]).toEqual([1, 0]);
  });
});

describe('an import token', () => {
  test.each([
    ['of nothing', () => Buffer.alloc(1)],
    ['that is cut off', (token: Buffer) => token.subarray(0, -1)],
    ['with another name', (token: Buffer) => Buffer.from(token).fill(token[3]! ^ 1, 3, 4)],
    ['with a later end', (token: Buffer) => Buffer.from(token).fill(token[24]! ^ 0x80, 24, 25)],
    ['with a far later end', (token: Buffer) => Buffer.from(token).fill(0xff, 17, 25)],
  ])('%s is invalid', async (_, alter) => {
    const { parameters, perform, KeyId, store } = await openImports();
    const { ImportToken, PublicKey } = await parameters();
    const input = { KeyId, EncryptedKeyMaterial: base64(fakeWrapped(PublicKey, randomBytes(32))), ...forever };
    await expect(perform('ImportKeyMaterial', { ...input, ImportToken: base64(alter(Buffer.from(ImportToken))) })).rejects.toMatchObject(
      refusal('InvalidImportTokenException', INVALID_TOKEN),
    );
    expect(store.intents()).toEqual([]);
  });

  test('of another key is invalid', async () => {
    const { parameters, perform, createKey, KeyId } = await openImports();
    const other = await createKey({ Origin: 'EXTERNAL' });
    const { ImportToken, PublicKey } = await parameters(other.KeyId);
    const input = {
      KeyId,
      ImportToken: base64(ImportToken),
      EncryptedKeyMaterial: base64(fakeWrapped(PublicKey, randomBytes(32))),
      ...forever,
    };
    await expect(perform('ImportKeyMaterial', input)).rejects.toMatchObject(refusal('InvalidImportTokenException', INVALID_TOKEN));
  });

  test('serves several imports and works to the last millisecond of its 24 hours, whether its set was swept or not', async () => {
    const { parameters, perform, KeyId, clock, sweep, store, keyStore, Arn } = await openImports();
    const { ImportToken, PublicKey } = await parameters();
    const EncryptedKeyMaterial = base64(fakeWrapped(PublicKey, randomBytes(32)));
    const importAgain = (): Promise<unknown> =>
      perform('ImportKeyMaterial', { KeyId, ImportToken: base64(ImportToken), EncryptedKeyMaterial, ...forever });
    await importAgain();
    clock.advance(DAY_MS - 1);
    await sweep();
    await importAgain();
    clock.advance(1);
    await expect(importAgain()).rejects.toMatchObject(refusal('ExpiredImportTokenException', EXPIRED_TOKEN));
    expect(store.countItems('import-parameters', Arn)).toBe(1);
    await sweep();
    await expect(importAgain()).rejects.toMatchObject(refusal('ExpiredImportTokenException', EXPIRED_TOKEN));
    expect([store.countItems('import-parameters', Arn), keyStore.callsOf('destroyImportKey').length]).toEqual([0, 1]);
  });

  test('loses its set only when the wrapping key is destroyed', async () => {
    const { parameters, clock, sweep, store, keyStore, Arn } = await openImports();
    await parameters();
    clock.advance(DAY_MS);
    keyStore.failNext('destroyImportKey', new KeyStoreError('unavailable', 'away'));
    await sweep();
    expect([store.countItems('import-parameters', Arn), keyStore.objects.size]).toEqual([1, 1]);
    await sweep();
    expect([store.countItems('import-parameters', Arn), keyStore.objects.size]).toEqual([0, 0]);
  });
});

/** The order of checks, and the exact refusals that every operation shares (kms-api.md 2.5, 5.4, 10.1). */
import { describe, expect, test } from 'vitest';
import { apiOperations } from '../../../src/api/model.ts';
import { KmsError } from '../../../src/errors.ts';
import { KeyStoreError } from '../../../src/keystore/keystore.ts';
import { Pipeline } from '../../../src/operations/pipeline.ts';
import { defineOperation } from '../../../src/operations/operation.ts';
import { operations } from '../../../src/operations/registry.ts';
import { base64, callerOf, openFixture, refusal } from '../../support/kms-fixture.ts';
import { keyIdOf, keyOf } from '../../support/store-records.ts';
import type { Log } from '../../../src/log.ts';

const Plaintext = base64('x');
const UNKNOWN = '1234abcd-12ab-34cd-56ef-1234567890ab';

describe('naming a key', () => {
  test.each([
    ['fake-key-id', 'NotFoundException', "Invalid keyId 'fake-key-id'"],
    ['mrk-fake', 'NotFoundException', "Invalid keyId 'mrk-fake'"],
    ['1234abcd12ab34cd56ef1234567890ab', 'NotFoundException', "Invalid keyId '1234abcd12ab34cd56ef1234567890ab'"],
    [UNKNOWN, 'NotFoundException', `Key 'arn:aws:kms:eu-central-1:111122223333:key/${UNKNOWN}' does not exist`],
    [
      `arn:aws:kms:eu-central-1:111122223333:key/${UNKNOWN}`,
      'NotFoundException',
      `Key 'arn:aws:kms:eu-central-1:111122223333:key/${UNKNOWN}' does not exist`,
    ],
    [`arn:aws:kms:us-west-2:111122223333:key/${UNKNOWN}`, 'NotFoundException', 'Invalid arn us-west-2'],
    ['alias/none', 'NotFoundException', 'Alias arn:aws:kms:eu-central-1:111122223333:alias/none is not found.'],
    [
      'arn:aws:kms:eu-central-1:111122223333:alias/none',
      'NotFoundException',
      'Alias arn:aws:kms:eu-central-1:111122223333:alias/none is not found.',
    ],
    ['arn:aws:kms:eu-central-1', 'InvalidArnException', 'Invalid arn arn:aws:kms:eu-central-1'],
  ])('%s is %s', async (KeyId, code, text) => {
    const { perform } = openFixture();
    await expect(perform('Encrypt', { KeyId, Plaintext })).rejects.toMatchObject(refusal(code, text));
  });

  test.each([
    ['alias/app', 'NotFoundException', "Invalid keyId 'alias/app'"],
    ['arn:aws:kms:eu-central-1:111122223333:alias/app', 'InvalidArnException', 'Key Aliases are not supported for this operation'],
  ])('%s does not name a key where only ids are taken, even if the alias exists', async (KeyId, code, text) => {
    const { perform, createKey } = openFixture();
    await perform('CreateAlias', { AliasName: 'alias/app', TargetKeyId: (await createKey()).KeyId });
    await expect(perform('DisableKey', { KeyId })).rejects.toMatchObject(refusal(code, text));
  });

  test('a key of another account is denied in the same words whether or not it exists', async () => {
    const { perform, store } = openFixture();
    const foreign = '999988887777';
    await store.commit([{ kind: 'put-key', record: keyOf(1, { account: foreign }), replacesVersion: 0 }]);
    const denied = refusal(
      'AccessDeniedException',
      'User: arn:aws:iam::111122223333:user/alice is not authorized to perform: kms:Encrypt on this resource because the resource does not ' +
        'exist in this Region, no resource-based policies allow access, or a resource-based policy explicitly denies access',
    );
    for (const keyId of [keyIdOf(1), UNKNOWN]) {
      const KeyId = `arn:aws:kms:eu-central-1:${foreign}:key/${keyId}`;
      await expect(perform('Encrypt', { KeyId, Plaintext })).rejects.toMatchObject(denied);
    }
    const alias = `arn:aws:kms:eu-central-1:${foreign}:alias/app`;
    await expect(perform('Encrypt', { KeyId: alias, Plaintext })).rejects.toMatchObject(denied);
  });
});

describe('the order of checks', () => {
  test('shape before keys, keys before state, state before usage, usage before algorithm, all before a dry run', async () => {
    const { perform, store, keyStore } = openFixture();
    const input = { KeyId: keyIdOf(1), Plaintext: '', EncryptionAlgorithm: 'SM2PKE', DryRun: true };
    const attempt = async (more: object): Promise<unknown> => perform('Encrypt', { ...input, ...more });
    await expect(attempt({})).rejects.toMatchObject({ code: 'ValidationException' });
    await expect(attempt({ Plaintext })).rejects.toMatchObject({ code: 'NotFoundException' });
    const rsa = { keySpec: 'RSA_2048', keyUsage: 'SIGN_VERIFY' } as const;
    await store.commit([{ kind: 'put-key', record: keyOf(1, { ...rsa, state: 'Disabled' }), replacesVersion: 0 }]);
    await expect(attempt({ Plaintext })).rejects.toMatchObject({ code: 'DisabledException' });
    await store.commit([{ kind: 'put-key', record: keyOf(1, { ...rsa, version: 2 }), replacesVersion: 1 }]);
    await expect(attempt({ Plaintext })).rejects.toMatchObject(
      refusal(
        'InvalidKeyUsageException',
        `arn:aws:kms:eu-central-1:111122223333:key/${keyIdOf(1)} key usage is SIGN_VERIFY which is not valid for Encrypt.`,
      ),
    );
    await store.commit([{ kind: 'put-key', record: keyOf(1, { version: 3 }), replacesVersion: 2 }]);
    await expect(attempt({ Plaintext })).rejects.toMatchObject(
      refusal('InvalidKeyUsageException', 'Algorithm SM2PKE is incompatible with key spec SYMMETRIC_DEFAULT.'),
    );
    await expect(attempt({ Plaintext, EncryptionAlgorithm: 'SYMMETRIC_DEFAULT' })).rejects.toMatchObject(
      refusal('DryRunOperationException', 'The request would have succeeded, but the DryRun option is set.'),
    );
    expect(keyStore.calls).toEqual([]);
  });

  test.each(operations.map((operation) => operation.name))('%s checks the shape of its input before anything else', async (name) => {
    const { perform, store, keyStore } = openFixture();
    await expect(perform(name, [])).rejects.toMatchObject({ code: 'SerializationException' });
    expect([store.generation, keyStore.calls.length]).toEqual([0, 0]);
  });
});

describe('failures below the API', () => {
  test.each([
    ['unavailable', 'KeyUnavailableException', expect.any(String)],
    ['timeout', 'DependencyTimeoutException', expect.any(String)],
    ['invalid-ciphertext', 'InvalidCiphertextException', undefined],
    ['unsupported', 'UnsupportedOperationException', 'the reason'],
    ['refused', 'UnsupportedOperationException', 'the reason'],
    ['exhausted', 'LimitExceededException', 'the reason'],
    ['material-missing', 'KeyUnavailableException', expect.not.stringContaining('the reason')],
    ['internal', 'KMSInternalException', expect.not.stringContaining('the reason')],
  ] as const)('a key store that says %s becomes %s', async (kind, code, publicMessage) => {
    const { perform, createKey, keyStore } = openFixture();
    const { KeyId } = await createKey();
    keyStore.failNext('encrypt', new KeyStoreError(kind, 'the reason'));
    await expect(perform('Encrypt', { KeyId, Plaintext })).rejects.toMatchObject({ code, publicMessage });
  });

  test('anything unknown becomes KMSInternalException, and its cause goes to the log with the request id', async () => {
    const { parts } = openFixture();
    const logged: object[] = [];
    const log: Log = { ...parts.log, error: (fields) => logged.push(fields) };
    const cause = new Error('boom');
    const broken = defineOperation<object>({
      name: 'ListKeys',
      action: 'ListKeys',
      keys: [],
      perform: () => {
        throw cause;
      },
    });
    const pipeline = new Pipeline({ ...parts, log }, [broken]);
    await expect(pipeline.perform('ListKeys', {}, callerOf())).rejects.toMatchObject({ code: 'KMSInternalException' });
    expect(logged).toEqual([{ operation: 'ListKeys', requestId: callerOf().requestId, code: 'KMSInternalException', err: cause }]);
  });

  test('a refusal is not logged as a failure', async () => {
    const { parts } = openFixture();
    const logged: object[] = [];
    const pipeline = new Pipeline({ ...parts, log: { ...parts.log, error: (fields) => logged.push(fields) } }, operations);
    await expect(pipeline.perform('DescribeKey', { KeyId: 'x' }, callerOf())).rejects.toBeInstanceOf(KmsError);
    expect(logged).toEqual([]);
  });
});

describe('the registry', () => {
  test('has each operation once, all of them operations of the API', () => {
    const names = operations.map((operation) => operation.name);
    expect(new Set(names).size).toBe(names.length);
    expect(names.every((name) => apiOperations.has(name))).toBe(true);
  });

  test('names no input member that the API does not have', () => {
    for (const operation of operations) {
      const members = apiOperations.get(operation.name)?.input ?? {};
      for (const reference of operation.keys) {
        expect(members[reference.member]?.required === true, `${operation.name}.${reference.member}`).toBe(reference.optional !== true);
      }
    }
  });

  test('an operation that is not in it is unknown, whatever its input', async () => {
    const { kms, perform } = openFixture();
    for (const name of ['DropAllKeys', 'constructor', '']) {
      expect(kms.has(name)).toBe(false);
      await expect(perform(name, { KeyId: 5 })).rejects.toMatchObject(refusal('UnknownOperationException', undefined));
    }
  });

  test('an operation that the API does not have is refused when the service opens', () => {
    const { parts } = openFixture();
    const invented = defineOperation<object>({ name: 'DropAllKeys', action: 'DropAllKeys', keys: [], perform: () => undefined });
    expect(() => new Pipeline(parts, [invented])).toThrow(RangeError);
  });
});

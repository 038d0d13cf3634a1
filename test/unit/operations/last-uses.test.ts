/** GetKeyLastUsage: which calls count, what is told of them, and what becomes of the notes in memory. */
import { describe, expect, test } from 'vitest';
import { StoreUnavailableError } from '../../../src/store/store.ts';
import { LastUses } from '../../../src/operations/last-uses.ts';
import { finishDestruction } from '../../../src/operations/sweeps/destroy-key.ts';
import { runSweeps } from '../../../src/operations/sweeps/run-sweeps.ts';
import { base64, openFixture } from '../../support/kms-fixture.ts';

const Plaintext = base64('x');
const firstRequest = '11111111-1111-4111-8111-111111111111';
const lastRequest = '22222222-2222-4222-8222-222222222222';
const noTime = { wallMs: 0, runningMs: 0 };

describe('GetKeyLastUsage', () => {
  test('tells of no use with an empty object, and since when uses are noted', async () => {
    const { perform, createKey, clock } = openFixture();
    clock.advance(5_000);
    const { KeyId, Arn } = await createKey();
    const created = new Date(clock.nowMs());
    clock.advance(1_000);
    const answer = { KeyId, KeyLastUsage: {}, TrackingStartDate: created, KeyCreationDate: created };
    for (const name of [KeyId, Arn]) expect(await perform('GetKeyLastUsage', { KeyId: name })).toEqual(answer);
    await expect(perform('GetKeyLastUsage', { KeyId: 'alias/a' })).rejects.toMatchObject({ code: 'NotFoundException' });
  });

  test('tells the newest successful cryptographic call, before and after it is written', async () => {
    const { perform, createKey, clock, parts } = openFixture();
    const { KeyId } = await createKey();
    await perform('Encrypt', { KeyId, Plaintext }, { requestId: firstRequest });
    clock.advance(1_000);
    await perform('GenerateDataKey', { KeyId, KeySpec: 'AES_256' }, { requestId: lastRequest });
    const KeyLastUsage = { Operation: 'GenerateDataKey', Timestamp: new Date(clock.nowMs()), KmsRequestId: lastRequest };
    clock.advance(1_000);
    expect(await perform('GetKeyLastUsage', { KeyId })).toMatchObject({ KeyLastUsage });
    await runSweeps(parts, noTime);
    expect(await perform('GetKeyLastUsage', { KeyId })).toMatchObject({ KeyLastUsage });
    const restarted = new LastUses(clock.nowMs());
    expect(
      restarted.lastUse({ ...parts, partition: 'aws', account: '111122223333', region: 'eu-central-1', keyId: KeyId }, parts.store),
    ).toEqual({
      operation: 'GenerateDataKey',
      atMs: KeyLastUsage.Timestamp.getTime(),
      requestId: lastRequest,
    });
  });

  test('counts no refused call, no dry run and no management call', async () => {
    const { perform, createKey } = openFixture();
    const { KeyId } = await createKey();
    const { CiphertextBlob } = await perform('Encrypt', { KeyId, Plaintext }, { requestId: firstRequest });
    const EncryptionContext = { a: 'wrong' };
    await expect(perform('Decrypt', { CiphertextBlob: base64(CiphertextBlob), EncryptionContext })).rejects.toThrow();
    await expect(perform('Encrypt', { KeyId, Plaintext, DryRun: true })).rejects.toThrow();
    await perform('DescribeKey', { KeyId });
    await perform('TagResource', { KeyId, Tags: [{ TagKey: 'a', TagValue: '' }] });
    const { KeyLastUsage } = await perform('GetKeyLastUsage', { KeyId });
    expect(KeyLastUsage).toMatchObject({ Operation: 'Encrypt', KmsRequestId: firstRequest });
  });

  test('ReEncrypt is a use of both keys', async () => {
    const { perform, createKey } = openFixture();
    const [source, destination] = [await createKey(), await createKey()];
    const { CiphertextBlob } = await perform('Encrypt', { KeyId: source.KeyId, Plaintext });
    await perform('ReEncrypt', { CiphertextBlob: base64(CiphertextBlob), DestinationKeyId: destination.KeyId });
    for (const { KeyId } of [source, destination]) {
      expect(await perform('GetKeyLastUsage', { KeyId })).toMatchObject({ KeyLastUsage: { Operation: 'ReEncrypt' } });
    }
  });
});

describe('the notes', () => {
  test('stay when the store cannot write, and a newer one is not lost to an older one', async () => {
    const { perform, createKey, clock, parts, store } = openFixture();
    const { KeyId } = await createKey();
    await runSweeps(parts, noTime);
    await perform('Encrypt', { KeyId, Plaintext }, { requestId: firstRequest });
    store.failCommit(new StoreUnavailableError('disk full'));
    await expect(parts.lastUses.write(store)).rejects.toThrow('disk full');
    expect(await perform('GetKeyLastUsage', { KeyId })).toMatchObject({ KeyLastUsage: { KmsRequestId: firstRequest } });
    clock.advance(1);
    const commit = store.commit.bind(store);
    store.commit = async (changes) => {
      store.commit = commit;
      await perform('Encrypt', { KeyId, Plaintext }, { requestId: lastRequest });
      throw new StoreUnavailableError(`disk full at ${changes.length}`);
    };
    await expect(parts.lastUses.write(store)).rejects.toThrow('disk full');
    await parts.lastUses.write(store);
    expect(await perform('GetKeyLastUsage', { KeyId })).toMatchObject({ KeyLastUsage: { KmsRequestId: lastRequest } });
    expect([...store.allItems('last-use')]).toHaveLength(1);
  });

  test('of 1,200 keys are written in portions; nothing is written again that is written', async () => {
    const { perform, createKey, parts, store } = openFixture();
    for (let made = 0; made < 1_200; made += 1) await perform('Encrypt', { KeyId: (await createKey()).KeyId, Plaintext });
    const sizes: number[] = [];
    const commit = store.commit.bind(store);
    store.commit = (changes) => {
      sizes.push(changes.length);
      return commit(changes);
    };
    await parts.lastUses.write(store);
    await parts.lastUses.write(store);
    expect(sizes).toEqual([500, 500, 200]);
  });

  test('go with their key', async () => {
    const { perform, createKey, parts, store, caller } = openFixture();
    const { KeyId } = await createKey();
    await perform('Encrypt', { KeyId, Plaintext });
    await parts.lastUses.write(store);
    await perform('Encrypt', { KeyId, Plaintext });
    await finishDestruction(store.key(caller, KeyId)!, parts);
    await parts.lastUses.write(store);
    expect([...store.allItems('last-use')]).toEqual([]);
  });
});

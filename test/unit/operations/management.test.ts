/** Aliases, states, tags and listings: limits, races between requests, and what must be done before the answer. */
import { describe, expect, test } from 'vitest';
import { KeyStoreError } from '../../../src/keystore/keystore.ts';
import { openFixture, refusal } from '../../support/kms-fixture.ts';
import { aliasOf, keyIdOf, keyOf } from '../../support/store-records.ts';

const DAY_MS = 86_400_000;

describe('DisableKey and ScheduleKeyDeletion', () => {
  test.each([
    ['DisableKey', 'Disabled'],
    ['ScheduleKeyDeletion', 'PendingDeletion'],
  ])('%s is recorded first, and answered only when every session object is gone', async (operation, state) => {
    const { perform, createKey, keyStore, store, caller } = openFixture();
    const { KeyId, CurrentKeyMaterialId } = await createKey();
    let stateWhenForgotten: string | undefined;
    let acknowledge: (() => void) | undefined;
    keyStore.forget = async (materialId) => {
      stateWhenForgotten = `${materialId} ${store.key(caller, KeyId)?.state}`;
      await new Promise<void>((resolve) => {
        acknowledge = resolve;
      });
    };
    let answered = false;
    const answer = perform(operation, { KeyId }).then(() => {
      answered = true;
    });
    await new Promise((resolve) => setImmediate(resolve));
    expect([stateWhenForgotten, answered]).toEqual([`${CurrentKeyMaterialId} ${state}`, false]);
    acknowledge?.();
    await answer;
    expect(answered).toBe(true);
  });

  test('a key store that does not acknowledge is reported; the key stays disabled, and a repeated call mends it', async () => {
    const { perform, createKey, keyStore, store, caller } = openFixture();
    const { KeyId, CurrentKeyMaterialId } = await createKey();
    keyStore.failNext('forget', new KeyStoreError('unavailable', 'away'));
    await expect(perform('DisableKey', { KeyId })).rejects.toMatchObject({ code: 'KeyUnavailableException' });
    expect(store.key(caller, KeyId)?.state).toBe('Disabled');
    await perform('DisableKey', { KeyId });
    expect(keyStore.callsOf('forget')).toEqual([CurrentKeyMaterialId, CurrentKeyMaterialId]);
  });

  test('the waiting period is 30 days unless the request says 7 to 30, in both clocks', async () => {
    const { perform, createKey, store, caller, clock } = openFixture();
    const [first, second] = [await createKey(), await createKey()];
    const usual = await perform('ScheduleKeyDeletion', { KeyId: first.KeyId });
    expect(usual).toMatchObject({ PendingWindowInDays: 30, DeletionDate: new Date(clock.nowMs() + 30 * DAY_MS) });
    await perform('ScheduleKeyDeletion', { KeyId: second.KeyId, PendingWindowInDays: 7 });
    expect(store.key(caller, second.KeyId)).toMatchObject({
      deletionAtMs: clock.nowMs() + 7 * DAY_MS,
      deletionRunningMsLeft: 7 * DAY_MS,
      pendingWindowDays: 7,
    });
  });

  test.each([
    [6, 'greater than or equal to 7'],
    [31, 'less than or equal to 30'],
  ])('%d days are refused', async (days, bound) => {
    const { perform, createKey } = openFixture();
    const { KeyId } = await createKey();
    await expect(perform('ScheduleKeyDeletion', { KeyId, PendingWindowInDays: days })).rejects.toMatchObject(
      refusal(
        'ValidationException',
        `1 validation error detected: Value '${days}' at 'pendingWindowInDays' failed to satisfy constraint: Member must have value ${bound}`,
      ),
    );
  });

  test('a cancelled deletion leaves no trace of its date', async () => {
    const { perform, createKey, store, caller } = openFixture();
    const { KeyId } = await createKey();
    await perform('ScheduleKeyDeletion', { KeyId });
    await perform('CancelKeyDeletion', { KeyId });
    expect(Object.keys(store.key(caller, KeyId)!)).not.toEqual(expect.arrayContaining([expect.stringMatching(/^deletion|^pending/)]));
  });
});

describe('a change while another one happens', () => {
  test('is judged again on the newest record: nothing is lost, and a state that no longer fits is refused', async () => {
    const { perform, createKey, store, caller } = openFixture();
    const { KeyId, Arn } = await createKey();
    store.interleave(() => {
      const current = store.key(caller, KeyId)!;
      void store.commit([
        { kind: 'put-key', record: { ...current, version: 2, tags: [{ key: 'a', value: 'other writer' }] }, replacesVersion: 1 },
      ]);
    });
    await perform('TagResource', { KeyId, Tags: [{ TagKey: 'b', TagValue: 'mine' }] });
    expect(store.key(caller, KeyId)?.tags).toEqual([
      { key: 'a', value: 'other writer' },
      { key: 'b', value: 'mine' },
    ]);
    store.interleave(() => {
      const current = store.key(caller, KeyId)!;
      void store.commit([{ kind: 'put-key', record: { ...current, version: 4, state: 'PendingDeletion' }, replacesVersion: 3 }]);
    });
    await expect(perform('EnableKey', { KeyId })).rejects.toMatchObject(refusal('KMSInvalidStateException', `${Arn} is pending deletion.`));
  });
});

describe('aliases', () => {
  test('refuse what AWS refuses, in its words', async () => {
    const { perform, createKey } = openFixture();
    const { KeyId } = await createKey();
    await perform('CreateAlias', { AliasName: 'alias/a', TargetKeyId: KeyId });
    await expect(perform('CreateAlias', { AliasName: 'alias/a', TargetKeyId: KeyId })).rejects.toMatchObject(
      refusal('AlreadyExistsException', 'An alias with the name arn:aws:kms:eu-central-1:111122223333:alias/a already exists'),
    );
    await expect(perform('CreateAlias', { AliasName: 'alias/b', TargetKeyId: 'alias/a' })).rejects.toMatchObject(
      refusal('ValidationException', 'Aliases must refer to keys. Not aliases'),
    );
    await expect(perform('UpdateAlias', { AliasName: 'alias/none', TargetKeyId: KeyId })).rejects.toMatchObject(
      refusal('NotFoundException', 'Alias arn:aws:kms:eu-central-1:111122223333:alias/none is not found.'),
    );
    await expect(perform('DeleteAlias', { AliasName: 'alias/none' })).rejects.toMatchObject({ code: 'NotFoundException' });
  });

  test('go to no key that is pending deletion, and leave one freely', async () => {
    const { perform, createKey } = openFixture();
    const [dying, living] = [await createKey(), await createKey()];
    await perform('CreateAlias', { AliasName: 'alias/a', TargetKeyId: dying.KeyId });
    await perform('ScheduleKeyDeletion', { KeyId: dying.KeyId });
    const refused = refusal('KMSInvalidStateException', `${dying.Arn} is pending deletion.`);
    await expect(perform('CreateAlias', { AliasName: 'alias/b', TargetKeyId: dying.KeyId })).rejects.toMatchObject(refused);
    await perform('UpdateAlias', { AliasName: 'alias/a', TargetKeyId: living.KeyId });
    await expect(perform('UpdateAlias', { AliasName: 'alias/a', TargetKeyId: dying.KeyId })).rejects.toMatchObject(refused);
  });

  test('do not pass between keys of another family or usage', async () => {
    const { perform, createKey, store } = openFixture();
    const { KeyId } = await createKey();
    await perform('CreateAlias', { AliasName: 'alias/a', TargetKeyId: KeyId });
    const others = [
      keyOf(1, { keySpec: 'HMAC_256', keyUsage: 'GENERATE_VERIFY_MAC' }),
      keyOf(2, { keySpec: 'RSA_2048', keyUsage: 'ENCRYPT_DECRYPT' }),
    ];
    await store.commit(others.map((record) => ({ kind: 'put-key', record, replacesVersion: 0 })));
    for (const { keyId } of others) {
      await expect(perform('UpdateAlias', { AliasName: 'alias/a', TargetKeyId: keyId })).rejects.toMatchObject({
        code: 'ValidationException',
      });
    }
  });

  test('are at most 50 for a key; renewing one of the 50 is allowed', async () => {
    const { perform, store } = openFixture();
    await store.commit([
      ...[keyOf(1), keyOf(2)].map((record) => ({ kind: 'put-key', record, replacesVersion: 0 }) as const),
      ...Array.from({ length: 50 }, (_, index) => ({
        kind: 'put-alias' as const,
        record: aliasOf(`alias/a${index}`, keyIdOf(1)),
        replacesVersion: 0,
      })),
      { kind: 'put-alias', record: aliasOf('alias/z', keyIdOf(2)), replacesVersion: 0 },
    ]);
    const full = { code: 'LimitExceededException' };
    await expect(perform('CreateAlias', { AliasName: 'alias/b', TargetKeyId: keyIdOf(1) })).rejects.toMatchObject(full);
    await expect(perform('UpdateAlias', { AliasName: 'alias/z', TargetKeyId: keyIdOf(1) })).rejects.toMatchObject(full);
    await expect(perform('UpdateAlias', { AliasName: 'alias/a0', TargetKeyId: keyIdOf(1) })).resolves.toBeUndefined();
  });

  test('of one key are listed page by page; a marker serves its own listing only', async () => {
    const { perform, createKey } = openFixture();
    const { KeyId } = await createKey();
    for (const name of ['alias/c', 'alias/a', 'alias/b']) await perform('CreateAlias', { AliasName: name, TargetKeyId: KeyId });
    const first = await perform('ListAliases', { KeyId, Limit: 2 });
    expect(first.Aliases.map((alias: { AliasName: string }) => alias.AliasName)).toEqual(['alias/a', 'alias/b']);
    const second = await perform('ListAliases', { KeyId, Limit: 2, Marker: first.NextMarker });
    expect(second).toMatchObject({ Aliases: [{ AliasName: 'alias/c' }], Truncated: false });
    await expect(perform('ListAliases', { Marker: first.NextMarker })).rejects.toMatchObject({ code: 'InvalidMarkerException' });
    await expect(perform('ListAliases', { Limit: 101 })).rejects.toMatchObject({ code: 'ValidationException' });
  });
});

describe('tags', () => {
  test('are listed in order of key, page by page', async () => {
    const { perform, createKey } = openFixture();
    const { KeyId } = await createKey({ Tags: ['c', 'a', 'b'].map((TagKey) => ({ TagKey, TagValue: '' })) });
    const first = await perform('ListResourceTags', { KeyId, Limit: 2 });
    expect(first).toMatchObject({ Tags: [{ TagKey: 'a' }, { TagKey: 'b' }], Truncated: true });
    const second = await perform('ListResourceTags', { KeyId, Limit: 2, Marker: first.NextMarker });
    expect(second).toEqual({ Tags: [{ TagKey: 'c', TagValue: '' }], Truncated: false });
  });

  test('refusals say what is wrong', async () => {
    const { perform, createKey } = openFixture();
    const { KeyId } = await createKey();
    const reserved = refusal('TagException', 'Tags beginning with aws: are reserved');
    await expect(perform('TagResource', { KeyId, Tags: [{ TagKey: 'AWS:x', TagValue: '' }] })).rejects.toMatchObject(reserved);
    await expect(perform('UntagResource', { KeyId, TagKeys: ['aws:x'] })).rejects.toMatchObject(reserved);
  });
});

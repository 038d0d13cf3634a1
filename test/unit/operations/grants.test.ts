/** Grants as records: what a request may ask for, repetition by name, tokens, lists, and who may end a grant. */
import { describe, expect, test } from 'vitest';
import { grantableOperations } from '../../../src/keys/grant-record.ts';
import { grantAdded, grantsOfGrantee } from '../../../src/operations/grants/grant-items.ts';
import { finishDestruction } from '../../../src/operations/sweeps/destroy-key.ts';
import { account, base64, openFixture, refusal, region } from '../../support/kms-fixture.ts';
import { keyIdOf, keyOf } from '../../support/store-records.ts';
import type { GrantRecord } from '../../../src/keys/grant-record.ts';

const alice = `arn:aws:iam::${account}:user/alice`;
const bob = `arn:aws:iam::${account}:user/bob`;
const role = `arn:aws:iam::${account}:role/path/Worker`;
const session = `arn:aws:sts::${account}:assumed-role/Worker/job-1`;
const other = '999988887777';
const stranger = `arn:aws:iam::${other}:user/eve`;
const input = { GranteePrincipal: bob, Operations: ['Decrypt', 'Encrypt'] };
const service = {
  GranteeServicePrincipal: 'backup.amazonaws.com',
  RetiringServicePrincipal: 'backup.amazonaws.com',
  Constraints: { SourceArn: `arn:aws:backup:eu-central-1:${account}:backup-vault:blue` },
  Operations: ['Decrypt'],
};

describe('CreateGrant', () => {
  test('answers a 64-digit id and a token; the list shows what was asked for', async () => {
    const { perform, createKey, clock } = openFixture();
    const { KeyId, Arn } = await createKey();
    const Constraints = { EncryptionContextSubset: { tenant: 'blue' } };
    const made = await perform('CreateGrant', { KeyId, ...input, Name: 'jobs', RetiringPrincipal: alice, Constraints });
    expect(made.GrantId).toMatch(/^[0-9a-f]{64}$/);
    expect(made.GrantToken).toMatch(/^[A-Za-z0-9+/]+=*$/);
    expect(await perform('ListGrants', { KeyId })).toEqual({
      Grants: [
        {
          KeyId: Arn,
          GrantId: made.GrantId,
          Name: 'jobs',
          CreationDate: new Date(clock.nowMs()),
          GranteePrincipal: bob,
          RetiringPrincipal: alice,
          IssuingAccount: `arn:aws:iam::${account}:root`,
          Operations: ['Decrypt', 'Encrypt'],
          Constraints,
        },
      ],
      Truncated: false,
    });
  });

  test('a grant without a name is listed with an empty one, without constraints and retiring principal', async () => {
    const { perform, createKey } = openFixture();
    const { KeyId } = await createKey();
    await perform('CreateGrant', { KeyId, ...input, Constraints: {} });
    const { Grants } = await perform('ListGrants', { KeyId });
    expect(Grants[0].Name).toBe('');
    expect(Object.keys(Grants[0])).not.toEqual(expect.arrayContaining([expect.stringMatching(/Constraints|Retiring/)]));
  });

  test('the same named request finds its grant and gets a new token; any other request makes a new grant', async () => {
    const { perform, createKey } = openFixture();
    const { KeyId, Arn } = await createKey();
    const named = { KeyId, ...input, Name: 'jobs', Constraints: { EncryptionContextEquals: { a: '1', b: '2' } } };
    const first = await perform('CreateGrant', named);
    const reordered = { KeyId: Arn, Operations: ['Encrypt', 'Decrypt'], Constraints: { EncryptionContextEquals: { b: '2', a: '1' } } };
    const again = await perform('CreateGrant', { ...named, ...reordered });
    expect(again.GrantId).toBe(first.GrantId);
    expect(again.GrantToken).not.toBe(first.GrantToken);
    const different = [{ Name: 'other' }, { Operations: ['Decrypt'] }, { RetiringPrincipal: bob }, { GranteePrincipal: alice }];
    const others = [];
    for (const change of [...different, { Name: undefined }, { Name: undefined }])
      others.push(await perform('CreateGrant', { ...named, ...change }));
    expect(new Set([first, ...others].map(({ GrantId }) => GrantId)).size).toBe(7);
    await perform('RevokeGrant', { KeyId, GrantId: first.GrantId });
    expect((await perform('CreateGrant', named)).GrantId).not.toBe(first.GrantId);
  });

  test('two of the same named requests at once make one grant', async () => {
    const { perform, createKey } = openFixture();
    const { KeyId } = await createKey();
    const made = await Promise.all([1, 2, 3].map(() => perform('CreateGrant', { KeyId, ...input, Name: 'jobs' })));
    expect(new Set(made.map(({ GrantId }) => GrantId)).size).toBe(1);
    expect((await perform('ListGrants', { KeyId })).Grants).toHaveLength(1);
  });

  test.each([
    ['no grantee', { GranteePrincipal: undefined }],
    ['two kinds of grantee', { ...service, GranteePrincipal: bob }],
    ['two kinds of retiring principal', { RetiringPrincipal: bob, RetiringServicePrincipal: 'backup.amazonaws.com' }],
    ['no operation', { Operations: [] }],
    ['an operation of another kind of key', { Operations: ['Decrypt', 'Sign'] }],
    ['two encryption context constraints', { Constraints: { EncryptionContextEquals: { a: '1' }, EncryptionContextSubset: { a: '1' } } }],
    ['nine pairs', { Constraints: { EncryptionContextEquals: Object.fromEntries('abcdefghi'.split('').map((name) => [name, ''])) } }],
    ['a value of 385 characters', { Constraints: { EncryptionContextSubset: { a: 'x'.repeat(385) } } }],
    ['a service without SourceArn', { ...service, GranteePrincipal: undefined, Constraints: undefined }],
    ['a service without retiring principal', { ...service, GranteePrincipal: undefined, RetiringServicePrincipal: undefined }],
  ])('refuses %s', async (_name, change) => {
    const { perform, createKey } = openFixture();
    const { KeyId } = await createKey();
    await expect(perform('CreateGrant', { KeyId, ...input, ...change })).rejects.toMatchObject({ code: 'ValidationException' });
  });

  test.each(['bob', `arn:aws:iam::${account}:group/admins`, `arn:aws:s3:::bucket`, `arn:aws:iam::${account}:instance-profile/x`])(
    'refuses %s as principal',
    async (principal) => {
      const { perform, createKey } = openFixture();
      const { KeyId } = await createKey();
      const refused = refusal('InvalidArnException', `ARN does not refer to a valid principal: ${principal}`);
      await expect(perform('CreateGrant', { KeyId, ...input, GranteePrincipal: principal })).rejects.toMatchObject(refused);
      await expect(perform('CreateGrant', { KeyId, ...input, RetiringPrincipal: principal })).rejects.toMatchObject(refused);
    },
  );

  test('takes accounts, users, roles, sessions and federated users of any account, and service principals', async () => {
    const { perform, createKey } = openFixture();
    const { KeyId } = await createKey();
    const federated = `arn:aws:sts::${other}:federated-user/Bo`;
    for (const GranteePrincipal of [other, `arn:aws:iam::${other}:root`, bob, role, session, federated]) {
      await perform('CreateGrant', { KeyId, ...input, GranteePrincipal });
    }
    await perform('CreateGrant', { KeyId, ...service });
    const { Grants } = await perform('ListGrants', { KeyId, GranteePrincipal: other });
    expect(Grants.map((grant: { GranteePrincipal: string }) => grant.GranteePrincipal)).toEqual([
      `arn:aws:iam::${other}:root`,
      `arn:aws:iam::${other}:root`,
    ]);
  });

  test('is refused for a disabled key, for the 50,001st grant, and by a dry run, which makes nothing', async () => {
    const { perform, createKey, store, caller } = openFixture();
    const { KeyId, Arn } = await createKey();
    const dry = refusal('DryRunOperationException', 'The request would have succeeded, but the DryRun option is set.');
    await expect(perform('CreateGrant', { KeyId, ...input, DryRun: true })).rejects.toMatchObject(dry);
    expect((await perform('ListGrants', { KeyId })).Grants).toEqual([]);
    const key = store.key(caller, KeyId)!;
    const grants = Array.from({ length: 50_000 }, (_, index) => grantOn(key, index));
    for (let first = 0; first < grants.length; first += 500) await store.commit(grants.slice(first, first + 500).flatMap(grantAdded));
    const full = refusal('LimitExceededException', `${Arn} has 50000 grants and can have no more.`);
    await expect(perform('CreateGrant', { KeyId, ...input })).rejects.toMatchObject(full);
    await expect(perform('CreateGrant', { KeyId, ...input, DryRun: true })).rejects.toMatchObject(full);
    await perform('DisableKey', { KeyId });
    await expect(perform('CreateGrant', { KeyId, ...input })).rejects.toMatchObject(refusal('DisabledException', `${Arn} is disabled.`));
  });

  test.each([
    ['SYMMETRIC_DEFAULT', 'ENCRYPT_DECRYPT', 11],
    ['RSA_2048', 'ENCRYPT_DECRYPT', 8],
    ['ECC_NIST_P256', 'SIGN_VERIFY', 6],
    ['ECC_NIST_P256', 'KEY_AGREEMENT', 5],
    ['HMAC_256', 'GENERATE_VERIFY_MAC', 5],
    ['ML_KEM_768', 'ENCAPSULATE_DECAPSULATE', 6],
  ] as const)('on a %s key for %s permits %d operations', (keySpec, keyUsage, count) => {
    expect(new Set(grantableOperations({ keySpec, keyUsage })).size).toBe(count);
  });

  test('refuses an encryption context constraint on a key that takes none', async () => {
    const { perform, store } = openFixture();
    await store.commit([{ kind: 'put-key', record: keyOf(1, { keySpec: 'RSA_2048' }), replacesVersion: 0 }]);
    const Constraints = { EncryptionContextEquals: { a: '1' } };
    await expect(perform('CreateGrant', { KeyId: keyIdOf(1), ...input, Constraints })).rejects.toMatchObject({
      code: 'ValidationException',
    });
  });
});

describe('grant tokens', () => {
  test('are taken wherever grants count, all tokens of a grant alike, and until it ends', async () => {
    const { perform, createKey } = openFixture();
    const { KeyId } = await createKey();
    const named = { KeyId, ...input, Name: 'jobs' };
    const GrantTokens = [(await perform('CreateGrant', named)).GrantToken, (await perform('CreateGrant', named)).GrantToken];
    const { CiphertextBlob } = await perform('Encrypt', { KeyId, Plaintext: base64('x'), GrantTokens });
    await perform('Decrypt', { CiphertextBlob: base64(CiphertextBlob), GrantTokens });
    await perform('DescribeKey', { KeyId, GrantTokens });
    const [{ GrantId }] = (await perform('ListGrants', { KeyId })).Grants;
    await perform('RevokeGrant', { KeyId, GrantId });
    await expect(perform('DescribeKey', { KeyId, GrantTokens })).rejects.toMatchObject({ code: 'InvalidGrantTokenException' });
  });

  test('that were altered, invented, or made in another Region are refused, after the key was found and before its state is looked at', async () => {
    const { perform, createKey } = openFixture();
    const { KeyId } = await createKey();
    const { GrantToken } = await perform('CreateGrant', { KeyId, ...input });
    const bytes = Buffer.from(GrantToken, 'base64');
    const altered = Array.from({ length: bytes.length }, (_, index) => {
      const copy = Buffer.from(bytes);
      copy[index] = (copy[index] ?? 0) ^ 1;
      return copy.toString('base64');
    });
    const refused = { code: 'InvalidGrantTokenException' };
    for (const token of [
      ...altered,
      'x',
      'not base64!',
      `${GrantToken}=`,
      bytes.subarray(0, 40).toString('base64'),
      base64('x'.repeat(200)),
    ]) {
      await expect(perform('DescribeKey', { KeyId, GrantTokens: [GrantToken, token] })).rejects.toMatchObject(refused);
    }
    const elsewhere = await perform('CreateKey', {}, { region: 'us-east-1' });
    const there = { KeyId: elsewhere.KeyMetadata.KeyId, GrantTokens: [GrantToken] };
    await expect(perform('DescribeKey', there, { region: 'us-east-1' })).rejects.toMatchObject(refused);
    await perform('DisableKey', { KeyId });
    await expect(perform('Encrypt', { KeyId, Plaintext: base64('x'), GrantTokens: ['x'] })).rejects.toMatchObject(refused);
    await expect(perform('DescribeKey', { KeyId: keyIdOf(7), GrantTokens: ['x'] })).rejects.toMatchObject({ code: 'NotFoundException' });
  });
});

describe('lists of grants', () => {
  test('go page by page in order of id; filters take an id, a grantee, or both; a marker serves its own list only', async () => {
    const { perform, createKey } = openFixture();
    const { KeyId } = await createKey();
    const grantees = [bob, role, bob, bob];
    const made: string[] = [];
    for (const GranteePrincipal of grantees) made.push((await perform('CreateGrant', { KeyId, ...input, GranteePrincipal })).GrantId);
    const ofBob = made.filter((_, index) => grantees[index] === bob).toSorted();
    const first = await perform('ListGrants', { KeyId, GranteePrincipal: bob, Limit: 2 });
    const second = await perform('ListGrants', { KeyId, GranteePrincipal: bob, Limit: 2, Marker: first.NextMarker });
    expect([...ids(first), ...ids(second)]).toEqual(ofBob);
    expect([first.Truncated, second.Truncated, second.NextMarker]).toEqual([true, false, undefined]);
    await expect(perform('ListGrants', { KeyId, Marker: first.NextMarker })).rejects.toMatchObject({ code: 'InvalidMarkerException' });
    expect(ids(await perform('ListGrants', { KeyId, GrantId: made[1] }))).toEqual([made[1]]);
    expect(ids(await perform('ListGrants', { KeyId, GrantId: made[1], GranteePrincipal: bob }))).toEqual([]);
    expect(ids(await perform('ListGrants', { KeyId, GrantId: '0'.repeat(64) }))).toEqual([]);
    await expect(perform('ListGrants', { KeyId, GrantId: 'x' })).rejects.toMatchObject({ code: 'InvalidGrantIdException' });
    await expect(perform('ListGrants', { KeyId, Limit: 101 })).rejects.toMatchObject({ code: 'ValidationException' });
  });

  test('ListRetirableGrants finds the grants of a retiring principal of the caller’s account, on keys of all accounts in the Region', async () => {
    const { perform, createKey } = openFixture();
    const { KeyId } = await createKey();
    const foreign = (await perform('CreateKey', {}, { account: other })).KeyMetadata.KeyId;
    const elsewhere = (await perform('CreateKey', {}, { region: 'us-east-1' })).KeyMetadata.KeyId;
    const retired = { ...input, RetiringPrincipal: bob };
    const made: string[] = [
      (await perform('CreateGrant', { KeyId, ...retired })).GrantId,
      (await perform('CreateGrant', { KeyId: foreign, ...retired }, { account: other })).GrantId,
    ];
    await perform('CreateGrant', { KeyId: elsewhere, ...retired }, { region: 'us-east-1' });
    await perform('CreateGrant', { KeyId, ...input, RetiringPrincipal: alice });
    const first = await perform('ListRetirableGrants', { RetiringPrincipal: bob, Limit: 1 });
    const second = await perform('ListRetirableGrants', { RetiringPrincipal: bob, Limit: 1, Marker: first.NextMarker });
    expect([...ids(first), ...ids(second)]).toEqual(made.toSorted());
    await expect(perform('ListRetirableGrants', { RetiringPrincipal: stranger })).rejects.toMatchObject({ code: 'AccessDeniedException' });
    await expect(perform('ListRetirableGrants', {})).rejects.toMatchObject({ code: 'ValidationException' });
  });

  test('the filters by service principal are for service principals', async () => {
    const { perform, createKey } = openFixture();
    const { KeyId } = await createKey();
    const denied = { code: 'AccessDeniedException' };
    await expect(perform('ListGrants', { KeyId, GranteeServicePrincipal: 'backup.amazonaws.com' })).rejects.toMatchObject(denied);
    await expect(perform('ListRetirableGrants', { RetiringServicePrincipal: 'backup.amazonaws.com' })).rejects.toMatchObject(denied);
  });
});

describe('the end of a grant', () => {
  test('RevokeGrant takes id and ARN of the key, and says so when the grant is not there', async () => {
    const { perform, createKey } = openFixture();
    const { KeyId, Arn } = await createKey();
    const { GrantId } = await perform('CreateGrant', { KeyId, ...input });
    await expect(perform('RevokeGrant', { KeyId, GrantId, DryRun: true })).rejects.toMatchObject({ code: 'DryRunOperationException' });
    await expect(perform('RevokeGrant', { KeyId: Arn, GrantId })).resolves.toBeUndefined();
    for (const DryRun of [true, false]) {
      const gone = refusal('NotFoundException', `Grant ID ${GrantId} not found`);
      await expect(perform('RevokeGrant', { KeyId, GrantId, DryRun })).rejects.toMatchObject(gone);
    }
    await expect(perform('RevokeGrant', { KeyId, GrantId: 'x' })).rejects.toMatchObject({ code: 'InvalidGrantIdException' });
  });

  test.each([
    ['the retiring principal', { RetiringPrincipal: bob, GranteePrincipal: alice }, { principalArn: bob }, true],
    ['a session of the retiring role', { RetiringPrincipal: role, GranteePrincipal: alice }, { principalArn: session }, true],
    ['a retiring principal of another account', { RetiringPrincipal: stranger }, { principalArn: stranger, account: other }, true],
    ['a grantee with RetireGrant', { Operations: ['RetireGrant'] }, { principalArn: bob }, true],
    ['the root of the account that made it', {}, { principalArn: `arn:aws:iam::${account}:root` }, true],
    ['a grantee without RetireGrant', {}, { principalArn: bob }, false],
    ['another user of the account', { RetiringPrincipal: bob }, { principalArn: alice }, false],
    ['a session of another role', { RetiringPrincipal: role }, { principalArn: session.replace('Worker', 'Walker') }, false],
    ['the root of another account', {}, { principalArn: `arn:aws:iam::${other}:root`, account: other }, false],
  ])('RetireGrant by %s', async (_name, grant, caller, allowed) => {
    const { perform, createKey } = openFixture();
    const { KeyId, Arn } = await createKey();
    for (const way of ['token', 'id'] as const) {
      const { GrantToken, GrantId } = await perform('CreateGrant', { KeyId, ...input, ...grant });
      const named = way === 'token' ? { GrantToken } : { KeyId: Arn, GrantId };
      const dry = perform('RetireGrant', { ...named, DryRun: true }, caller);
      await expect(dry).rejects.toMatchObject({ code: allowed ? 'DryRunOperationException' : 'AccessDeniedException' });
      if (allowed) await expect(perform('RetireGrant', named, caller)).resolves.toBeUndefined();
      else await expect(perform('RetireGrant', named, caller)).rejects.toMatchObject({ code: 'AccessDeniedException' });
      expect(ids(await perform('ListGrants', { KeyId, GrantId }))).toEqual(allowed ? [] : [GrantId]);
    }
  });

  test('RetireGrant names its grant by token, or by key and id; a stranger does not learn whether a grant exists', async () => {
    const { perform, createKey } = openFixture();
    const { KeyId, Arn } = await createKey();
    const { GrantToken, GrantId } = await perform('CreateGrant', { KeyId, ...input });
    for (const wrong of [{}, { KeyId }, { GrantId }, { GrantToken, KeyId, GrantId }, { GrantToken, KeyId }]) {
      await expect(perform('RetireGrant', wrong)).rejects.toMatchObject({ code: 'ValidationException' });
    }
    const eve = { principalArn: stranger, account: other };
    for (const grantId of [GrantId, '0'.repeat(64)]) {
      await expect(perform('RetireGrant', { KeyId: Arn, GrantId: grantId }, eve)).rejects.toMatchObject({ code: 'AccessDeniedException' });
    }
    await expect(perform('RetireGrant', { KeyId, GrantId: '0'.repeat(64) })).rejects.toMatchObject({ code: 'NotFoundException' });
    await expect(perform('RetireGrant', { GrantToken: 'x' })).rejects.toMatchObject({ code: 'InvalidGrantTokenException' });
  });
});

describe('the end of a key', () => {
  test('takes all its grants along, in transactions of at most 1,000 changes, and no grant of another key', async () => {
    const { perform, createKey, store, caller, parts } = openFixture();
    const [dying, living] = [await createKey(), await createKey()];
    const key = store.key(caller, dying.KeyId)!;
    await perform('CreateGrant', { KeyId: living.KeyId, ...input, RetiringPrincipal: bob });
    await perform('CreateGrant', { KeyId: dying.KeyId, ...input, Name: 'named', RetiringPrincipal: bob });
    for (let index = 0; index < 1_001; index += 1) await store.commit(grantAdded(grantOn(key, index)));
    const sizes: number[] = [];
    const commit = store.commit.bind(store);
    store.commit = (changes) => {
      sizes.push(changes.length);
      return commit(changes);
    };
    await finishDestruction(store.key(caller, dying.KeyId)!, parts);
    expect(Math.max(...sizes)).toBeLessThanOrEqual(1_000);
    expect(store.key(caller, dying.KeyId)).toBeUndefined();
    for (const kind of ['grant', 'grant-by-grantee', 'grant-by-retiring-principal', 'grant-by-request']) {
      expect([...store.allItems(kind)].filter(({ owner }) => owner.includes(dying.KeyId))).toEqual([]);
    }
    expect(ids(await perform('ListRetirableGrants', { RetiringPrincipal: bob }))).toHaveLength(1);
  });
});

describe('what evaluation will ask', () => {
  test('the grants of one grantee are found without the others', async () => {
    const { perform, createKey, store, caller } = openFixture();
    const { KeyId } = await createKey();
    for (const GranteePrincipal of [bob, role, bob]) await perform('CreateGrant', { KeyId, ...input, GranteePrincipal });
    const found = grantsOfGrantee(store, store.key(caller, KeyId)!, bob, undefined, 10);
    expect(found.items.map(({ grantee }) => grantee.name)).toEqual([bob, bob]);
  });
});

function ids(page: { Grants: readonly { GrantId: string }[] }): readonly string[] {
  return page.Grants.map(({ GrantId }) => GrantId);
}

function grantOn({ keyId }: { keyId: string }, index: number): GrantRecord {
  return {
    key: { partition: 'aws', account, region, keyId },
    grantId: index.toString(16).padStart(64, '0'),
    name: '',
    createdAtMs: 0,
    grantee: { kind: 'iam', name: bob },
    issuingAccount: account,
    operations: ['Decrypt'],
    tokenKey: '00'.repeat(32),
  };
}

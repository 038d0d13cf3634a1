/** The keys of AWS services: made at first use, listed and described as AWS does, and changed by nobody. */
import { describe, expect, test } from 'vitest';
import { awsManagedServices } from '../../../src/keys/aws-managed-keys.ts';
import { sweepDueRotations } from '../../../src/operations/sweeps/due-rotation.ts';
import { base64, openFixture, refusal } from '../../support/kms-fixture.ts';

const DAY_MS = 86_400_000;
const Plaintext = base64('x');

describe('the first use of a predefined alias', () => {
  test('makes the key of the service, described as AWS does', async () => {
    const { perform, clock } = openFixture();
    const { KeyMetadata } = await perform('DescribeKey', { KeyId: 'alias/aws/ebs' });
    expect(KeyMetadata).toMatchObject({
      KeyManager: 'AWS',
      KeyState: 'Enabled',
      Origin: 'AWS_KMS',
      KeySpec: 'SYMMETRIC_DEFAULT',
      MultiRegion: false,
      Description: 'Default key that protects my EBS volumes when no other key is defined',
    });
    const { KeyId, Arn } = KeyMetadata;
    const policy = JSON.parse((await perform('GetKeyPolicy', { KeyId })).Policy);
    expect(policy).toMatchObject({ Version: '2012-10-17', Id: 'auto-ebs-1' });
    expect(policy.Statement[0].Condition.StringEquals).toEqual({
      'kms:CallerAccount': '111122223333',
      'kms:ViaService': 'ec2.eu-central-1.amazonaws.com',
    });
    expect(await perform('ListResourceTags', { KeyId })).toEqual({ Tags: [], Truncated: false });
    expect(await perform('GetKeyRotationStatus', { KeyId })).toEqual({
      KeyId: Arn,
      KeyRotationEnabled: true,
      RotationPeriodInDays: 365,
      NextRotationDate: new Date(clock.nowMs() + 365 * DAY_MS),
    });
  });

  test.each([
    ['Encrypt', { KeyId: 'alias/aws/s3', Plaintext }],
    ['Encrypt', { KeyId: 'arn:aws:kms:eu-central-1:111122223333:alias/aws/s3', Plaintext }],
    ['GenerateDataKey', { KeyId: 'alias/aws/s3', KeySpec: 'AES_256' }],
  ])('may be %s %j', async (operation, input) => {
    const { perform } = openFixture();
    const { KeyId } = await perform(operation, input);
    expect((await perform('DescribeKey', { KeyId: 'alias/aws/s3' })).KeyMetadata.Arn).toBe(KeyId);
  });

  test('of many at once makes one key, and leaves nothing of the others', async () => {
    const { perform, keyStore, store, caller } = openFixture();
    const named = await Promise.all(Array.from({ length: 5 }, async () => perform('DescribeKey', { KeyId: 'alias/aws/sqs' })));
    expect(new Set(named.map(({ KeyMetadata }) => KeyMetadata.KeyId)).size).toBe(1);
    expect([keyStore.objects.size, store.intents().length, store.countKeys(caller)]).toEqual([1, 0, 1]);
  });

  test.each([
    ['of no service', 'alias/aws/none', 'NotFoundException'],
    ['of another account', 'arn:aws:kms:eu-central-1:999988887777:alias/aws/s3', 'AccessDeniedException'],
    ['of another Region', 'arn:aws:kms:us-east-1:111122223333:alias/aws/s3', 'NotFoundException'],
  ])('%s makes nothing', async (_what, KeyId, code) => {
    const { perform, keyStore } = openFixture();
    await expect(perform('DescribeKey', { KeyId })).rejects.toMatchObject({ code });
    expect(keyStore.objects.size).toBe(0);
  });

  test('makes nothing where only key ids are taken', async () => {
    const { perform, keyStore } = openFixture();
    await expect(perform('DisableKey', { KeyId: 'alias/aws/s3' })).rejects.toMatchObject({ code: 'NotFoundException' });
    expect(keyStore.objects.size).toBe(0);
  });

  test('gives accounts and Regions keys of their own', async () => {
    const { perform } = openFixture();
    const ids = [];
    for (const caller of [{}, { region: 'us-east-1' }, { account: '999988887777' }]) {
      ids.push((await perform('DescribeKey', { KeyId: 'alias/aws/s3' }, caller)).KeyMetadata.KeyId);
    }
    expect(new Set(ids).size).toBe(3);
  });
});

describe('the key of a service', () => {
  test.each([
    ['CancelKeyDeletion', {}],
    ['DisableKey', {}],
    ['DisableKeyRotation', {}],
    ['EnableKey', {}],
    ['EnableKeyRotation', {}],
    ['PutKeyPolicy', { Policy: '{"Version":"2012-10-17","Statement":[]}' }],
    ['RotateKeyOnDemand', {}],
    ['ScheduleKeyDeletion', {}],
    ['TagResource', { Tags: [{ TagKey: 'a', TagValue: 'b' }] }],
    ['UntagResource', { TagKeys: ['a'] }],
    ['UpdateKeyDescription', { Description: 'mine' }],
  ])('is not there for %s', async (operation, more) => {
    const { perform } = openFixture();
    const { KeyMetadata } = await perform('DescribeKey', { KeyId: 'alias/aws/rds' });
    const denied = refusal(
      'AccessDeniedException',
      `User: arn:aws:iam::111122223333:user/alice is not authorized to perform: kms:${operation} on resource: ${KeyMetadata.Arn} ` +
        `because no resource-based policy allows the kms:${operation} action`,
    );
    await expect(perform(operation, { KeyId: KeyMetadata.KeyId, ...more })).rejects.toMatchObject(denied);
    expect((await perform('DescribeKey', { KeyId: 'alias/aws/rds' })).KeyMetadata).toEqual(KeyMetadata);
  });

  test('takes no alias of a customer, and its own one is reserved', async () => {
    const { perform, createKey } = openFixture();
    const { KeyId } = (await perform('DescribeKey', { KeyId: 'alias/aws/rds' })).KeyMetadata;
    await expect(perform('CreateAlias', { AliasName: 'alias/mine', TargetKeyId: KeyId })).rejects.toMatchObject({
      code: 'AccessDeniedException',
    });
    const other = await createKey();
    await perform('CreateAlias', { AliasName: 'alias/mine', TargetKeyId: other.KeyId });
    await expect(perform('UpdateAlias', { AliasName: 'alias/mine', TargetKeyId: KeyId })).rejects.toMatchObject({
      code: 'AccessDeniedException',
    });
    const reserved = { code: 'NotAuthorizedException' };
    const target = { AliasName: 'alias/aws/rds', TargetKeyId: other.KeyId };
    await expect(perform('CreateAlias', target)).rejects.toMatchObject(reserved);
    await expect(perform('UpdateAlias', target)).rejects.toMatchObject(reserved);
    await expect(perform('DeleteAlias', { AliasName: 'alias/aws/rds' })).rejects.toMatchObject(reserved);
  });

  test('rotates every year', async () => {
    const { perform, parts, clock } = openFixture();
    const { KeyId } = (await perform('DescribeKey', { KeyId: 'alias/aws/ssm' })).KeyMetadata;
    clock.advance(365 * DAY_MS);
    expect(await sweepDueRotations(parts)).toBe(1);
    expect((await perform('ListKeyRotations', { KeyId })).Rotations).toMatchObject([{ RotationType: 'AUTOMATIC' }]);
  });
});

describe('listing aliases', () => {
  test('shows the predefined ones in their place, without a target until there is a key', async () => {
    const { perform, createKey } = openFixture();
    const { KeyId } = await createKey();
    for (const AliasName of ['alias/app', 'alias/zoo']) await perform('CreateAlias', { AliasName, TargetKeyId: KeyId });
    const s3 = (await perform('DescribeKey', { KeyId: 'alias/aws/s3' })).KeyMetadata.KeyId;
    const { Aliases } = await perform('ListAliases', { Limit: 100 });
    const names = Aliases.map((alias: { AliasName: string }) => alias.AliasName);
    expect(names).toEqual(['alias/app', ...awsManagedServices.keys(), 'alias/zoo']);
    const of = (name: string): object => Aliases.find((alias: { AliasName: string }) => alias.AliasName === name);
    expect(of('alias/aws/s3')).toMatchObject({ TargetKeyId: s3, CreationDate: expect.any(Date) });
    expect(of('alias/aws/ebs')).toEqual({ AliasName: 'alias/aws/ebs', AliasArn: 'arn:aws:kms:eu-central-1:111122223333:alias/aws/ebs' });
  });

  test.each([1, 2, 7, 100])('in pages of %d shows every alias once', async (Limit) => {
    const { perform, createKey } = openFixture();
    const { KeyId } = await createKey();
    const own = ['alias/a', 'alias/aws', 'alias/awt', 'alias/b', 'alias/z'];
    for (const AliasName of own) await perform('CreateAlias', { AliasName, TargetKeyId: KeyId });
    for (const service of ['acm', 'glue', 'xray']) await perform('DescribeKey', { KeyId: `alias/aws/${service}` });
    const seen: string[] = [];
    let Marker: string | undefined;
    do {
      const page = await perform('ListAliases', { Limit, Marker });
      expect(page.Aliases.length).toBeLessThanOrEqual(Limit);
      seen.push(...page.Aliases.map((alias: { AliasName: string }) => alias.AliasName));
      Marker = page.NextMarker;
    } while (Marker !== undefined);
    expect(seen).toEqual([...own, ...awsManagedServices.keys()].toSorted());
  });
});

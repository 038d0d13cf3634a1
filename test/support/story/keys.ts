/** Chapters of keys, aliases, tags and policies. */
import { expect } from 'vitest';
import { bytes, makeKey, refusalOf, stateOf } from './chapter.ts';
import type { Chapter } from './chapter.ts';
import type { Members } from '../kms-clients.ts';

export const keys: readonly Chapter[] = [
  [
    'CreateKey',
    async (ask, made) => {
      await makeKey(ask, made, 'main', { Description: 'main', Tags: [{ TagKey: 'team', TagValue: 'red' }] });
      await makeKey(ask, made, 'other');
      await makeKey(ask, made, 'signing', { KeySpec: 'ECC_NIST_P256', KeyUsage: 'SIGN_VERIFY' });
      await makeKey(ask, made, 'mac', { KeySpec: 'HMAC_256', KeyUsage: 'GENERATE_VERIFY_MAC' });
      await makeKey(ask, made, 'rsa', { KeySpec: 'RSA_2048', KeyUsage: 'ENCRYPT_DECRYPT' });
    },
  ],
  [
    'DescribeKey',
    async (ask, made) => {
      const { KeyMetadata } = await ask('DescribeKey', { KeyId: made.keys['main'] });
      expect(KeyMetadata).toMatchObject({ Arn: made.arns['main'], Description: 'main', Enabled: true, KeyManager: 'CUSTOMER' });
    },
  ],
  [
    'ListKeys',
    async (ask, made) => {
      const { Keys } = (await ask('ListKeys', { Limit: 1000 })) as { Keys: { KeyId: string; KeyArn: string }[] };
      expect(Keys).toContainEqual({ KeyId: made.keys['main'], KeyArn: made.arns['main'] });
    },
  ],
  [
    'UpdateKeyDescription',
    async (ask, made) => {
      await ask('UpdateKeyDescription', { KeyId: made.keys['main'], Description: 'changed' });
      expect((await ask('DescribeKey', { KeyId: made.keys['main'] }))['KeyMetadata']).toMatchObject({ Description: 'changed' });
    },
  ],
  [
    'DisableKey',
    async (ask, made) => {
      await ask('DisableKey', { KeyId: made.keys['other'] });
      expect(await refusalOf(ask('Encrypt', { KeyId: made.keys['other'], Plaintext: bytes('x') }))).toBe('DisabledException');
    },
  ],
  [
    'EnableKey',
    async (ask, made) => {
      await ask('EnableKey', { KeyId: made.keys['other'] });
      expect(await stateOf(ask, made.keys['other'])).toBe('Enabled');
    },
  ],
  [
    'CreateAlias',
    async (ask, made) => {
      await ask('CreateAlias', { AliasName: 'alias/every', TargetKeyId: made.keys['main'] });
      expect((await ask('DescribeKey', { KeyId: 'alias/every' }))['KeyMetadata']).toMatchObject({ KeyId: made.keys['main'] });
    },
  ],
  [
    'UpdateAlias',
    async (ask, made) => {
      await ask('UpdateAlias', { AliasName: 'alias/every', TargetKeyId: made.keys['other'] });
      expect((await ask('DescribeKey', { KeyId: 'alias/every' }))['KeyMetadata']).toMatchObject({ KeyId: made.keys['other'] });
    },
  ],
  [
    'ListAliases',
    async (ask, made) => {
      const { Aliases } = (await ask('ListAliases', { KeyId: made.keys['other'] })) as { Aliases: Members[] };
      expect(Aliases.map(({ AliasName }) => AliasName)).toEqual(['alias/every']);
    },
  ],
  [
    'DeleteAlias',
    async (ask) => {
      await ask('DeleteAlias', { AliasName: 'alias/every' });
      expect(await refusalOf(ask('DescribeKey', { KeyId: 'alias/every' }))).toBe('NotFoundException');
    },
  ],
  [
    'TagResource',
    async (ask, made) => {
      await ask('TagResource', { KeyId: made.keys['main'], Tags: [{ TagKey: 'cost', TagValue: '7' }] });
    },
  ],
  [
    'UntagResource',
    async (ask, made) => {
      await ask('UntagResource', { KeyId: made.keys['main'], TagKeys: ['team'] });
    },
  ],
  [
    'ListResourceTags',
    async (ask, made) => {
      const { Tags } = await ask('ListResourceTags', { KeyId: made.keys['main'] });
      expect(Tags).toEqual([{ TagKey: 'cost', TagValue: '7' }]);
    },
  ],
  [
    'GetKeyPolicy',
    async (ask, made) => {
      const { Policy } = await ask('GetKeyPolicy', { KeyId: made.keys['main'], PolicyName: 'default' });
      expect(JSON.parse(Policy as string)).toMatchObject({ Id: 'key-default-1' });
      made['policy'] = Policy;
    },
  ],
  [
    'PutKeyPolicy',
    async (ask, made) => {
      await ask('PutKeyPolicy', { KeyId: made.keys['main'], PolicyName: 'default', Policy: made['policy'] });
    },
  ],
  [
    'ListKeyPolicies',
    async (ask, made) => {
      expect((await ask('ListKeyPolicies', { KeyId: made.keys['main'] }))['PolicyNames']).toEqual(['default']);
    },
  ],
];

/** Chapters of grants. */
import { expect } from 'vitest';
import type { Chapter } from './chapter.ts';
import type { Members } from '../kms-clients.ts';

export const grants: readonly Chapter[] = [
  [
    'CreateGrant',
    async (ask, made, { account }) => {
      const bob = `arn:aws:iam::${account}:user/bob`;
      const input = { KeyId: made.keys['main'], GranteePrincipal: bob, RetiringPrincipal: bob, Operations: ['Encrypt', 'Decrypt'] };
      made['granted'] = [await ask('CreateGrant', input), await ask('CreateGrant', input)];
      made['bob'] = bob;
    },
  ],
  [
    'ListGrants',
    async (ask, made) => {
      expect((await ask('ListGrants', { KeyId: made.keys['main'] }))['Grants']).toHaveLength(2);
    },
  ],
  [
    'ListRetirableGrants',
    async (ask, made) => {
      expect((await ask('ListRetirableGrants', { RetiringPrincipal: made['bob'] }))['Grants']).toHaveLength(2);
    },
  ],
  [
    'RetireGrant',
    async (ask, made) => {
      const [{ GrantToken }] = made['granted'] as [Members];
      await ask('RetireGrant', { GrantToken });
      expect((await ask('ListGrants', { KeyId: made.keys['main'] }))['Grants']).toHaveLength(1);
    },
  ],
  [
    'RevokeGrant',
    async (ask, made) => {
      const [, { GrantId }] = made['granted'] as [Members, Members];
      await ask('RevokeGrant', { KeyId: made.keys['main'], GrantId });
      expect((await ask('ListGrants', { KeyId: made.keys['main'] }))['Grants']).toEqual([]);
    },
  ],
];

/** RevokeGrant: the key's administrator takes a grant back. It is out of force when the answer is sent. */
import { grantRemoved } from './grants/grant-items.ts';
import { namedGrant } from './grants/named-grant.ts';
import { permittedKey } from './named-key.ts';
import { defineOperation } from './operation.ts';
import type { Operation } from './operation.ts';

interface RevokeGrantInput {
  readonly GrantId: string;
}

export const revokeGrant: Operation = defineOperation<RevokeGrantInput, 'key'>({
  name: 'RevokeGrant',
  action: 'RevokeGrant',
  keys: permittedKey,
  check: ({ GrantId: grantId }, { parts, keys }) => {
    namedGrant(parts.store, keys.key.record, grantId);
  },
  perform: async ({ GrantId: grantId }, { parts, keys }) => {
    await parts.store.transact((store) => ({
      changes: grantRemoved(namedGrant(store, keys.key.record, grantId)),
      result: undefined,
    }));
    return undefined;
  },
});

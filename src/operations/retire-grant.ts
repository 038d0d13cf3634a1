/**
 * RetireGrant: the one who no longer needs a grant gives it up. Who may is said by the grant, not by the key, which may be another
 * account's; so the pipeline resolves no key here.
 */
import { invalid } from '../api/violations.ts';
import { parseKeyIdentifier } from '../keys/arn.ts';
import { accessDenied, isAuthorised } from './authorise.ts';
import { grantOf, grantRemoved } from './grants/grant-items.ts';
import { grantOfToken } from './grants/grant-tokens.ts';
import { assertGrantId, mayRetire, namedGrant } from './grants/named-grant.ts';
import { defineOperation } from './operation.ts';
import { resolveKey } from './resolve-key.ts';
import type { GrantRecord } from '../keys/grant-record.ts';
import type { Operation, OperationContext } from './operation.ts';

interface RetireGrantInput {
  readonly GrantToken?: string;
  readonly KeyId?: string;
  readonly GrantId?: string;
}

export const retireGrant: Operation = defineOperation<RetireGrantInput>({
  name: 'RetireGrant',
  action: 'RetireGrant',
  keys: [],
  validate: ({ GrantToken: token, KeyId: keyId, GrantId: grantId }) => {
    const byId = keyId !== undefined && grantId !== undefined;
    if (byId === (token !== undefined) || (keyId === undefined) !== (grantId === undefined)) {
      throw invalid('You must specify either a grant token, or a grant ID and a key ID.');
    }
    if (grantId !== undefined) assertGrantId(grantId);
  },
  check: (input, context) => {
    retirableGrant(input, context);
  },
  perform: async (input, context) => {
    await context.parts.store.transact(() => ({ changes: grantRemoved(retirableGrant(input, context)), result: undefined }));
    return undefined;
  },
});

/** Throws KmsError: InvalidGrantTokenException, what `resolveKey` and `namedGrant` throw, AccessDeniedException. */
function retirableGrant(input: RetireGrantInput, context: OperationContext): GrantRecord {
  const { caller, parts, scope } = context;
  const grant =
    input.GrantToken === undefined
      ? grantOfKey(input.KeyId ?? '', input.GrantId ?? '', context)
      : grantOfToken(input.GrantToken, scope, parts.store);
  if (!mayRetire(caller, grant)) throw accessDenied(caller, 'RetireGrant');
  return grant;
}

/** A stranger to the key learns only of grants that are his to retire. */
function grantOfKey(text: string, grantId: string, { caller, parts, scope }: OperationContext): GrantRecord {
  const named = parseKeyIdentifier(text);
  if (named.kind === 'key-arn' && named.region === caller.region && !isAuthorised(caller, named)) {
    const grant = grantOf(parts.store, named, grantId);
    if (grant === undefined) throw accessDenied(caller, 'RetireGrant');
    return grant;
  }
  const lookup = { store: parts.store, caller, scope, action: 'RetireGrant' };
  return namedGrant(parts.store, resolveKey(text, { aliasAllowed: false }, lookup).record, grantId);
}

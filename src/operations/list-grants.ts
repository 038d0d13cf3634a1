/** ListGrants: the grants of a key, of one grantee or with one grant id if the request says so, in order of grant id. */
import { invalid } from '../api/violations.ts';
import { decodeMarker, pageMembers } from '../keys/pagination.ts';
import { fullPrincipalArn } from '../keys/principal-arn.ts';
import { assertPrincipalArn } from './grants/grant-input.ts';
import { grantListEntry } from './grants/grant-list-entry.ts';
import { grantOf, grantsOfGrantee, grantsOfKey } from './grants/grant-items.ts';
import { assertGrantId } from './grants/named-grant.ts';
import { servicePrincipalFilterDenied } from './grants/service-principal-filter.ts';
import { permittedKey } from './named-key.ts';
import { defineOperation } from './operation.ts';
import type { GrantRecord } from '../keys/grant-record.ts';
import type { KeyRecord } from '../keys/key-record.ts';
import type { Page, Store } from '../store/store.ts';
import type { Operation } from './operation.ts';

interface ListGrantsInput {
  readonly GrantId?: string;
  readonly GranteePrincipal?: string;
  readonly GranteeServicePrincipal?: string;
  readonly Limit?: number;
  readonly Marker?: string;
}

const LIMIT_DEFAULT = 50;

export const listGrants: Operation = defineOperation<ListGrantsInput, 'key'>({
  name: 'ListGrants',
  action: 'ListGrants',
  keys: permittedKey,
  validate: (input) => {
    if (input.GranteePrincipal !== undefined && input.GranteeServicePrincipal !== undefined) {
      throw invalid('You can specify either GranteePrincipal or GranteeServicePrincipal, but not both.');
    }
    if (input.GrantId !== undefined) assertGrantId(input.GrantId);
    if (input.GranteePrincipal !== undefined) assertPrincipalArn(input.GranteePrincipal);
  },
  check: (input, { caller }) => {
    if (input.GranteeServicePrincipal !== undefined) throw servicePrincipalFilterDenied(caller, 'ListGrants');
  },
  perform: (input, { parts, keys }) => {
    const key = keys.key.record;
    const grantee = input.GranteePrincipal && fullPrincipalArn(key.partition, input.GranteePrincipal);
    const listing = ['ListGrants', key.partition, key.account, key.region, key.keyId, grantee ?? '', input.GrantId ?? ''];
    const after = decodeMarker(listing, input.Marker);
    const page = selectedGrants(parts.store, key, { grantee, grantId: input.GrantId }, after, input.Limit ?? LIMIT_DEFAULT);
    return { Grants: page.items.map(grantListEntry), ...pageMembers(listing, page.next) };
  },
});

interface Selection {
  readonly grantee: string | undefined;
  readonly grantId: string | undefined;
}

function selectedGrants(
  store: Store,
  key: KeyRecord,
  { grantee, grantId }: Selection,
  after: string | undefined,
  limit: number,
): Page<GrantRecord> {
  if (grantId !== undefined) {
    const grant = grantOf(store, key, grantId);
    const selected = grant !== undefined && (grantee === undefined || grant.grantee.name === grantee);
    return { items: selected ? [grant] : [], next: undefined };
  }
  return grantee === undefined ? grantsOfKey(store, key, after, limit) : grantsOfGrantee(store, key, grantee, after, limit);
}

/** ListRetirableGrants: the grants that a principal may retire as their retiring principal, on keys of all accounts in the Region. */
import { invalid } from '../api/violations.ts';
import { decodeMarker, pageMembers } from '../keys/pagination.ts';
import { fullPrincipalArn } from '../keys/principal-arn.ts';
import { assertPrincipalArn } from './grants/grant-input.ts';
import { grantListEntry } from './grants/grant-list-entry.ts';
import { grantsToRetire } from './grants/grant-items.ts';
import { servicePrincipalFilterDenied } from './grants/service-principal-filter.ts';
import { accessDenied } from './authorise.ts';
import { defineOperation } from './operation.ts';
import type { Operation } from './operation.ts';

interface ListRetirableGrantsInput {
  readonly RetiringPrincipal?: string;
  readonly RetiringServicePrincipal?: string;
  readonly Limit?: number;
  readonly Marker?: string;
}

const LIMIT_DEFAULT = 50;

export const listRetirableGrants: Operation = defineOperation<ListRetirableGrantsInput>({
  name: 'ListRetirableGrants',
  action: 'ListRetirableGrants',
  keys: [],
  validate: (input) => {
    if ((input.RetiringPrincipal === undefined) === (input.RetiringServicePrincipal === undefined)) {
      throw invalid('You must specify either RetiringPrincipal or RetiringServicePrincipal, but not both.');
    }
    if (input.RetiringPrincipal !== undefined) assertPrincipalArn(input.RetiringPrincipal);
  },
  check: (input, { caller, scope }) => {
    if (input.RetiringPrincipal === undefined) throw servicePrincipalFilterDenied(caller, 'ListRetirableGrants');
    const principal = fullPrincipalArn(scope.partition, input.RetiringPrincipal);
    if (!principal.includes(`::${scope.account}:`)) throw accessDenied(caller, 'ListRetirableGrants');
  },
  perform: (input, { parts, scope }) => {
    const principal = fullPrincipalArn(scope.partition, input.RetiringPrincipal ?? '');
    const listing = ['ListRetirableGrants', scope.partition, scope.region, principal];
    const page = grantsToRetire(parts.store, scope, principal, decodeMarker(listing, input.Marker), input.Limit ?? LIMIT_DEFAULT);
    return { Grants: page.items.map(grantListEntry), ...pageMembers(listing, page.next) };
  },
});

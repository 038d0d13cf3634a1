/**
 * ListAliases: the aliases of the caller's account and Region, of one key if it is named, in order of name. Without a key the predefined
 * aliases of AWS services are among them, those that have no key yet without a target.
 */
import { aliasArn } from '../keys/arn.ts';
import { awsManagedServices } from '../keys/aws-managed-keys.ts';
import { decodeMarker, pageMembers } from '../keys/pagination.ts';
import { defineOperation } from './operation.ts';
import type { AliasRecord } from '../keys/key-record.ts';
import type { Page, Scope } from '../store/store.ts';
import type { Operation } from './operation.ts';

interface ListAliasesInput {
  readonly Limit?: number;
  readonly Marker?: string;
}

type ListedAlias = Pick<AliasRecord, 'aliasName'> & Partial<AliasRecord>;

const LIMIT_DEFAULT = 50;

export const listAliases: Operation = defineOperation<ListAliasesInput, 'key'>({
  name: 'ListAliases',
  action: 'ListAliases',
  keys: [{ member: 'KeyId', as: 'key', aliasAllowed: false, crossAccount: false, optional: true }],
  perform: (input, { parts, scope, keys }) => {
    const targetKeyId = (keys as Partial<typeof keys>).key?.record.keyId;
    const listing = ['ListAliases', scope.partition, scope.account, scope.region, targetKeyId ?? ''];
    const after = decodeMarker(listing, input.Marker);
    const limit = input.Limit ?? LIMIT_DEFAULT;
    const made = parts.store.listAliases(scope, targetKeyId, after, limit);
    const page = targetKeyId === undefined ? withPredefined(made, after, limit) : made;
    return { Aliases: page.items.map((alias) => aliasListEntry(scope, alias)), ...pageMembers(listing, page.next) };
  },
});

/** The page with the predefined aliases that no key has, each where its name belongs. What is beyond the page's last name is not known here. */
function withPredefined(made: Page<AliasRecord>, after: string | undefined, limit: number): Page<ListedAlias> {
  const names = new Set(made.items.map(({ aliasName }) => aliasName));
  const predefined = [...awsManagedServices.keys()]
    .filter((aliasName) => aliasName > (after ?? '') && !names.has(aliasName))
    .filter((aliasName) => made.next === undefined || aliasName < made.next)
    .map((aliasName) => ({ aliasName }));
  const merged: readonly ListedAlias[] = [...made.items, ...predefined].toSorted((a, b) => (a.aliasName < b.aliasName ? -1 : 1));
  const items = merged.slice(0, limit);
  const hasMore = made.next !== undefined || merged.length > limit;
  return { items, next: hasMore ? items.at(-1)?.aliasName : undefined };
}

function aliasListEntry(scope: Scope, { aliasName, targetKeyId, createdAtMs, updatedAtMs }: ListedAlias): object {
  return {
    AliasName: aliasName,
    AliasArn: aliasArn(scope, aliasName),
    ...(targetKeyId !== undefined && { TargetKeyId: targetKeyId }),
    ...(createdAtMs !== undefined && { CreationDate: new Date(createdAtMs) }),
    ...(updatedAtMs !== undefined && { LastUpdatedDate: new Date(updatedAtMs) }),
  };
}

/** ListAliases: the aliases of the caller's account and Region, of one key if it is named, in order of name. */
import { aliasArn } from '../keys/arn.ts';
import { decodeMarker, pageMembers } from '../keys/pagination.ts';
import { defineOperation } from './operation.ts';
import type { Operation } from './operation.ts';

interface ListAliasesInput {
  readonly Limit?: number;
  readonly Marker?: string;
}

const LIMIT_DEFAULT = 50;

export const listAliases: Operation = defineOperation<ListAliasesInput, 'key'>({
  name: 'ListAliases',
  action: 'ListAliases',
  keys: [{ member: 'KeyId', as: 'key', aliasAllowed: false, crossAccount: false, optional: true }],
  perform: (input, { parts, scope, keys }) => {
    const targetKeyId = (keys as Partial<typeof keys>).key?.record.keyId;
    const listing = ['ListAliases', scope.partition, scope.account, scope.region, targetKeyId ?? ''];
    const page = parts.store.listAliases(scope, targetKeyId, decodeMarker(listing, input.Marker), input.Limit ?? LIMIT_DEFAULT);
    const entries = page.items.map((alias) => ({
      AliasName: alias.aliasName,
      AliasArn: aliasArn(alias, alias.aliasName),
      TargetKeyId: alias.targetKeyId,
      CreationDate: new Date(alias.createdAtMs),
      LastUpdatedDate: new Date(alias.updatedAtMs),
    }));
    return { Aliases: entries, ...pageMembers(listing, page.next) };
  },
});

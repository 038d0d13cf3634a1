/** DeleteAlias: the name goes, the key stays. */
import { assertCustomerAliasName } from '../keys/alias-name.ts';
import { defineOperation } from './operation.ts';
import { aliasOrNotFound } from './resolve-key.ts';
import type { Operation } from './operation.ts';

interface DeleteAliasInput {
  readonly AliasName: string;
}

export const deleteAlias: Operation = defineOperation<DeleteAliasInput>({
  name: 'DeleteAlias',
  action: 'DeleteAlias',
  keys: [],
  validate: (input) => assertCustomerAliasName(input.AliasName),
  perform: async (input, { parts, scope }) => {
    await parts.store.transact((store) => {
      const record = aliasOrNotFound(store, scope, input.AliasName);
      return { changes: [{ kind: 'delete-alias', record }], result: undefined };
    });
    return undefined;
  },
});

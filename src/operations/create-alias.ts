/** CreateAlias: a name for a key of the caller's account and Region. */
import { KmsError } from '../errors.ts';
import { aliasArn } from '../keys/arn.ts';
import { keyStateCheck } from '../keys/key-states.ts';
import { aliasTarget, assertAliasQuota, validateAliasTarget } from './alias-target.ts';
import { currentKey, touchKey } from './key-change.ts';
import { defineOperation } from './operation.ts';
import type { AliasTargetInput } from './alias-target.ts';
import type { Operation } from './operation.ts';

const checkState = keyStateCheck('CreateAlias');

export const createAlias: Operation = defineOperation<AliasTargetInput, 'target'>({
  name: 'CreateAlias',
  action: 'CreateAlias',
  keys: aliasTarget,
  validate: validateAliasTarget,
  perform: async ({ AliasName: aliasName }, { parts, scope, keys }) => {
    const nowMs = parts.clock.nowMs();
    await parts.store.transact((store) => {
      const target = currentKey(store, keys.target.record);
      checkState(target);
      if (store.alias(scope, aliasName) !== undefined) {
        throw new KmsError('AlreadyExistsException', `An alias with the name ${aliasArn(scope, aliasName)} already exists`);
      }
      assertAliasQuota(store, scope, target);
      const record = { ...scope, aliasName, targetKeyId: target.keyId, createdAtMs: nowMs, updatedAtMs: nowMs, version: 1 };
      return { changes: [{ kind: 'put-alias', record, replacesVersion: 0 }, touchKey(target)], result: undefined };
    });
    return undefined;
  },
});

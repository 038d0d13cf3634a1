/** UpdateAlias: an alias goes over to another key of the same family and usage. */
import { invalid } from '../api/violations.ts';
import { keyFamily } from '../keys/algorithms.ts';
import { keyStateCheck } from '../keys/key-states.ts';
import { aliasTarget, assertAliasQuota, validateAliasTarget } from './alias-target.ts';
import { currentKey, touchKey } from './key-change.ts';
import { defineOperation } from './operation.ts';
import { aliasOrNotFound } from './resolve-key.ts';
import type { KeyRecord } from '../keys/key-record.ts';
import type { AliasTargetInput } from './alias-target.ts';
import type { Operation } from './operation.ts';

const checkState = keyStateCheck('UpdateAlias');

export const updateAlias: Operation = defineOperation<AliasTargetInput, 'target'>({
  name: 'UpdateAlias',
  action: 'UpdateAlias',
  keys: aliasTarget,
  validate: validateAliasTarget,
  perform: async ({ AliasName: aliasName }, { parts, scope, keys }) => {
    const nowMs = parts.clock.nowMs();
    await parts.store.transact((store) => {
      const target = currentKey(store, keys.target.record);
      checkState(target);
      const alias = aliasOrNotFound(store, scope, aliasName);
      assertInterchangeable(store.key(scope, alias.targetKeyId), target);
      if (alias.targetKeyId !== target.keyId) assertAliasQuota(store, scope, target);
      const record = { ...alias, targetKeyId: target.keyId, updatedAtMs: nowMs, version: alias.version + 1 };
      return { changes: [{ kind: 'put-alias', record, replacesVersion: alias.version }, touchKey(target)], result: undefined };
    });
    return undefined;
  },
});

function assertInterchangeable(former: KeyRecord | undefined, target: KeyRecord): void {
  if (former === undefined) return;
  if (keyFamily(former.keySpec) !== keyFamily(target.keySpec) || former.keyUsage !== target.keyUsage) {
    throw invalid(
      'The current and the new KMS key of an alias must be of the same type (symmetric, asymmetric or HMAC) and have the same key usage.',
    );
  }
}

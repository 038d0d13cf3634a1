/** The target key of an alias: how requests name it and how many aliases it may have. */
import { invalid } from '../api/violations.ts';
import { KmsError } from '../errors.ts';
import { assertCustomerAliasName } from '../keys/alias-name.ts';
import type { KeyRecord } from '../keys/key-record.ts';
import type { Scope, Store } from '../store/store.ts';
import type { KeyReference } from './operation.ts';

export interface AliasTargetInput {
  readonly AliasName: string;
  readonly TargetKeyId: string;
}

/** AWS quota (kms-api.md section 8). */
const ALIASES_PER_KEY_MAX = 50;

export const aliasTarget: readonly KeyReference<'target'>[] = [
  { member: 'TargetKeyId', as: 'target', aliasAllowed: false, crossAccount: false },
];

/** Throws KmsError when the name is none that a customer may give, or the target is named by an alias. */
export function validateAliasTarget({ AliasName: aliasName, TargetKeyId: targetKeyId }: AliasTargetInput): void {
  assertCustomerAliasName(aliasName);
  if (targetKeyId.startsWith('alias/') || targetKeyId.includes(':alias/')) throw invalid('Aliases must refer to keys. Not aliases');
}

/** Throws KmsError LimitExceededException when the key can have no further alias. */
export function assertAliasQuota(store: Store, scope: Scope, key: KeyRecord): void {
  if (store.countAliases(scope, key.keyId) >= ALIASES_PER_KEY_MAX) {
    throw new KmsError('LimitExceededException', `A KMS key can have at most ${ALIASES_PER_KEY_MAX} aliases.`);
  }
}

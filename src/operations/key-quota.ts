/** How many keys an account may have (kms-api.md section 8). */
import { KmsError } from '../errors.ts';
import type { Scope, Store } from '../store/store.ts';

/** AWS quota per account and Region. */
const KEYS_MAX = 100_000;

/** Throws KmsError LimitExceededException when the account has no room for a key in the Region. */
export function assertKeyQuota(store: Store, scope: Scope): void {
  if (store.countKeys(scope) >= KEYS_MAX) {
    throw new KmsError('LimitExceededException', `An account can have at most ${KEYS_MAX} KMS keys in a Region.`);
  }
}

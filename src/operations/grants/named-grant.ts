/** The grant that a request names by its id, and by whom it may be retired. */
import { KmsError } from '../../errors.ts';
import { isAccountRoot, isPrincipal } from '../../keys/principal-arn.ts';
import { grantOf } from './grant-items.ts';
import type { GrantRecord } from '../../keys/grant-record.ts';
import type { KeyIdentity } from '../../keys/key-record.ts';
import type { Store } from '../../store/store.ts';
import type { Caller } from '../operation.ts';

const GRANT_ID = /^[0-9a-f]{64}$/;

/** Throws KmsError InvalidGrantIdException for a text that is no grant id. */
export function assertGrantId(text: string): void {
  if (!GRANT_ID.test(text)) throw new KmsError('InvalidGrantIdException', `Invalid grant ID '${text}'`);
}

/** Throws KmsError: InvalidGrantIdException, NotFoundException. */
export function namedGrant(store: Store, key: KeyIdentity, grantId: string): GrantRecord {
  assertGrantId(grantId);
  const grant = grantOf(store, key, grantId);
  if (grant === undefined) throw new KmsError('NotFoundException', `Grant ID ${grantId} not found`);
  return grant;
}

/**
 * True for the retiring principal, a grantee whom the grant permits RetireGrant, and the root of the account in which the grant was
 * made (kms-api.md 5.7). Service principals do not call this service.
 */
export function mayRetire(caller: Pick<Caller, 'principalArn'>, { grantee, retiring, operations, issuingAccount }: GrantRecord): boolean {
  const principals = [retiring, operations.includes('RetireGrant') ? grantee : undefined];
  return (
    isAccountRoot(caller.principalArn, issuingAccount) ||
    principals.some((principal) => principal?.kind === 'iam' && isPrincipal(caller.principalArn, principal.name))
  );
}

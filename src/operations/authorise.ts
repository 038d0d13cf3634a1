/**
 * May this caller use this key? Until key policies are evaluated the answer is: a key's own account may, nobody else. The texts are
 * those of AWS KMS (kms-api.md 2.5); they never tell a stranger whether a key exists.
 */
import { KmsError } from '../errors.ts';
import type { Caller } from './operation.ts';

interface KeyOwner {
  readonly partition: string;
  readonly account: string;
}

/** True when the caller may use keys of `owner`. */
export function isAuthorised(caller: Caller, owner: KeyOwner): boolean {
  return owner.account === caller.account && owner.partition === caller.partition;
}

/** The refusal of a key of another account, whether or not it exists. `action` without `kms:`. */
export function accessDenied(caller: Caller, action: string): KmsError {
  return new KmsError(
    'AccessDeniedException',
    `User: ${caller.principalArn} is not authorized to perform: kms:${action} on this resource because the resource does not exist ` +
      'in this Region, no resource-based policies allow access, or a resource-based policy explicitly denies access',
  );
}

/** The refusal of a ciphertext whose key is missing or forbidden. */
export function ciphertextKeyDenied(): KmsError {
  return new KmsError(
    'AccessDeniedException',
    'The ciphertext refers to a customer master key that does not exist, does not exist in this region, or you are not allowed to access.',
  );
}

/** The name of key policies: a key has one, and it is called `default`. */
import { KmsError } from '../errors.ts';

export const policyName = 'default';

export interface PolicyNameInput {
  readonly PolicyName?: string;
}

/** Throws KmsError NotFoundException for any other name. */
export function assertPolicyName(input: PolicyNameInput): void {
  if ((input.PolicyName ?? policyName) !== policyName) throw new KmsError('NotFoundException', 'No such policy exists');
}

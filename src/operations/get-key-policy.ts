/** GetKeyPolicy: the text of a key's one policy. */
import { assertPolicyName, policyName } from './policy-name.ts';
import { managedKey } from './named-key.ts';
import { defineOperation } from './operation.ts';
import type { PolicyNameInput } from './policy-name.ts';
import type { Operation } from './operation.ts';

export const getKeyPolicy: Operation = defineOperation<PolicyNameInput, 'key'>({
  name: 'GetKeyPolicy',
  action: 'GetKeyPolicy',
  keys: managedKey,
  check: assertPolicyName,
  perform: (_input, { keys }) => ({ Policy: keys.key.record.policy, PolicyName: policyName }),
});

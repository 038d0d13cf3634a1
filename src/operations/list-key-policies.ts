/** ListKeyPolicies: the one name that a key's policies have. One page holds it, so a marker that was never given out finds it again. */
import { managedKey } from './named-key.ts';
import { defineOperation } from './operation.ts';
import { policyName } from './policy-name.ts';
import type { Operation } from './operation.ts';

export const listKeyPolicies: Operation = defineOperation<object, 'key'>({
  name: 'ListKeyPolicies',
  action: 'ListKeyPolicies',
  keys: managedKey,
  perform: () => ({ PolicyNames: [policyName], Truncated: false }),
});

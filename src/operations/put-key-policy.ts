/** PutKeyPolicy: replaces the key policy by another text of the right form. */
import { assertPolicyDocument } from '../keys/default-policy.ts';
import { changeKey } from './key-change.ts';
import { managedKey } from './named-key.ts';
import { defineOperation } from './operation.ts';
import { assertPolicyName } from './policy-name.ts';
import type { Operation } from './operation.ts';
import type { PolicyNameInput } from './policy-name.ts';

interface PutKeyPolicyInput extends PolicyNameInput {
  readonly Policy: string;
}

export const putKeyPolicy: Operation = defineOperation<PutKeyPolicyInput, 'key'>({
  name: 'PutKeyPolicy',
  action: 'PutKeyPolicy',
  keys: managedKey,
  validate: (input) => assertPolicyDocument(input.Policy),
  check: assertPolicyName,
  perform: async (input, context) => {
    await changeKey('PutKeyPolicy', context.keys.key, context, (current) => ({ ...current, policy: input.Policy }));
    return undefined;
  },
});

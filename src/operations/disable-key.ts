/** DisableKey: the key stops working, and no session object of it is left in a token when the caller gets the answer. */
import { changeKey, forgetMaterials } from './key-change.ts';
import { managedKey } from './named-key.ts';
import { defineOperation } from './operation.ts';
import type { Operation } from './operation.ts';

export const disableKey: Operation = defineOperation<object, 'key'>({
  name: 'DisableKey',
  action: 'DisableKey',
  keys: managedKey,
  perform: async (_input, context) => {
    const disabled = await changeKey('DisableKey', context.keys.key, context, (current) => ({ ...current, state: 'Disabled' }));
    // Also for a key that was disabled before: a repeated call mends one whose forgetting failed.
    await forgetMaterials(disabled, context.parts);
    return undefined;
  },
});

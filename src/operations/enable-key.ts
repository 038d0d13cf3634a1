/** EnableKey: a disabled key works again. */
import { changeKey } from './key-change.ts';
import { managedKey } from './named-key.ts';
import { defineOperation } from './operation.ts';
import type { Operation } from './operation.ts';

export const enableKey: Operation = defineOperation<object, 'key'>({
  name: 'EnableKey',
  action: 'EnableKey',
  keys: managedKey,
  perform: async (_input, context) => {
    await changeKey('EnableKey', context.keys.key, context, (current) => ({ ...current, state: 'Enabled' }));
    return undefined;
  },
});

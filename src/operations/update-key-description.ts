/** UpdateKeyDescription. */
import { changeKey } from './key-change.ts';
import { managedKey } from './named-key.ts';
import { defineOperation } from './operation.ts';
import type { Operation } from './operation.ts';

interface UpdateKeyDescriptionInput {
  readonly Description: string;
}

export const updateKeyDescription: Operation = defineOperation<UpdateKeyDescriptionInput, 'key'>({
  name: 'UpdateKeyDescription',
  action: 'UpdateKeyDescription',
  keys: managedKey,
  perform: async (input, context) => {
    await changeKey('UpdateKeyDescription', context.keys.key, context, (current) => ({ ...current, description: input.Description }));
    return undefined;
  },
});

/** UntagResource: removes tags by their keys; keys that no tag has are ignored. */
import { assertNotReserved, withoutTags } from '../keys/tags.ts';
import { changeKey } from './key-change.ts';
import { managedKey } from './named-key.ts';
import { defineOperation } from './operation.ts';
import type { Operation } from './operation.ts';

interface UntagResourceInput {
  readonly TagKeys: readonly string[];
}

export const untagResource: Operation = defineOperation<UntagResourceInput, 'key'>({
  name: 'UntagResource',
  action: 'UntagResource',
  keys: managedKey,
  check: (input) => assertNotReserved(input.TagKeys),
  perform: async (input, context) => {
    await changeKey('UntagResource', context.keys.key, context, (current) => ({
      ...current,
      tags: withoutTags(current.tags, input.TagKeys),
    }));
    return undefined;
  },
});

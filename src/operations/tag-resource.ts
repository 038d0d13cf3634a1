/** TagResource: adds tags to a key; a tag of the same key gets the new value. */
import { assertTags, withTags } from '../keys/tags.ts';
import { changeKey } from './key-change.ts';
import { managedKey } from './named-key.ts';
import { defineOperation } from './operation.ts';
import { tagRecords } from './tag-members.ts';
import type { Operation } from './operation.ts';
import type { TagMember } from './tag-members.ts';

interface TagResourceInput {
  readonly Tags: readonly TagMember[];
}

export const tagResource: Operation = defineOperation<TagResourceInput, 'key'>({
  name: 'TagResource',
  action: 'TagResource',
  keys: managedKey,
  check: (input) => assertTags(tagRecords(input.Tags)),
  perform: async (input, context) => {
    const added = tagRecords(input.Tags);
    await changeKey('TagResource', context.keys.key, context, (current) => ({ ...current, tags: withTags(current.tags, added) }));
    return undefined;
  },
});

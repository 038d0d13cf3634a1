/** ListResourceTags: the tags of a key in order of tag key, so that a page goes on at the right place when tags change. */
import { decodeMarker, pageMembers } from '../keys/pagination.ts';
import { managedKey } from './named-key.ts';
import { defineOperation } from './operation.ts';
import { tagMembers } from './tag-members.ts';
import type { Operation } from './operation.ts';

interface ListResourceTagsInput {
  readonly Limit?: number;
  readonly Marker?: string;
}

const LIMIT_DEFAULT = 50;

export const listResourceTags: Operation = defineOperation<ListResourceTagsInput, 'key'>({
  name: 'ListResourceTags',
  action: 'ListResourceTags',
  keys: managedKey,
  perform: (input, { keys }) => {
    const { record } = keys.key;
    const listing = ['ListResourceTags', record.partition, record.account, record.region, record.keyId];
    const after = decodeMarker(listing, input.Marker);
    const sorted = record.tags.toSorted((a, b) => (a.key < b.key ? -1 : 1));
    const remaining = after === undefined ? sorted : sorted.filter((tag) => tag.key > after);
    const page = remaining.slice(0, input.Limit ?? LIMIT_DEFAULT);
    return { Tags: tagMembers(page), ...pageMembers(listing, page.length < remaining.length ? page.at(-1)?.key : undefined) };
  },
});

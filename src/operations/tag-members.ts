/** Tags between the API's form and the record's. */
import type { TagRecord } from '../keys/key-record.ts';

/** A tag as requests and replies carry it. */
export interface TagMember {
  readonly TagKey: string;
  readonly TagValue: string;
}

export function tagRecords(tags: readonly TagMember[]): readonly TagRecord[] {
  return tags.map((tag) => ({ key: tag.TagKey, value: tag.TagValue }));
}

export function tagMembers(tags: readonly TagRecord[]): readonly TagMember[] {
  return tags.map((tag) => ({ TagKey: tag.key, TagValue: tag.value }));
}

/** Which tags a key may carry (kms-api.md 5.5), and how a set of tags changes. */
import { KmsError } from '../errors.ts';
import type { TagRecord } from './key-record.ts';

/** Most tags of a key. */
export const tagsPerKeyMax = 50;

const RESERVED_PREFIX = 'aws:';

/** Checks tags that a request adds. Throws KmsError TagException. */
export function assertTags(tags: readonly TagRecord[]): void {
  if (tags.length > tagsPerKeyMax) throw new KmsError('TagException', 'Too many tags');
  if (new Set(tags.map((tag) => tag.key)).size < tags.length) throw new KmsError('TagException', 'Duplicate tag keys');
  assertNotReserved(tags.map((tag) => tag.key));
}

/** Checks tag keys that a request removes. Throws KmsError TagException. */
export function assertNotReserved(tagKeys: readonly string[]): void {
  if (tagKeys.some((key) => key.toLowerCase().startsWith(RESERVED_PREFIX))) {
    throw new KmsError('TagException', 'Tags beginning with aws: are reserved');
  }
}

/** `tags` with `added`: a tag of the same key is replaced in its place. Throws KmsError LimitExceededException above 50. */
export function withTags(tags: readonly TagRecord[], added: readonly TagRecord[]): readonly TagRecord[] {
  const merged = new Map(tags.map((tag) => [tag.key, tag.value]));
  for (const tag of added) merged.set(tag.key, tag.value);
  if (merged.size > tagsPerKeyMax) throw new KmsError('LimitExceededException', `A KMS key can have at most ${tagsPerKeyMax} tags.`);
  return [...merged].map(([key, value]) => ({ key, value }));
}

/** `tags` without those of the given keys; keys that no tag has are ignored. */
export function withoutTags(tags: readonly TagRecord[], tagKeys: readonly string[]): readonly TagRecord[] {
  const removed = new Set(tagKeys);
  return tags.filter((tag) => !removed.has(tag.key));
}

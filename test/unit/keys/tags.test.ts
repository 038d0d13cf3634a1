import { describe, expect, test } from 'vitest';
import { assertNotReserved, assertTags, withoutTags, withTags } from '../../../src/keys/tags.ts';
import { refusal } from '../../support/kms-fixture.ts';

const tag = (key: string, value = 'v'): { key: string; value: string } => ({ key, value });

describe('tags', () => {
  test.each([
    ['Too many tags', Array.from({ length: 51 }, (_, index) => tag(`k${index}`))],
    ['Duplicate tag keys', [tag('a'), tag('b'), tag('a', 'w')]],
    ['Tags beginning with aws: are reserved', [tag('AwS:x')]],
  ])('%s', (text, tags) => {
    expect(() => assertTags(tags)).toThrow(expect.objectContaining(refusal('TagException', text)));
  });

  test('aws: is reserved only as a prefix, and for removal too', () => {
    expect(() => assertTags([tag('awsome'), tag('x:aws:')])).not.toThrow();
    expect(() => assertNotReserved(['aws:x'])).toThrow(expect.objectContaining({ code: 'TagException' }));
  });

  test('adding overwrites in place, removing ignores what is not there', () => {
    expect(withTags([tag('a'), tag('b')], [tag('b', 'w'), tag('c')])).toEqual([tag('a'), tag('b', 'w'), tag('c')]);
    expect(withoutTags([tag('a'), tag('b')], ['b', 'z'])).toEqual([tag('a')]);
  });

  test('the 51st tag of a key is over the limit', () => {
    const fifty = Array.from({ length: 50 }, (_, index) => tag(`k${index}`));
    expect(withTags(fifty, [tag('k0', 'w')])).toHaveLength(50);
    expect(() => withTags(fifty, [tag('new')])).toThrow(expect.objectContaining({ code: 'LimitExceededException' }));
  });
});

import { describe, expect, test } from 'vitest';
import { decodeMarker, encodeMarker, pageMembers } from '../../../src/keys/pagination.ts';

describe('markers', () => {
  const listing = ['ListAliases', 'aws', '111122223333', 'eu-central-1', ''];

  test('lead back to where a page ended, whatever the name', () => {
    for (const name of ['alias/a', 'ключ', 'a b=c/d']) expect(decodeMarker(listing, encodeMarker(listing, name))).toBe(name);
    expect(decodeMarker(listing, undefined)).toBeUndefined();
  });

  test('of the longest name fit the API’s 1,024 characters', () => {
    const long = ['ListAliases', 'aws-us-gov', '111122223333', 'us-gov-west-1', 'mrk-1234abcd12ab34cd56ef1234567890ab'];
    expect(encodeMarker(long, 'a'.repeat(256)).length).toBeLessThanOrEqual(1024);
  });

  test.each([
    ['of another account', encodeMarker(['ListAliases', 'aws', '999999999999', 'eu-central-1', ''], 'a')],
    ['of another operation', encodeMarker(['ListKeys', 'aws', '111122223333', 'eu-central-1', ''], 'a')],
    ['of another key’s listing', encodeMarker([...listing.slice(0, 4), 'key'], 'a')],
    ['without a name', encodeMarker(listing, '')],
    ['with characters added', `${encodeMarker(listing, 'a')}!`],
    ['invented', 'x'],
  ])('%s are refused', (_what, marker) => {
    expect(() => decodeMarker(listing, marker)).toThrow(expect.objectContaining({ code: 'InvalidMarkerException' }));
  });

  test('Truncated is always said, NextMarker only when there is more', () => {
    expect(pageMembers(listing, undefined)).toEqual({ Truncated: false });
    expect(pageMembers(listing, 'a')).toEqual({ Truncated: true, NextMarker: encodeMarker(listing, 'a') });
  });
});

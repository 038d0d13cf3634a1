/** Alias names, tags, policies and markers: what is accepted, and the exact refusals. */
import { describe, expect, test } from 'vitest';
import { assertCustomerAliasName } from '../../../src/keys/alias-name.ts';
import { assertPolicyDocument, defaultKeyPolicy, policyBytesMax } from '../../../src/keys/default-policy.ts';
import { decodeMarker, encodeMarker, pageMembers } from '../../../src/keys/pagination.ts';
import { assertNotReserved, assertTags, withoutTags, withTags } from '../../../src/keys/tags.ts';
import { refusal } from '../../support/kms-fixture.ts';

const tag = (key: string, value = 'v'): { key: string; value: string } => ({ key, value });
const anyText: unknown = expect.any(String);

describe('alias names', () => {
  test('of customers are accepted', () => {
    for (const name of ['alias/a', 'alias/awsome', 'alias/app/prod_1-x']) expect(() => assertCustomerAliasName(name)).not.toThrow();
  });

  test('must begin with alias/', () => {
    const text =
      'Alias must start with the prefix "alias/". Please see https://docs.aws.amazon.com/kms/latest/developerguide/kms-alias.html';
    expect(() => assertCustomerAliasName('a')).toThrow(expect.objectContaining(refusal('ValidationException', text)));
  });

  test.each([
    ['alias/', 'InvalidAliasNameException'],
    ['alias/aws/s3', 'NotAuthorizedException'],
    ['alias/a:b', 'ValidationException'],
  ])('%s is %s', (name, code) => {
    expect(() => assertCustomerAliasName(name)).toThrow(expect.objectContaining({ code }));
  });
});

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

describe('key policies', () => {
  test('the default policy is itself acceptable and names the account of its partition', () => {
    const policy = defaultKeyPolicy('aws-cn', '111122223333');
    expect(() => assertPolicyDocument(policy)).not.toThrow();
    expect(JSON.parse(policy).Statement[0].Principal).toEqual({ AWS: 'arn:aws-cn:iam::111122223333:root' });
  });

  test.each(['{', '[]', 'null', '"x"', '{}', '{"Statement":1}', '{"Version":"1","Statement":[]}'])('%s is malformed', (policy) => {
    expect(() => assertPolicyDocument(policy)).toThrow(expect.objectContaining({ code: 'MalformedPolicyDocumentException' }));
  });

  test('is at most 32,768 bytes of UTF-8', () => {
    const ofLength = (bytes: number): string => `{"Statement":[]${' '.repeat(bytes - 16)}}`;
    expect(() => assertPolicyDocument(ofLength(policyBytesMax))).not.toThrow();
    expect(() => assertPolicyDocument(ofLength(policyBytesMax + 1))).toThrow(expect.objectContaining({ code: 'LimitExceededException' }));
    const umlauts = `{"Statement":["${'ü'.repeat(policyBytesMax / 2)}"]}`;
    expect(() => assertPolicyDocument(umlauts)).toThrow(expect.objectContaining({ code: 'LimitExceededException' }));
  });
});

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
    expect(() => decodeMarker(listing, marker)).toThrow(expect.objectContaining(refusal('InvalidMarkerException', anyText as string)));
  });

  test('Truncated is always said, NextMarker only when there is more', () => {
    expect(pageMembers(listing, undefined)).toEqual({ Truncated: false });
    expect(pageMembers(listing, 'a')).toEqual({ Truncated: true, NextMarker: encodeMarker(listing, 'a') });
  });
});

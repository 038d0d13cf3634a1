import { describe, expect, test } from 'vitest';
import { aliasArn, isKeyId, keyArn, parseKeyIdentifier } from '../../../src/keys/arn.ts';

const scope = { partition: 'aws-cn', account: '111122223333', region: 'cn-north-1' };
const keyId = '1234abcd-12ab-34cd-56ef-1234567890ab';
const mrk = 'mrk-1234abcd12ab34cd56ef1234567890ab';

describe('key identifiers', () => {
  test('an ARN that was written is read back', () => {
    expect(parseKeyIdentifier(keyArn({ ...scope, keyId }))).toEqual({ kind: 'key-arn', ...scope, keyId });
    expect(parseKeyIdentifier(aliasArn(scope, 'alias/a/b'))).toEqual({ kind: 'alias-arn', ...scope, aliasName: 'alias/a/b' });
  });

  test('a name is an alias, anything else without arn: a key id', () => {
    expect(parseKeyIdentifier('alias/x')).toEqual({ kind: 'alias-name', aliasName: 'alias/x' });
    expect(parseKeyIdentifier(keyId)).toEqual({ kind: 'key-id', keyId });
    expect(parseKeyIdentifier('fake-key-id')).toEqual({ kind: 'key-id', keyId: 'fake-key-id' });
  });

  test.each([
    'arn:',
    'arn:aws:kms:us-east-1:111122223333',
    'arn:aws:kms:us-east-1:111122223333:key/',
    'arn:aws:kms:us-east-1:1111:key/x',
    'arn:aws:s3:us-east-1:111122223333:key/x',
    'arn:aws:kms::111122223333:key/x',
    'arn:aws:kms:us-east-1:111122223333:grant/x',
  ])('%s is no ARN of a key or alias', (text) => {
    expect(parseKeyIdentifier(text)).toEqual({ kind: 'malformed-arn' });
  });

  test.each([
    [keyId, true],
    [mrk, true],
    [keyId.replaceAll('-', ''), false],
    ['mrk-fake', false],
    [`${keyId}\n`, false],
    ['', false],
  ])('isKeyId(%j) is %s', (text, expected) => {
    expect(isKeyId(text)).toBe(expected);
  });
});

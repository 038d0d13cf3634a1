import { describe, expect, test } from 'vitest';
import { assertPolicyDocument, defaultKeyPolicy, policyBytesMax } from '../../../src/keys/default-policy.ts';

/** A well-formed policy of that many bytes. */
const ofLength = (bytes: number): string => `{"Statement":[]${' '.repeat(bytes - 16)}}`;

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
    expect(() => assertPolicyDocument(ofLength(policyBytesMax))).not.toThrow();
    expect(() => assertPolicyDocument(ofLength(policyBytesMax + 1))).toThrow(expect.objectContaining({ code: 'LimitExceededException' }));
    const umlauts = `{"Statement":["${'ü'.repeat(policyBytesMax / 2)}"]}`;
    expect(() => assertPolicyDocument(umlauts)).toThrow(expect.objectContaining({ code: 'LimitExceededException' }));
  });
});

import { createHmac, hash, randomBytes } from 'node:crypto';
import { array, assert, property, string, uint8Array } from 'fast-check';
import { describe, expect, it } from 'vitest';
import { HmacSha256 } from '../../../../src/wire/sigv4/hmac-sha256.ts';
import { type Scope, deriveSigningKey } from '../../../../src/wire/sigv4/signing-keys.ts';
import { canonicalRequest, stringToSign } from '../../../../src/wire/sigv4/string-to-sign.ts';

// Source of the vectors: AWS documentation "Signature Version 4 signing process" and the published aws-sig-v4-test-suite.
// The secret is the documentation's own example, not a credential.
const EXAMPLE_SECRET = new TextEncoder().encode('wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY');
const EMPTY_HASH = 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855';
const SUITE: Scope = { day: '20150830', region: 'us-east-1', service: 'service' };

function sign(method: string, query: string, headers: Record<string, string>, scope = SUITE): string {
  const head = { method, path: '/', query, headers: new Map(Object.entries(headers)) };
  const canonical = canonicalRequest(head, Object.keys(headers).toSorted(), EMPTY_HASH);
  return deriveSigningKey(EXAMPLE_SECRET, scope)
    .mac(stringToSign(canonical, '20150830T123600Z', scope))
    .toString('hex');
}

const canonical = (query: string): string => canonicalRequest({ method: 'POST', path: '/', query, headers: new Map() }, [], EMPTY_HASH);

describe('what Signature Version 4 signs', () => {
  it('gives the canonical request, string to sign and signature of the documentation’s ListUsers example', () => {
    const scope: Scope = { ...SUITE, service: 'iam' };
    const headers = new Map([
      ['content-type', 'application/x-www-form-urlencoded; charset=utf-8'],
      ['host', 'iam.amazonaws.com'],
      ['x-amz-date', '20150830T123600Z'],
    ]);
    const head = { method: 'GET', path: '/', query: 'Action=ListUsers&Version=2010-05-08', headers };
    const canonical = canonicalRequest(head, [...headers.keys()], EMPTY_HASH);
    expect(hash('sha256', canonical)).toBe('f536975d06c0309214f805bb90ccff089219ecd68b2577efef23edd43b7e1a59');
    const text = stringToSign(canonical, '20150830T123600Z', scope);
    expect(text).toBe(
      'AWS4-HMAC-SHA256\n20150830T123600Z\n20150830/us-east-1/iam/aws4_request\nf536975d06c0309214f805bb90ccff089219ecd68b2577efef23edd43b7e1a59',
    );
    expect(deriveSigningKey(EXAMPLE_SECRET, scope).mac(text).toString('hex')).toBe(
      '5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7',
    );
  });

  it.each([
    ['get-vanilla', 'GET', '', {}, '5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31'],
    ['post-vanilla', 'POST', '', {}, '5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b'],
    [
      'get-header-value-trim',
      'GET',
      '',
      { 'my-header1': ' value1', 'my-header2': ' "a   b   c"' },
      'acc3ed3afb60bb290fc8d2dd0098b9911fcaa05412b367055dee359757a9c736',
    ],
    [
      'get-vanilla-query-order-key-case',
      'GET',
      'Param2=value2&Param1=value1',
      {},
      'b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500',
    ],
    ['post-header-key-sort', 'POST', '', { 'my-header1': 'value1' }, 'c5410059b04c1ee005303aed430f6e6645f61f4dc9e1461ec8f8916fdf18852c'],
    ['post-vanilla-query', 'POST', 'Param1=value1', {}, '28038455d6de14eafc1f9222cf5aa6f1a96197d7deb8263271d420d138af7f11'],
  ])('signs %s of the published suite', (_name, method, query, extra, signature) => {
    expect(sign(method, query, { ...extra, host: 'example.amazonaws.com', 'x-amz-date': '20150830T123600Z' })).toBe(signature);
  });

  it('takes each spelling of a query parameter to one canonical form', () => {
    expect(canonical('b=%7e&a=x y&a=%41')).toBe(canonical('a=A&a=x%20y&b=~'));
    expect(canonical('a=%zz')).toContain('\na=%25zz\n');
  });

  it('hashes header values byte for byte, also where they are not ASCII', () => {
    const value = Buffer.from('Grüße', 'utf8');
    const head = { method: 'POST', path: '/', query: '', headers: new Map([['x-amz-meta', value.toString('latin1')]]) };
    const canonical = canonicalRequest(head, ['x-amz-meta'], EMPTY_HASH);
    const bytes = Buffer.concat([Buffer.from('POST\n/\n\nx-amz-meta:'), value, Buffer.from(`\n\nx-amz-meta\n${EMPTY_HASH}`)]);
    expect(stringToSign(canonical, '20150830T123600Z', SUITE).endsWith(hash('sha256', bytes))).toBe(true);
  });
});

describe('HmacSha256', () => {
  it('gives what node:crypto gives for every key and message length, in any order', () => {
    assert(
      property(
        uint8Array({ maxLength: 200 }),
        array(string({ unit: 'grapheme-ascii', maxLength: 300 }), { maxLength: 5 }),
        (key, messages) => {
          const hmac = new HmacSha256(key);
          for (const message of messages) {
            const expected = createHmac('sha256', key).update(message).digest();
            expect(hmac.mac(message)).toEqual(expected);
            expect(hmac.macHex(message)).toBe(expected.toString('hex'));
          }
        },
      ),
    );
  });

  it('is useless after it was wiped', () => {
    const key = randomBytes(32);
    const hmac = new HmacSha256(key);
    const before = hmac.mac('message');
    hmac.wipe();
    expect(hmac.mac('message')).not.toEqual(before);
  });
});

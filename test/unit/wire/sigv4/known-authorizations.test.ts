import { describe, expect, it } from 'vitest';
import { parseAuthorization } from '../../../../src/wire/sigv4/authorization-header.ts';
import { KnownAuthorizations } from '../../../../src/wire/sigv4/known-authorizations.ts';

const header = (signature: string, accessKeyId = 'AKIDEXAMPLE'): string =>
  `AWS4-HMAC-SHA256 Credential=${accessKeyId}/20150830/us-east-1/kms/aws4_request, SignedHeaders=host;x-amz-date, Signature=${signature}`;
const FIRST = '0'.repeat(64);
const SECOND = '1'.repeat(64);

describe('a header that was verified before', () => {
  it('is read as it would be anew, with the signature that it has now', () => {
    const known = new KnownAuthorizations();
    known.remember(known.read(header(FIRST), true));
    expect(known.read(header(SECOND), true)).toEqual(parseAuthorization(header(SECOND), true));
    expect(known.read(header(SECOND, 'AKIDOTHER'), true)).toEqual(parseAuthorization(header(SECOND, 'AKIDOTHER'), true));
  });

  it('shares what was parsed, and only after it was remembered', () => {
    const known = new KnownAuthorizations();
    const first = known.read(header(FIRST), true);
    expect(known.read(header(SECOND), true).signedHeaders).not.toBe(first.signedHeaders);
    const second = known.read(header(SECOND), true);
    known.remember(second);
    expect(known.read(header(FIRST), true).signedHeaders).toBe(second.signedHeaders);
  });

  it('is refused without a date in the same words as ever', () => {
    const known = new KnownAuthorizations();
    known.remember(known.read(header(FIRST), true));
    expect(() => known.read(header(FIRST), false)).toThrow("requires existence of either a 'X-Amz-Date' or a 'Date' header");
    expect(() => known.read(undefined, true)).toThrow('Missing Authentication Token');
  });

  it('is forgotten with others when too many are known', () => {
    const known = new KnownAuthorizations();
    const first = known.read(header(FIRST), true);
    known.remember(first);
    for (let i = 0; i < 1024; i++) known.remember(known.read(header(FIRST, `AKID${i}`), true));
    expect(known.read(header(FIRST), true)).toEqual(first);
    expect(known.read(header(FIRST), true).signedHeaders).not.toBe(first.signedHeaders);
  });

  it('is not kept in another form than clients write', () => {
    const known = new KnownAuthorizations();
    const unusual = header(FIRST).replace('Credential', 'Signature=x, Credential').replace(`, Signature=${FIRST}`, '');
    const read = known.read(unusual, true);
    known.remember(read);
    expect(known.read(unusual, true).signedHeaders).not.toBe(read.signedHeaders);
  });
});

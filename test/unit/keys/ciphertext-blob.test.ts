import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  additionalData,
  assembleBlob,
  ciphertextBlobBytesMax,
  encodeHeader,
  parseCiphertextBlob,
} from '../../../src/keys/ciphertext-blob.ts';
import type { CiphertextHeaderFields } from '../../../src/keys/ciphertext-blob.ts';

const fields: CiphertextHeaderFields = {
  suite: 'derived-aes-cbc-data',
  partition: 'aws',
  account: '111122223333',
  keyId: '1234abcd-12ab-34cd-56ef-1234567890ab',
  materialId: 'ab'.repeat(32),
  epochNonce: new Uint8Array(16).fill(7),
};
const iv = new Uint8Array(12).fill(9);
const blobOf = (changes: Partial<CiphertextHeaderFields> = {}, sealedBytes = 17): Uint8Array =>
  assembleBlob(encodeHeader({ ...fields, ...changes }), iv, new Uint8Array(sealedBytes).fill(5));

describe('the ciphertext blob', () => {
  it('begins with the bytes of AWS KMS, so that its base64 begins AQICAH', () => {
    expect(Buffer.from(blobOf()).toString('base64').slice(0, 6)).toBe('AQICAH');
  });

  it('parses to what it was made of', () => {
    const header = parseCiphertextBlob(blobOf());
    expect(header).toMatchObject({ ...fields, epochNonce: expect.anything() as unknown });
    expect(Buffer.from(header!.epochNonce)).toEqual(Buffer.from(fields.epochNonce));
    expect(Buffer.from(header!.iv)).toEqual(Buffer.from(iv));
    expect(header!.headerBytes.length + 12 + header!.sealed.length).toBe(blobOf().length);
  });

  it('keeps leading zeros of the account and its largest value', () => {
    for (const account of ['000000000000', '000000000001', '999999999999'])
      expect(parseCiphertextBlob(blobOf({ account }))?.account).toBe(account);
  });

  it('takes at most 6,144 bytes for 4,096 bytes of plaintext and the longest names', () => {
    const longest = blobOf({ partition: 'p'.repeat(32), keyId: 'k'.repeat(64) }, 4096 + 16);
    expect(longest.length).toBeLessThanOrEqual(ciphertextBlobBytesMax);
    expect(parseCiphertextBlob(longest)?.keyId).toBe('k'.repeat(64));
  });

  it('has a zero nonce with the direct suite and only there', () => {
    const zero = new Uint8Array(16);
    expect(parseCiphertextBlob(blobOf({ suite: 'direct', epochNonce: zero }))?.suite).toBe('direct');
    expect(parseCiphertextBlob(blobOf({ suite: 'direct' }))).toBeUndefined();
    expect(parseCiphertextBlob(blobOf({ epochNonce: zero }))).toBeUndefined();
  });

  it('is not accepted without a byte of ciphertext before the tag', () => {
    expect(parseCiphertextBlob(blobOf({}, 16))).toBeUndefined();
  });

  it.each([
    ['magic', 0],
    ['format version', 5],
    ['suite', 6],
  ])('is not accepted with another %s', (_name, offset) => {
    const blob = blobOf();
    blob[offset] = 0xee;
    expect(parseCiphertextBlob(blob)).toBeUndefined();
  });

  it('is not accepted when it is cut anywhere before its last tag byte but the ciphertext', () => {
    const blob = blobOf();
    for (let length = 0; length < blob.length; length += 1) expect(parseCiphertextBlob(blob.subarray(0, length))).toBeUndefined();
  });

  it('is not accepted over 6,144 bytes', () => {
    expect(parseCiphertextBlob(blobOf({}, ciphertextBlobBytesMax))).toBeUndefined();
  });

  it('is not accepted with names that are not printable ASCII or an account above twelve digits', () => {
    const partitionAt = 8;
    const blob = blobOf();
    blob[partitionAt] = 0x0a;
    expect(parseCiphertextBlob(blob)).toBeUndefined();
    const account = blobOf();
    account.fill(0xff, partitionAt + 3, partitionAt + 11);
    expect(parseCiphertextBlob(account)).toBeUndefined();
  });

  it('never makes the parser throw, whatever the bytes are', () => {
    const prefix = blobOf().subarray(0, 7);
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 400 }), fc.boolean(), (bytes, prefixed) => {
        const input = prefixed ? Buffer.concat([prefix, bytes]) : bytes;
        const header = parseCiphertextBlob(input);
        if (header !== undefined) expect(assembleBlob(header.headerBytes, header.iv, header.sealed)).toEqual(new Uint8Array(input));
      }),
      { numRuns: 2000 },
    );
  });

  it('has one encoding for each header: what parses encodes to the same bytes', () => {
    const blob = blobOf();
    const header = parseCiphertextBlob(blob)!;
    expect(Buffer.from(encodeHeader(header))).toEqual(Buffer.from(header.headerBytes));
  });

  it.each([
    ['an account of 11 digits', { account: '11112222333' }],
    ['an empty partition', { partition: '' }],
    ['a key id of 65 characters', { keyId: 'k'.repeat(65) }],
    ['a material id in upper case', { materialId: 'AB'.repeat(32) }],
    ['a short nonce', { epochNonce: new Uint8Array(15) }],
  ])('is not made with %s', (_name, change) => {
    expect(() => encodeHeader({ ...fields, ...change })).toThrow(TypeError);
  });
});

describe('the additional data', () => {
  it('tells header and context apart wherever the border is', () => {
    const moved = additionalData(Uint8Array.of(1, 2, 3), Uint8Array.of(4));
    expect(Buffer.from(additionalData(Uint8Array.of(1, 2), Uint8Array.of(3, 4)))).not.toEqual(Buffer.from(moved));
    expect([...moved]).toEqual([0, 0, 0, 3, 1, 2, 3, 4]);
  });
});

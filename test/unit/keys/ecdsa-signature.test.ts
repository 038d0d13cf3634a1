import { generateKeyPairSync, sign, verify } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { derSignature } from '../../../src/keys/ecdsa-signature.ts';

describe('the DER form of an ECDSA signature', () => {
  it.each([
    ['leading zeros go, and a set high bit gets a zero before it', '00018000', '30080201010203008000'],
    ['a number that is 0 keeps one digit', '0000007f', '300602010002017f'],
  ])('%s', (_rule, plain, der) => {
    expect(Buffer.from(derSignature(Buffer.from(plain, 'hex'))).toString('hex')).toBe(der);
  });

  it.each([0, 63, 71])('is not made of %i bytes, which cannot be halved', (length) => {
    expect(() => derSignature(new Uint8Array(length).fill(1))).toThrow(RangeError);
  });

  it.each(['P-256', 'P-384', 'P-521', 'secp256k1'])('is accepted by OpenSSL for any signature on %s', (namedCurve) => {
    const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve });
    for (let count = 0; count < 100; count += 1) {
      const message = Buffer.from(`message ${count}`);
      const plain = sign('sha256', message, { key: privateKey, dsaEncoding: 'ieee-p1363' });
      expect(verify('sha256', message, publicKey, derSignature(plain))).toBe(true);
    }
  });
});

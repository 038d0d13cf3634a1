/** Encodings for RSA signatures, held against node:crypto, which signs and verifies the same messages whole. */
import { constants, createHash, generateKeyPairSync, privateEncrypt, publicDecrypt, randomBytes, sign, verify } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { encodePkcs1, encodePss, isPssEncoding } from '../../../src/keys/rsa-encoding.ts';

const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
const modulusBytes = 256;
const message = Buffer.from('a message');
const digests = [
  ['sha256', 32],
  ['sha384', 48],
  ['sha512', 64],
] as const;
const pss = { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: constants.RSA_PSS_SALTLEN_DIGEST };
const raw = (signature: Uint8Array): Buffer => publicDecrypt({ key: publicKey, padding: constants.RSA_NO_PADDING }, signature);

describe.each(digests)('with %s', (digest, digestBytes) => {
  const value = createHash(digest).update(message).digest();

  it('EMSA-PKCS1-v1_5 is the block that node:crypto signs', () => {
    expect(Buffer.from(encodePkcs1(digest, value, modulusBytes))).toEqual(raw(sign(digest, message, privateKey)));
  });

  it('EMSA-PSS makes a signature that node:crypto accepts, with a salt as long as the digest', () => {
    const block = encodePss(digest, value, randomBytes(digestBytes), modulusBytes);
    const signature = privateEncrypt({ key: privateKey, padding: constants.RSA_NO_PADDING }, block);
    expect(verify(digest, message, { key: publicKey, ...pss }, signature)).toBe(true);
  });

  it('EMSA-PSS is recognised in a signature of node:crypto', () => {
    const block = raw(sign(digest, message, { key: privateKey, ...pss }));
    expect(isPssEncoding(digest, value, block)).toBe(true);
    expect(isPssEncoding(digest, createHash(digest).update('another').digest(), block)).toBe(false);
  });

  it('EMSA-PSS with another length of salt is refused', () => {
    expect(isPssEncoding(digest, value, raw(sign(digest, message, { key: privateKey, ...pss, saltLength: 20 })))).toBe(false);
  });

  it('any changed bit of an EMSA-PSS block is refused', () => {
    const block = encodePss(digest, value, randomBytes(digestBytes), modulusBytes);
    for (let bit = 0; bit < modulusBytes * 8; bit += 1) {
      const changed = Uint8Array.from(block);
      changed[bit >>> 3] = (changed[bit >>> 3] ?? 0) ^ (1 << (bit & 7));
      expect(isPssEncoding(digest, value, changed), `bit ${bit}`).toBe(false);
    }
  });
});

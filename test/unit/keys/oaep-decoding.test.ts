import { constants, createPublicKey, generateKeyPairSync, privateDecrypt, publicEncrypt, randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { decodeOaep } from '../../../src/keys/oaep-decoding.ts';

const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
const publicKey = createPublicKey(privateKey);
const modulusBytes = 256;

/** What the private key operation gives of an OAEP ciphertext that OpenSSL made. */
function blockOf(oaepHash: string, message: Uint8Array, label?: Uint8Array): Uint8Array {
  const options = { key: publicKey, padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash, ...(label && { oaepLabel: label }) };
  return Uint8Array.from(privateDecrypt({ key: privateKey, padding: constants.RSA_NO_PADDING }, publicEncrypt(options, message)));
}

describe.each(['sha1', 'sha256'] as const)('an OAEP block with %s', (digest) => {
  const longest = modulusBytes - 2 * (digest === 'sha1' ? 20 : 32) - 2;

  it.each([0, 1, 16, longest])('gives the message of %i bytes that OpenSSL encrypted', (length) => {
    const message = randomBytes(length);
    expect(Buffer.from(decodeOaep(digest, blockOf(digest, message)) ?? [0])).toEqual(message);
  });

  it('gives a message that itself looks like padding', () => {
    for (const message of [Buffer.alloc(20), Buffer.from([0, 1, 0, 1]), Buffer.alloc(5, 1)]) {
      expect(Buffer.from(decodeOaep(digest, blockOf(digest, message)) ?? [])).toEqual(message);
    }
  });

  it('is refused when any of its bits is another one before the message', () => {
    const block = blockOf(digest, randomBytes(8));
    for (let at = 0; at < modulusBytes - 8; at += 1) {
      const altered = Uint8Array.from(block, (byte, index) => (index === at ? byte ^ (1 << (at % 8)) : byte));
      expect(decodeOaep(digest, altered), `byte ${at}`).toBeUndefined();
    }
  });

  it('is refused with another first byte, whatever it is', () => {
    const block = blockOf(digest, randomBytes(8));
    for (let first = 1; first < 256; first += 1) expect(decodeOaep(digest, Uint8Array.from(block).fill(first, 0, 1))).toBeUndefined();
  });

  it('is refused with a label, or of another digest', () => {
    expect(decodeOaep(digest, blockOf(digest, randomBytes(8), Buffer.from('label')))).toBeUndefined();
    expect(decodeOaep(digest === 'sha1' ? 'sha256' : 'sha1', blockOf(digest, randomBytes(8)))).toBeUndefined();
  });

  it('is refused when it is all zeros, which has no 01', () => {
    expect(decodeOaep(digest, new Uint8Array(modulusBytes))).toBeUndefined();
  });

  it('is overwritten, so that no padded plaintext stays in memory', () => {
    const block = blockOf(digest, randomBytes(8));
    decodeOaep(digest, block);
    expect(block).toEqual(new Uint8Array(modulusBytes));
  });
});

/**
 * EME-OAEP decoding (RFC 8017, 7.1.2, step 3) of a block that an RSA private key operation gave, for tokens that do the operation but
 * not this padding. No keys here.
 *
 * Who could tell which check of a bad block failed, the first byte above all, would decrypt any ciphertext with some thousand questions
 * (Manger, CRYPTO 2001). So nothing here depends on the block but the final yes or no: no branch and no memory address, only
 * additions and bit operations on small integers, over loops and hashes whose lengths follow from the modulus; all checks are always
 * made, and joined into one. Blocks always have the length of the modulus, leading zeros included.
 */
import { createHash } from 'node:crypto';
import { copyOffHeap } from '../bytes.ts';
import type { Digest } from './algorithms.ts';

/** The message, in a fresh array, or undefined when the block is no encoding of one. Writes over `block`. The label is empty. */
export function decodeOaep(digest: Digest, block: Uint8Array): Uint8Array | undefined {
  const labelHash = createHash(digest).update('').digest();
  const hashBytes = labelHash.length;
  const seed = block.subarray(1, 1 + hashBytes);
  const database = block.subarray(1 + hashBytes);
  mask(seed, digest, database);
  mask(database, digest, seed);
  let wrong = block[0] ?? 1;
  for (let index = 0; index < hashBytes; index += 1) wrong |= (database[index] ?? 0) ^ (labelHash[index] ?? 0);
  const { messageAt, malformed } = findMessage(database, hashBytes);
  const message = (wrong | malformed) === 0 ? copyOffHeap(database.subarray(messageAt)) : undefined;
  block.fill(0);
  return message;
}

/** Where the message begins: after zeros and one 01. `malformed` is not 0 when there is anything else before it. */
function findMessage(database: Uint8Array, from: number): { readonly messageAt: number; readonly malformed: number } {
  let messageAt = 0;
  let malformed = 0;
  // All bits set once the 01 was seen.
  let found = 0;
  for (let index = from; index < database.length; index += 1) {
    const byte = database[index] ?? 0;
    const isOne = ifZero(byte ^ 1);
    messageAt |= ~found & isOne & (index + 1);
    malformed |= ~found & ~isOne & byte;
    found |= isOne;
  }
  return { messageAt, malformed: malformed | (~found & 1) };
}

/** All bits set for 0, none for 1 to 255. */
function ifZero(byte: number): number {
  return (byte - 1) >> 31;
}

/** Adds MGF1 (RFC 8017, B.2.1) of `seed` to `target`. */
function mask(target: Uint8Array, digest: Digest, seed: Uint8Array): void {
  const counter = Buffer.alloc(4);
  for (let offset = 0, block = 0; offset < target.length; block += 1) {
    counter.writeUInt32BE(block);
    const bytes = createHash(digest).update(seed).update(counter).digest();
    for (let index = 0; index < bytes.length && offset < target.length; index += 1, offset += 1) {
      target[offset] = (target[offset] ?? 0) ^ (bytes[index] ?? 0);
    }
    bytes.fill(0);
  }
}

/**
 * Digests encoded for RSA signatures as RFC 8017 says: EMSA-PKCS1-v1_5 (9.2) and EMSA-PSS (9.1) with MGF1 of the same digest and a
 * salt as long as the digest. For signing and verifying when only the digest is known, which node:crypto cannot. No keys here.
 */
import { createHash } from 'node:crypto';
import { concatBytes, equalConstantTime } from '../bytes.ts';

/** The digests of RSA signatures. */
export type SignatureDigest = 'sha256' | 'sha384' | 'sha512';

const digestBytesOf: Readonly<Record<SignatureDigest, number>> = { sha256: 32, sha384: 48, sha512: 64 };
/** Last arc of the digest's object identifier 2.16.840.1.101.3.4.2. */
const oidArcOf: Readonly<Record<SignatureDigest, number>> = { sha256: 1, sha384: 2, sha512: 3 };
const psTrailer = 0xbc;

/** DER DigestInfo (RFC 8017, 9.2, note 1). */
export function digestInfo(digest: SignatureDigest, value: Uint8Array): Uint8Array {
  const oid = [0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, oidArcOf[digest], 0x05, 0x00];
  return concatBytes(Uint8Array.of(0x30, oid.length + 2 + value.length, ...oid, 0x04, value.length), value);
}

/** The whole EMSA-PKCS1-v1_5 block for a modulus of `modulusBytes`. */
export function encodePkcs1(digest: SignatureDigest, value: Uint8Array, modulusBytes: number): Uint8Array {
  const info = digestInfo(digest, value);
  const block = new Uint8Array(modulusBytes).fill(0xff);
  block.set([0x00, 0x01]);
  block[modulusBytes - info.length - 1] = 0x00;
  block.set(info, modulusBytes - info.length);
  return block;
}

/** The EMSA-PSS block for a modulus of `modulusBytes` whole bytes. `salt` is random and as long as the digest. */
export function encodePss(digest: SignatureDigest, value: Uint8Array, salt: Uint8Array, modulusBytes: number): Uint8Array {
  const hash = saltedHash(digest, value, salt);
  const database = new Uint8Array(modulusBytes - hash.length - 1);
  database[database.length - salt.length - 1] = 0x01;
  database.set(salt, database.length - salt.length);
  applyMask(database, maskOf(digest, hash, database.length));
  return concatBytes(database, hash, Uint8Array.of(psTrailer));
}

/** True when `block`, as long as the modulus, encodes the digest with a salt as long as the digest. */
export function isPssEncoding(digest: SignatureDigest, value: Uint8Array, block: Uint8Array): boolean {
  const length = digestBytesOf[digest];
  const database = Uint8Array.from(block.subarray(0, block.length - length - 1));
  const hash = block.subarray(database.length, -1);
  // One bit is left over: an encoded message is one bit shorter than the modulus.
  if (block.at(-1) !== psTrailer || ((block[0] ?? 0) & 0x80) !== 0) return false;
  applyMask(database, maskOf(digest, hash, database.length));
  const saltAt = database.length - length;
  const padding = database.subarray(0, saltAt - 1);
  if (padding.some((byte) => byte !== 0) || database[saltAt - 1] !== 0x01) return false;
  return equalConstantTime(hash, saltedHash(digest, value, database.subarray(saltAt)));
}

function saltedHash(digest: SignatureDigest, value: Uint8Array, salt: Uint8Array): Uint8Array {
  return createHash(digest).update(new Uint8Array(8)).update(value).update(salt).digest();
}

function applyMask(database: Uint8Array, mask: Uint8Array): void {
  for (let index = 0; index < database.length; index += 1) database[index] = (database[index] ?? 0) ^ (mask[index] ?? 0);
  database[0] = (database[0] ?? 0) & 0x7f;
}

/** MGF1 (RFC 8017, B.2.1). */
function maskOf(digest: SignatureDigest, seed: Uint8Array, lengthBytes: number): Uint8Array {
  const blocks = Array.from({ length: Math.ceil(lengthBytes / digestBytesOf[digest]) }, (_none, index) => {
    const counter = Buffer.alloc(4);
    counter.writeUInt32BE(index);
    return createHash(digest).update(seed).update(counter).digest();
  });
  return concatBytes(...blocks).subarray(0, lengthBytes);
}

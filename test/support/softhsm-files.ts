/**
 * Reads the keys out of SoftHSM's object files with the user's PIN, so that a test knows bytes that nothing else lets out.
 * SoftHSM 2.6: the PIN unwraps the token's AES key (SecureDataManager.cpp, RFC4880.cpp), which encrypts the values of private objects.
 */
import { createDecipheriv, createHash } from 'node:crypto';
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

const attributes = {
  CLASS: 0x00,
  PRIVATE: 0x02,
  LABEL: 0x03,
  VALUE: 0x11,
  KEY_TYPE: 0x100,
  ID: 0x102,
  PRIME_1: 0x124,
  USER_PIN: 0x8000_534d,
} as const;
const [privateKeyClass, secretKeyClass] = [3, 4];
const rsaKeyType = 0;
const baseIterations = 1500;
const magic = 'RJR';

/** A secret or private key of the token. */
export interface StoredKey {
  readonly label: string;
  /** CKA_ID. */
  readonly id: Buffer;
  /** CKA_VALUE; of an RSA key, its first prime. */
  readonly value: Buffer;
}

/** The secret and private keys of the only token in `tokenDirectory`. */
export function readKeys(tokenDirectory: string, pin: Uint8Array): readonly StoredKey[] {
  const [token = ''] = readdirSync(tokenDirectory);
  const folder = join(tokenDirectory, token);
  const tokenKey = unwrapTokenKey(attribute(readAttributes(join(folder, 'token.object')), 'USER_PIN'), pin);
  const objects = readdirSync(folder).filter((name) => name.endsWith('.object') && name !== 'token.object');
  return objects
    .map((name) => readAttributes(join(folder, name)))
    .filter((object) => [privateKeyClass, secretKeyClass].includes(Number(object.get(attributes.CLASS))))
    .map((object) => {
      const isPrivate = object.get(attributes.PRIVATE) !== 0n;
      const read = (name: keyof typeof attributes): Buffer =>
        isPrivate ? decrypt(tokenKey, attribute(object, name)) : attribute(object, name);
      return { label: read('LABEL').toString('utf8'), id: read('ID'), value: read(isRsa(object) ? 'PRIME_1' : 'VALUE') };
    });
}

function isRsa(object: Attributes): boolean {
  return Number(object.get(attributes.CLASS)) === privateKeyClass && Number(object.get(attributes.KEY_TYPE)) === rsaKeyType;
}

type Attributes = ReadonlyMap<number, bigint | Buffer>;

function attribute(object: Attributes, name: keyof typeof attributes): Buffer {
  const value = object.get(attributes[name]);
  if (!Buffer.isBuffer(value)) throw new Error(`the object of SoftHSM has no ${name}`);
  return value;
}

/** Numbers are big-endian and of 8 bytes: the generation first, then type, kind and value of each attribute. */
function readAttributes(path: string): Attributes {
  const file = readFileSync(path);
  const found = new Map<number, bigint | Buffer>();
  let at = 8;
  const number = (): bigint => file.readBigUInt64BE((at += 8) - 8);
  while (at < file.length) {
    const type = Number(number());
    const kind = Number(number());
    if (kind === 1) found.set(type, BigInt(file[at++] ?? 0));
    else if (kind === 2) found.set(type, number());
    else {
      const length = Number(number()) * (kind === 5 ? 8 : 1);
      found.set(type, file.subarray(at, at + length));
      at += length;
    }
  }
  return found;
}

/** salt (8), IV (16), AES-256-CBC of the magic and the token's key. */
function unwrapTokenKey(sealed: Buffer, pin: Uint8Array): Buffer {
  const salt = sealed.subarray(0, 8);
  let key = createHash('sha256').update(salt).update(pin).digest();
  for (let left = baseIterations + (salt.at(-1) ?? 0) - 1; left > 0; left -= 1) key = createHash('sha256').update(key).digest();
  const opened = decrypt(key, sealed.subarray(8));
  if (opened.toString('latin1', 0, 3) !== magic) throw new Error('the PIN does not open the token of SoftHSM');
  return opened.subarray(3);
}

function decrypt(key: Buffer, sealed: Buffer): Buffer {
  const decipher = createDecipheriv('aes-256-cbc', key, sealed.subarray(0, 16));
  return Buffer.concat([decipher.update(sealed.subarray(16)), decipher.final()]);
}

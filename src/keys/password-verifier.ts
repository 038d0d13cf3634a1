/** Passwords of key stores: kept as scrypt over a random salt (RFC 7914), never as they are. */
import { scrypt } from 'node:crypto';
import { equalConstantTime, toHex } from '../bytes.ts';
import type { PasswordVerifier } from './custom-key-store-record.ts';

const SALT_BYTES = 16;
const HASH_BYTES = 32;
/** 32 MiB and about a tenth of a second. */
const COST = { N: 32_768, r: 8, p: 1, maxmem: 67_108_864 };

export async function passwordVerifier(password: Uint8Array, randomBytes: (lengthBytes: number) => Uint8Array): Promise<PasswordVerifier> {
  const salt = randomBytes(SALT_BYTES);
  return { salt: toHex(salt), hash: toHex(await hashOf(password, salt)) };
}

/** True when the verifier was made from `password`. */
export async function isPasswordOf(verifier: PasswordVerifier, password: Uint8Array): Promise<boolean> {
  return equalConstantTime(await hashOf(password, Buffer.from(verifier.salt, 'hex')), Buffer.from(verifier.hash, 'hex'));
}

function hashOf(password: Uint8Array, salt: Uint8Array): Promise<Uint8Array> {
  return new Promise((resolve, reject) => {
    scrypt(password, salt, HASH_BYTES, COST, (error, hash) => (error === null ? resolve(hash) : reject(error)));
  });
}

/** Passwords that can be checked and not be read. */
import { randomBytes, scryptSync } from 'node:crypto';
import { expect, test } from 'vitest';
import { isPasswordOf, passwordVerifier } from '../../../src/keys/password-verifier.ts';

test('a verifier is scrypt over a salt of its own: it knows its password and no other', async () => {
  const password = Buffer.from('kmsuser-password');
  const [verifier, other] = [await passwordVerifier(password, randomBytes), await passwordVerifier(password, randomBytes)];
  expect(verifier).not.toEqual(other);
  const cost = { N: 32_768, r: 8, p: 1, maxmem: 67_108_864 };
  expect(verifier.hash).toBe(scryptSync(password, Buffer.from(verifier.salt, 'hex'), 32, cost).toString('hex'));
  for (const made of [verifier, other]) expect(await isPasswordOf(made, password)).toBe(true);
  for (const wrong of ['kmsuser-passwort', 'kmsuser-password ', '']) expect(await isPasswordOf(verifier, Buffer.from(wrong))).toBe(false);
});

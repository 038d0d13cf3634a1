/** HPKE in mode Auth against RFC 9180, A.2.3, and against those who are not meant. */
import { generateKeyPairSync } from 'node:crypto';
import { expect, test } from 'vitest';
import { derivePrivateKey, openAuthenticated, privateKeyOf, publicKeyOf, sealAuthenticated } from '../../../../src/keystore/software/hpke.ts';

const hex = (text: string): Uint8Array => Buffer.from(text, 'hex');
const bare = (der: Uint8Array): string => Buffer.from(der.subarray(-32)).toString('hex');
const plaintext = hex('4265617574792069732074727574682c20747275746820626561757479');
const context = { info: hex('4f6465206f6e2061204772656369616e2055726e'), additionalData: hex('436f756e742d30') };
const ephemeral = privateKeyOf(hex('c94619e1af28971c8fa7957192b7e62a71ca2dcdde0a7cc4a8a9e741d600ab13'));
const recipient = privateKeyOf(hex('3ca22a6d1cda1bb9480949ec5329d3bf0b080ca4c45879c95eddb55c70b80b82'));
const sender = privateKeyOf(hex('2def0cb58ffcf83d1062dd085c8aceca7f4c0c3fd05912d847b61f3e54121f05'));
const vector =
  'f7674cc8cd7baa5872d1f33dbaffe3314239f6197ddf5ded1746760bfc847e0e' +
  'ab1a13c9d4f01a87ec3440dbd756e2677bd2ecf9df0ce7ed73869b98e00c09be111cb9fdf077347aeb88e61bdf';

test('it seals and opens the message of RFC 9180, A.2.3', () => {
  const sealed = sealAuthenticated(sender, publicKeyOf(recipient), ephemeral, context, plaintext);
  expect(Buffer.from(sealed).toString('hex')).toBe(vector);
  expect(Buffer.from(openAuthenticated(recipient, publicKeyOf(sender), context, hex(vector)))).toEqual(plaintext);
});

test('public keys are those of RFC 9180, and private keys are derived as it says (A.1.3)', () => {
  expect(bare(publicKeyOf(recipient))).toBe('1a478716d63cb2e16786ee93004486dc151e988b34b475043d3e0175bdb01c44');
  expect(bare(publicKeyOf(sender))).toBe('f0f4f9e96c54aeed3f323de8534fffd7e0577e4ce269896716bcb95643c8712b');
  const derived = derivePrivateKey(hex('938d3daa5a8904540bc24f48ae90eed3f4f7f11839560597b55e7c9598c996c0'));
  expect(bare(publicKeyOf(derived))).toBe('f7674cc8cd7baa5872d1f33dbaffe3314239f6197ddf5ded1746760bfc847e0e');
});

test('no changed byte, other context, other sender or other recipient opens', () => {
  const other = generateKeyPairSync('x25519').privateKey;
  for (let index = 0; index < vector.length / 2; index += 1) {
    const changed = Buffer.from(hex(vector));
    changed[index] = (changed[index] ?? 0) ^ 1;
    expect(() => openAuthenticated(recipient, publicKeyOf(sender), context, changed)).toThrow();
  }
  expect(() => openAuthenticated(recipient, publicKeyOf(other), context, hex(vector))).toThrow();
  expect(() => openAuthenticated(other, publicKeyOf(sender), context, hex(vector))).toThrow();
  expect(() => openAuthenticated(recipient, publicKeyOf(sender), { ...context, info: hex('00') }, hex(vector))).toThrow();
  expect(() => openAuthenticated(recipient, publicKeyOf(sender), { ...context, additionalData: hex('00') }, hex(vector))).toThrow();
  expect(() => openAuthenticated(recipient, publicKeyOf(sender), context, hex(vector).subarray(0, 40))).toThrow('too short');
});

test('a public key of another kind is refused, and one that makes every secret zero', () => {
  const ed25519 = generateKeyPairSync('ed25519').publicKey.export({ type: 'spki', format: 'der' });
  expect(() => sealAuthenticated(sender, ed25519, ephemeral, context, plaintext)).toThrow('none of X25519');
  const zero = Buffer.concat([publicKeyOf(recipient).subarray(0, 12), new Uint8Array(32)]);
  expect(() => sealAuthenticated(sender, zero, ephemeral, context, plaintext)).toThrow();
});

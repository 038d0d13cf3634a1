import { createPublicKey, generateKeyPairSync } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { publicKeyOf, publicPointOf, publicTemplate } from '../../../src/token/key-pairs.ts';
import type { PairShape } from '../../../src/token/key-pairs.ts';

const spki = (key: KeyObject): Buffer => key.export({ format: 'der', type: 'spki' });
const part = (key: KeyObject, name: 'n' | 'e' | 'x' | 'y'): Buffer => Buffer.from(key.export({ format: 'jwk' })[name] ?? '', 'base64url');
const rsa: PairShape = { type: 'rsa', modulusBits: 2048 };
const curves = ['prime256v1', 'secp384r1', 'secp521r1', 'secp256k1'] as const;

describe('the public half of a pair that a token made', () => {
  it('is the DER that OpenSSL gives for the same modulus, with or without zeros before it', () => {
    const { publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
    const attributes = { MODULUS: part(publicKey, 'n'), PUBLIC_EXPONENT: part(publicKey, 'e') };
    expect(publicKeyOf(rsa, attributes)).toEqual(Uint8Array.from(spki(publicKey)));
    expect(publicKeyOf(rsa, { ...attributes, MODULUS: Buffer.concat([Buffer.alloc(1), attributes.MODULUS]) })).toEqual(
      Uint8Array.from(spki(publicKey)),
    );
    expect(publicKeyOf({ type: 'rsa', modulusBits: 3072 }, attributes)).toBeUndefined();
    expect(publicKeyOf(rsa, { MODULUS: attributes.MODULUS })).toBeUndefined();
  });

  it.each(curves)('is the DER that OpenSSL gives for the same point of %s, in an octet string or bare', (curve) => {
    const { publicKey } = generateKeyPairSync('ec', { namedCurve: curve });
    const point = Buffer.concat([Uint8Array.of(4), part(publicKey, 'x'), part(publicKey, 'y')]);
    const header = point.length < 0x80 ? [4, point.length] : [4, 0x81, point.length];
    const shape = { type: 'ec', curve } as const;
    for (const EC_POINT of [point, Buffer.concat([Buffer.from(header), point])]) {
      expect(publicKeyOf(shape, { EC_POINT })).toEqual(Uint8Array.from(spki(publicKey)));
    }
    expect(publicPointOf(spki(publicKey))).toEqual(point);
    expect(publicKeyOf(shape, { EC_POINT: point.subarray(1) })).toBeUndefined();
    expect(publicKeyOf(shape, {})).toBeUndefined();
  });

  it('is none when the point is not on the curve', () => {
    const point = new Uint8Array(65).fill(7);
    point[0] = 4;
    expect(publicKeyOf({ type: 'ec', curve: 'prime256v1' }, { EC_POINT: point })).toBeUndefined();
  });

  it('is the DER that OpenSSL gives for the same Ed25519 key', () => {
    const { publicKey } = generateKeyPairSync('ed25519');
    const EC_POINT = Buffer.concat([Uint8Array.of(4, 32), part(publicKey, 'x')]);
    expect(publicKeyOf({ type: 'ed25519' }, { EC_POINT })).toEqual(Uint8Array.from(spki(publicKey)));
  });

  it.each(curves)('is asked for on %s by the parameters that OpenSSL writes', (curve) => {
    const { publicKey } = generateKeyPairSync('ec', { namedCurve: curve });
    const { EC_PARAMS = new Uint8Array() } = publicTemplate({ type: 'ec', curve }, 'SIGN');
    expect(spki(publicKey).includes(Buffer.from(EC_PARAMS))).toBe(true);
    expect(createPublicKey({ key: spki(publicKey), format: 'der', type: 'spki' }).asymmetricKeyType).toBe('ec');
  });

  it('is a session object that may do what its private half undoes', () => {
    expect(publicTemplate(rsa, 'SIGN')).toMatchObject({ TOKEN: false, MODULUS_BITS: 2048, VERIFY: true, ENCRYPT: false, WRAP: false });
    expect(publicTemplate(rsa, 'DECRYPT')).toMatchObject({ VERIFY: false, ENCRYPT: true, WRAP: false });
  });
});

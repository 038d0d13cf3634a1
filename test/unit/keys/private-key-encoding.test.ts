/** Private keys from elsewhere: what OpenSSL writes in any of its forms is taken in as one form, and nothing else is. */
import { execFileSync } from 'node:child_process';
import { createPrivateKey, createPublicKey, generateKeyPairSync } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { normalisedKeyPair, PrivateKeyError } from '../../../src/keys/private-key-encoding.ts';
import { customerMaterial, pairOf } from '../../support/customer-material.ts';
import type { CustomerMaterial } from '../../support/customer-material.ts';

const curves = [
  ['ECC_NIST_P256', 'prime256v1'],
  ['ECC_NIST_P384', 'secp384r1'],
  ['ECC_NIST_P521', 'secp521r1'],
  ['ECC_SECG_P256K1', 'secp256k1'],
] as const;
const rsaSizes = [2048, 3072, 4096] as const;
const ecPair = (namedCurve: string): CustomerMaterial => pairOf(generateKeyPairSync('ec', { namedCurve, paramEncoding: 'named' }));
const rsaPair = (modulusLength: number): CustomerMaterial => pairOf(generateKeyPairSync('rsa', { modulusLength }));

function openssl(words: readonly string[], input: Uint8Array | string = ''): Buffer {
  return execFileSync('openssl', words, { input, stdio: ['pipe', 'pipe', 'ignore'] });
}

/** A key of OpenSSL in PEM, as PKCS#8 in DER. */
function pkcs8(pem: Uint8Array): Buffer {
  return openssl(['pkcs8', '-topk8', '-nocrypt', '-outform', 'DER'], pem);
}

/** A copy with one bit turned over. */
function altered(bytes: Uint8Array, at: number): Uint8Array {
  const copy = Uint8Array.from(bytes);
  copy[at]! ^= 1;
  return copy;
}

function refuses(keySpec: string, bytes: Uint8Array): void {
  expect(() => normalisedKeyPair(keySpec, bytes)).toThrow(PrivateKeyError);
}

describe('a private key in PKCS#8', () => {
  test.each(curves)('of %s stays what it is', (keySpec, curve) => {
    const pair = ecPair(curve);
    const taken = normalisedKeyPair(keySpec, pair.bytes);
    expect(Buffer.from(taken.privateKey)).toEqual(pair.bytes);
    expect(Buffer.from(taken.publicKey)).toEqual(pair.publicKey);
  });

  test.each(rsaSizes)('of RSA with %d bits stays what it is', (modulusLength) => {
    const pair = rsaPair(modulusLength);
    const taken = normalisedKeyPair(`RSA_${modulusLength}`, pair.bytes);
    expect(Buffer.from(taken.privateKey)).toEqual(pair.bytes);
    expect(Buffer.from(taken.publicKey)).toEqual(pair.publicKey);
  });

  test('of Ed25519 stays what it is', () => {
    const pair = pairOf(generateKeyPairSync('ed25519'));
    const taken = normalisedKeyPair('ECC_NIST_EDWARDS25519', pair.bytes);
    expect(Buffer.from(taken.privateKey)).toEqual(pair.bytes);
    expect(Buffer.from(taken.publicKey)).toEqual(pair.publicKey);
  });

  test('of SM2 stays what it is', () => {
    const pair = customerMaterial('SM2');
    const taken = normalisedKeyPair('SM2', pair.bytes);
    expect(Buffer.from(taken.privateKey)).toEqual(pair.bytes);
    expect(Buffer.from(taken.publicKey)).toEqual(pair.publicKey);
  });

  test.each(curves)('of %s with a compressed point, or with none, gets the point uncompressed', (keySpec, curve) => {
    const pem = openssl(['ecparam', '-name', curve, '-genkey', '-noout']);
    const expected = createPublicKey(pem).export({ format: 'der', type: 'spki' });
    const compressed = pkcs8(openssl(['ec', '-conv_form', 'compressed'], pem));
    const pointless = pkcs8(openssl(['ec', '-no_public'], pem));
    expect(pointless.length).toBeLessThan(compressed.length);
    for (const form of [compressed, pointless]) {
      const taken = normalisedKeyPair(keySpec, form);
      expect(Buffer.from(taken.publicKey)).toEqual(expected);
      const key = createPrivateKey({ key: Buffer.from(taken.privateKey), format: 'der', type: 'pkcs8' });
      expect(createPublicKey(key).export({ format: 'der', type: 'spki' })).toEqual(expected);
    }
  });
});

describe('refused is', () => {
  test('a key of another curve, size or kind', () => {
    const p256 = ecPair('prime256v1').bytes;
    const rsa = rsaPair(2048).bytes;
    const pss = pairOf(generateKeyPairSync('rsa-pss', { modulusLength: 2048 })).bytes;
    const x25519 = pairOf(generateKeyPairSync('x25519')).bytes;
    for (const [spec, key] of [
      ['ECC_SECG_P256K1', p256],
      ['ECC_NIST_EDWARDS25519', p256],
      ['RSA_2048', p256],
      ['RSA_3072', rsa],
      ['ECC_NIST_P256', rsa],
      ['RSA_2048', pss],
      ['ECC_NIST_EDWARDS25519', x25519],
      ['ML_DSA_44', p256],
      ['HMAC_256', p256],
    ] as const) {
      refuses(spec, key);
    }
  });

  test('a curve that is written out instead of named', () => {
    refuses('ECC_NIST_P256', pkcs8(openssl(['ecparam', '-name', 'prime256v1', '-genkey', '-param_enc', 'explicit'])));
  });

  test('an RSA key of three primes, or with a public exponent of 3', () => {
    refuses('RSA_2048', pkcs8(openssl(['genrsa', '-primes', '3', '2048'])));
    refuses('RSA_2048', pkcs8(openssl(['genrsa', '-3', '2048'])));
  });

  test.each(curves)('a key of %s with the point of another, or with a scalar out of range', (keySpec, curve) => {
    const [own, other] = [ecPair(curve), ecPair(curve)];
    const pointBytes = { prime256v1: 65, secp384r1: 97, secp521r1: 133, secp256k1: 65 }[curve];
    const head = own.bytes.length - pointBytes;
    refuses(keySpec, Buffer.concat([own.bytes.subarray(0, head), other.bytes.subarray(head)]));
    const scalarBytes = (pointBytes - 1) / 2;
    const scalarAt = own.bytes.indexOf(Buffer.from([0x04, scalarBytes])) + 2;
    for (const filler of [0x00, 0xff]) {
      const outOfRange = Buffer.from(own.bytes);
      outOfRange.fill(filler, scalarAt, scalarAt + scalarBytes);
      refuses(keySpec, outOfRange);
    }
  });

  test('an SM2 key with the point of another, or with a scalar out of range', () => {
    const [own, other] = [customerMaterial('SM2').bytes, customerMaterial('SM2').bytes];
    refuses('SM2', Buffer.concat([own.subarray(0, -65), other.subarray(-65)]));
    const scalarAt = own.indexOf(Buffer.from([0x04, 0x20])) + 2;
    for (const filler of [0x00, 0xff]) refuses('SM2', Buffer.from(own).fill(filler, scalarAt, scalarAt + 32));
    refuses('ECC_NIST_P256', own);
    refuses('SM2', ecPair('prime256v1').bytes);
  });

  test('an RSA key whose modulus was altered', () => {
    const { bytes: privateKey } = rsaPair(2048);
    const modulusAt = privateKey.indexOf(Buffer.from([0x02, 0x82, 0x01, 0x01, 0x00])) + 5;
    refuses('RSA_2048', altered(privateKey, modulusAt + 200));
  });

  test('anything before or behind the key, a key that is cut off, an encrypted one, another encoding, nothing', () => {
    const { bytes: privateKey } = ecPair('prime256v1');
    const key = createPrivateKey({ key: privateKey, format: 'der', type: 'pkcs8' });
    const encrypted = key.export({ format: 'der', type: 'pkcs8', cipher: 'aes-256-cbc', passphrase: 'known' });
    for (const bytes of [
      Buffer.concat([privateKey, Buffer.alloc(1)]),
      Buffer.concat([Buffer.alloc(1), privateKey]),
      privateKey.subarray(0, -1),
      encrypted,
      key.export({ format: 'der', type: 'sec1' }),
      Buffer.from(key.export({ format: 'pem', type: 'pkcs8' })),
      Buffer.alloc(0),
    ]) {
      refuses('ECC_NIST_P256', bytes);
    }
  });
});

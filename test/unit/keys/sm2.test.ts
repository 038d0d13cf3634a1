/** SM2 against the examples of its standard, and against OpenSSL in both directions. */
import { execFileSync } from 'node:child_process';
import { createECDH, randomBytes } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { assert, nat, property, uint8Array } from 'fast-check';
import { afterAll, describe, expect, test } from 'vitest';
import { concatBytes, toHex } from '../../../src/bytes.ts';
import { generateKeyPair } from '../../../src/keys/key-pair.ts';
import { isPublicKeyOf } from '../../../src/keys/peer-public-key.ts';
import {
  agreeSm2,
  isSm2PrivateKey,
  numberOf,
  sm2Curve,
  sm2KeyPair,
  sm2Parameters,
  sm2PointOf,
  sm2PublicPoint,
} from '../../../src/keys/sm2-curve.ts';
import { decryptSm2, encryptSm2, encryptWithNonce } from '../../../src/keys/sm2-encryption.ts';
import { isSm2Signature, signSm2Digest, signWithNonce, sm2Digest } from '../../../src/keys/sm2-signature.ts';

interface Vectors {
  readonly privateKey: string;
  readonly publicPoint: string;
  readonly nonce: string;
  readonly signature: { readonly message: string; readonly digest: string; readonly r: string; readonly s: string };
  readonly encryption: { readonly message: string; readonly x: string; readonly y: string; readonly c3: string; readonly c2: string };
}

const vectors = JSON.parse(readFileSync(new URL('../../vectors/sm2.json', import.meta.url), 'utf8')) as Vectors;
const hex = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text, 'hex'));
const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text);
const spkiOf = (point: Uint8Array): Uint8Array => concatBytes(hex('3059301306072a8648ce3d020106082a811ccf5501822d034200'), point);
const random = (lengthBytes: number): Uint8Array => Uint8Array.from(randomBytes(lengthBytes));

const standard = { scalar: hex(vectors.privateKey), point: hex(vectors.publicPoint) };
const nonce = numberOf(hex(vectors.nonce));
const { publicKey, privateKey } = await generateKeyPair('SM2', random);
const pair = sm2KeyPair(privateKey);

const folder = mkdtempSync(join(tmpdir(), 'hsm-kms-sm2-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const file = (name: string, bytes: Uint8Array): string => {
  writeFileSync(join(folder, name), bytes, { mode: 0o600 });
  return join(folder, name);
};
const publicFile = file('public.der', publicKey);
const privateFile = file('private.der', privateKey);

function pkeyutl(...words: string[]): Uint8Array {
  return Uint8Array.from(execFileSync('openssl', ['pkeyutl', '-keyform', 'DER', ...words], { stdio: ['ignore', 'pipe', 'pipe'] }));
}

describe('the examples of GB/T 32918.5', () => {
  test('give the public key and the digest under the default distinguishing id', () => {
    expect(toHex(sm2Curve.BASE.multiply(numberOf(standard.scalar)).toBytes(false))).toBe(vectors.publicPoint);
    expect(toHex(sm2Digest(utf8(vectors.signature.message), standard.point))).toBe(vectors.signature.digest);
  });

  test('give the signature, which verifies', () => {
    const digest = hex(vectors.signature.digest);
    const signature = signWithNonce(numberOf(standard.scalar), numberOf(digest), nonce);
    const { r, s } = vectors.signature;
    expect(toHex(signature)).toBe(`3046022100${r}022100${s}`);
    expect(isSm2Signature(spkiOf(standard.point), digest, signature)).toBe(true);
  });

  test('give the ciphertext, which opens', () => {
    const { message, x, y, c3, c2 } = vectors.encryption;
    const ciphertext = encryptWithNonce(sm2PointOf(standard.point), utf8(message), nonce) ?? new Uint8Array();
    expect(toHex(ciphertext)).toBe(`307c0220${x}022100${y}0420${c3}0413${c2}`);
    expect(decryptSm2(standard, ciphertext)).toEqual(utf8(message));
  });
});

describe('OpenSSL', () => {
  const id = ['-rawin', '-digest', 'sm3', '-pkeyopt', 'distid:1234567812345678'];

  test('verifies a signature that is made here', () => {
    const message = random(1_000);
    const signature = file('signature', signSm2Digest(pair, sm2Digest(message, pair.point), random(32)));
    const verified = pkeyutl('-verify', '-pubin', '-inkey', publicFile, '-in', file('message', message), '-sigfile', signature, ...id);
    expect(Buffer.from(verified).toString()).toContain('Signature Verified Successfully');
  });

  test('makes a signature that verifies here', () => {
    const message = random(100);
    const signature = pkeyutl('-sign', '-inkey', privateFile, '-in', file('message', message), ...id);
    expect(isSm2Signature(publicKey, sm2Digest(message, pair.point), signature)).toBe(true);
    expect(isSm2Signature(publicKey, sm2Digest(random(100), pair.point), signature)).toBe(false);
  });

  test.each([1, 31, 32, 33, 1_024])('opens a ciphertext of %i bytes that is made here, and the other way', (lengthBytes) => {
    const plaintext = random(lengthBytes);
    const ciphertext = file('ciphertext', encryptSm2(publicKey, plaintext));
    expect(pkeyutl('-decrypt', '-inkey', privateFile, '-in', ciphertext)).toEqual(plaintext);
    const made = pkeyutl('-encrypt', '-pubin', '-inkey', publicFile, '-in', file('plaintext', plaintext));
    expect(decryptSm2(pair, made)).toEqual(plaintext);
  });

  test('agrees on the same secret', () => {
    const peer = createECDH('SM2');
    const peerPoint = peer.generateKeys();
    expect(Buffer.from(agreeSm2(pair, sm2PointOf(peerPoint)))).toEqual(peer.computeSecret(pair.point));
  });
});

describe('a signature', () => {
  const digest = random(32);
  const signature = signSm2Digest(pair, digest, random(32));

  test('is another each time, and never repeats its nonce for another digest', () => {
    const repeated = new Uint8Array(32);
    const halves = [digest, random(32)].map((signed) => toHex(signSm2Digest(pair, signed, repeated)).slice(0, 40));
    expect(halves[0]).not.toBe(halves[1]);
    expect(signSm2Digest(pair, digest, random(32))).not.toEqual(signature);
  });

  test('with any change is not right', () => {
    assert(
      property(nat(signature.length - 1), nat(254), (at, change) => {
        const changed = Uint8Array.from(signature);
        changed[at] = (changed[at] ?? 0) ^ (change + 1);
        expect(isSm2Signature(publicKey, digest, changed)).toBe(false);
      }),
      { numRuns: 60 },
    );
    expect(isSm2Signature(publicKey, digest, concatBytes(signature, Uint8Array.of(0)))).toBe(false);
    expect(isSm2Signature(publicKey, digest, new Uint8Array())).toBe(false);
    expect(isSm2Signature(spkiOf(standard.point), digest, signature)).toBe(false);
  });

  test('with halves out of range is not right', () => {
    const { n } = sm2Parameters;
    const der = (...halves: readonly bigint[]): Uint8Array => hex(`3046${halves.map((half) => `022100${half.toString(16)}`).join('')}`);
    for (const [r, s] of [
      [n, n - 1n],
      [n - 1n, n],
      [n + 5n, n - 9n],
    ] as const)
      expect(isSm2Signature(publicKey, digest, der(r, s))).toBe(false);
    // t = r + s = 0 modulo n.
    expect(isSm2Signature(publicKey, digest, hex(`3026022100${(n - 1n).toString(16)}020101`))).toBe(false);
  });
});

describe('a ciphertext', () => {
  test('opens to any plaintext that went in, and with any change to nothing', () => {
    assert(
      property(uint8Array({ minLength: 1, maxLength: 64 }), nat(), nat(254), (plaintext, at, change) => {
        const ciphertext = encryptSm2(publicKey, plaintext);
        expect(decryptSm2(pair, ciphertext)).toEqual(plaintext);
        const changed = Uint8Array.from(ciphertext);
        const index = at % changed.length;
        changed[index] = (changed[index] ?? 0) ^ (change + 1);
        expect(decryptSm2(pair, changed)).toBeUndefined();
      }),
      { numRuns: 30 },
    );
  });

  test('opens for nobody else, and not with something after it', () => {
    const ciphertext = encryptSm2(publicKey, utf8('text'));
    expect(decryptSm2(standard, ciphertext)).toBeUndefined();
    expect(decryptSm2(pair, concatBytes(ciphertext, Uint8Array.of(0)))).toBeUndefined();
    expect(decryptSm2(pair, new Uint8Array())).toBeUndefined();
  });

  test('never leaves a plaintext of one byte as it is', () => {
    const point = sm2PointOf(standard.point);
    expect(encryptWithNonce(point, Uint8Array.of(7), 469n)).toBeDefined();
    // The mask of this nonce is one byte of zero.
    expect(encryptWithNonce(point, Uint8Array.of(7), 470n)).toBeUndefined();
  });
});

describe('keys', () => {
  test('are taken apart in OpenSSL’s encoding only', () => {
    expect(isSm2PrivateKey(privateKey)).toBe(true);
    expect(toHex(sm2Curve.BASE.multiply(numberOf(pair.scalar)).toBytes(false))).toBe(toHex(pair.point));
    expect(() => sm2KeyPair(privateKey.subarray(1))).toThrow(RangeError);
    expect(() => sm2KeyPair(concatBytes(privateKey, Uint8Array.of(0)))).toThrow(RangeError);
  });

  test('of others are points of the curve', async () => {
    expect(isPublicKeyOf('SM2', publicKey)).toBe(true);
    const offCurve = Uint8Array.from(publicKey);
    offCurve[90] = (offCurve[90] ?? 0) ^ 1;
    expect(isPublicKeyOf('SM2', offCurve)).toBe(false);
    expect(() => sm2PublicPoint(offCurve)).toThrow('The point is not on the curve of SM2');
    expect(isPublicKeyOf('SM2', (await generateKeyPair('ECC_NIST_P256', random)).publicKey)).toBe(false);
    expect(isPublicKeyOf('ECC_NIST_P256', publicKey)).toBe(false);
    expect(isPublicKeyOf('SM2', new Uint8Array())).toBe(false);
  });
});

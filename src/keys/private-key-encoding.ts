/**
 * Private keys from elsewhere in the one form in which this service keeps them: DER PKCS#8 (RFC 5958) of a two-prime RSA key, of a named
 * curve with the public point, or of an Ed25519 seed. Anything that is not exactly a key of the expected spec is refused.
 */
import { createECDH, createPrivateKey, createPublicKey, sign, verify } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { concatBytes } from '../bytes.ts';
import { keyShape } from './algorithms.ts';
import type { EcCurve } from './algorithms.ts';
import type { EncodedKeyPair } from './post-quantum.ts';
import { sm2KeyPair, sm2PublicKey } from './sm2-curve.ts';

/** The bytes are no private key of the spec. Does not say why: whoever sees it may not be whoever knows the key. */
export class PrivateKeyError extends Error {
  override readonly name = 'PrivateKeyError';
}

/** FIPS 186-5, A.1.1. */
const publicExponentMin = 65_537n;
const probe = Buffer.from('hsm-kms pairwise consistency', 'latin1');

/**
 * The key in `pkcs8` (DER or BER), which must be one of `keySpec` whose public half belongs to its private half. The private key is in a
 * fresh array, which the caller wipes as well as `pkcs8`. Throws PrivateKeyError.
 */
export function normalisedKeyPair(keySpec: string, pkcs8: Uint8Array): EncodedKeyPair {
  const shape = keyShape(keySpec);
  try {
    assertOneValue(pkcs8);
    if (shape.type === 'sm2') return sm2Pair(pkcs8);
    const bytes = Buffer.from(pkcs8.buffer, pkcs8.byteOffset, pkcs8.length);
    const key = createPrivateKey({ key: bytes, format: 'der', type: 'pkcs8' });
    if (shape.type === 'rsa') return rsaPair(key, shape.modulusBits);
    if (shape.type === 'ec') return ecPair(key, shape.curve);
    if (shape.type === 'ed25519') return ed25519Pair(key);
  } catch (error) {
    throw new PrivateKeyError(`The bytes are no private key of spec ${keySpec}`, { cause: error });
  }
  throw new PrivateKeyError(`Private keys of spec ${keySpec} are not taken in`);
}

/** One SEQUENCE and nothing behind it; OpenSSL ignores what follows. Its length is definite (DER) or ends with two zeros (BER). */
function assertOneValue(bytes: Uint8Array): void {
  const [tag, first = 0] = bytes;
  const isIndefinite = first === 0x80 && bytes.at(-1) === 0 && bytes.at(-2) === 0;
  const lengthBytes = first < 0x80 ? 0 : first - 0x80;
  let length = first < 0x80 ? first : 0;
  for (const byte of bytes.subarray(2, 2 + lengthBytes)) length = length * 256 + byte;
  if (tag !== 0x30 || (!isIndefinite && 2 + lengthBytes + length !== bytes.length)) throw new Error('the bytes are not one SEQUENCE');
}

function rsaPair(key: KeyObject, modulusBits: number): EncodedKeyPair {
  const { modulusLength, publicExponent = 0n } = key.asymmetricKeyDetails ?? {};
  if (key.asymmetricKeyType !== 'rsa' || modulusLength !== modulusBits) throw new Error('not an RSA key of this length');
  if (publicExponent < publicExponentMin) throw new Error('the public exponent is too small');
  assertTwoPrimes(key);
  const publicKey = createPublicKey(key);
  if (!verify('sha256', probe, publicKey, sign('sha256', probe, key))) throw new Error('the halves do not belong together');
  return { publicKey: spki(publicKey), privateKey: key.export({ format: 'der', type: 'pkcs8' }) };
}

/** Version 0 of RSAPrivateKey (RFC 8017, A.1.2), whose length takes two bytes for every modulus in use. */
function assertTwoPrimes(key: KeyObject): void {
  const encoded = key.export({ format: 'der', type: 'pkcs1' });
  const [, lengthForm, , , tag, lengthBytes, version] = encoded;
  encoded.fill(0);
  if (lengthForm !== 0x82 || tag !== 0x02 || lengthBytes !== 1 || version !== 0) throw new Error('not a key of two primes');
}

function ecPair(key: KeyObject, curve: EcCurve): EncodedKeyPair {
  if (key.asymmetricKeyType !== 'ec' || key.asymmetricKeyDetails?.namedCurve !== curve) throw new Error('not a key of this curve');
  const scalar = scalarOf(key);
  try {
    // Refuses a scalar that is not between 1 and the order, and computes the point that belongs to it.
    const ecdh = createECDH(curve);
    ecdh.setPrivateKey(scalar);
    const point = ecdh.getPublicKey();
    const publicKey = uncompressedKey(key);
    if (!publicKey.subarray(-point.length).equals(point)) throw new Error('the halves do not belong together');
    const algorithm = publicKey.subarray(2 + extraLengthBytes(publicKey), -point.length - bitStringHeader(point.length).length);
    if (!spki(createPublicKey(key)).includes(algorithm)) throw new Error('the curve is not named');
    return { publicKey, privateKey: ecPkcs8(algorithm, scalar, point) };
  } finally {
    scalar.fill(0);
  }
}

/** The private scalar out of ECPrivateKey (RFC 5915), which OpenSSL writes as long as the order. */
function scalarOf(key: KeyObject): Buffer {
  const encoded = key.export({ format: 'der', type: 'sec1' });
  const lengthAt = 2 + extraLengthBytes(encoded) + 4;
  const scalar = Buffer.from(encoded.subarray(lengthAt + 1, lengthAt + 1 + (encoded[lengthAt] ?? 0)));
  encoded.fill(0);
  return scalar;
}

/** SubjectPublicKeyInfo with the curve by name and the point uncompressed, whatever form the key came in. */
function uncompressedKey(key: KeyObject): Buffer {
  return spki(createPublicKey({ key: createPublicKey(key).export({ format: 'jwk' }), format: 'jwk' }));
}

/** PrivateKeyInfo around ECPrivateKey, put together at once so that the scalar is in no array but the result. */
function ecPkcs8(algorithm: Uint8Array, scalar: Uint8Array, point: Uint8Array): Uint8Array {
  const bitString = concatBytes(bitStringHeader(point.length), point);
  const publicKey = concatBytes(header(0xa1, bitString.length), bitString);
  const version1 = concatBytes(integer(1), header(0x04, scalar.length));
  const keyBytes = version1.length + scalar.length + publicKey.length;
  const ecPrivateKey = concatBytes(header(0x30, keyBytes), version1);
  const octetBytes = ecPrivateKey.length - version1.length + keyBytes;
  const version0 = concatBytes(integer(0), algorithm, header(0x04, octetBytes));
  return concatBytes(header(0x30, version0.length + octetBytes), version0, ecPrivateKey, scalar, publicKey);
}

function ed25519Pair(key: KeyObject): EncodedKeyPair {
  if (key.asymmetricKeyType !== 'ed25519') throw new Error('not an Ed25519 key');
  return { publicKey: spki(createPublicKey(key)), privateKey: key.export({ format: 'der', type: 'pkcs8' }) };
}

/** In the one encoding that OpenSSL writes, which is the one that is kept. */
function sm2Pair(pkcs8: Uint8Array): EncodedKeyPair {
  const { scalar, point } = sm2KeyPair(pkcs8);
  const ecdh = createECDH('SM2');
  ecdh.setPrivateKey(scalar);
  if (!ecdh.getPublicKey().equals(point)) throw new Error('the halves do not belong together');
  const privateKey = Buffer.alloc(pkcs8.length, pkcs8);
  return { publicKey: sm2PublicKey(point), privateKey };
}

function spki(key: KeyObject): Buffer {
  return key.export({ format: 'der', type: 'spki' });
}

function integer(value: 0 | 1): Uint8Array {
  return Uint8Array.of(0x02, 1, value);
}

/** Everything encoded here has fewer than 256 bytes. */
function header(tag: number, length: number): Uint8Array {
  return length < 0x80 ? Uint8Array.of(tag, length) : Uint8Array.of(tag, 0x81, length);
}

/** BIT STRING with no unused bits. */
function bitStringHeader(contentBytes: number): Uint8Array {
  return concatBytes(header(0x03, contentBytes + 1), Uint8Array.of(0));
}

/** How many bytes the length of the outer value takes besides its first. */
function extraLengthBytes(encoded: Uint8Array): number {
  const first = encoded[1] ?? 0;
  return first < 0x80 ? 0 : first - 0x80;
}

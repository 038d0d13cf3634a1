/**
 * The curve of SM2 (GB/T 32918.5, section 4), its key encodings, and SM3 (GB/T 32905). Points are multiplied by @noble/curves,
 * because node:crypto signs under an empty distinguishing id and encrypts nothing with SM2. JavaScript's numbers do not compute in
 * constant time: who can time single operations in this process to nanoseconds is not kept out.
 */
import { createHash } from 'node:crypto';
import { invertCt, mapHashToField } from '@noble/curves/abstract/modular.js';
import { weierstrass } from '@noble/curves/abstract/weierstrass.js';
import type { WeierstrassOpts, WeierstrassPoint, WeierstrassPointCons } from '@noble/curves/abstract/weierstrass.js';
import { bytesToNumberBE, numberToBytesBE } from '@noble/curves/utils.js';
import { concatBytes } from '../bytes.ts';

/** y² = x³ + ax + b modulo p, with a base point of prime order n. */
export const sm2Parameters: WeierstrassOpts<bigint> = {
  p: 0xfffffffeffffffffffffffffffffffffffffffff00000000ffffffffffffffffn,
  a: 0xfffffffeffffffffffffffffffffffffffffffff00000000fffffffffffffffcn,
  b: 0x28e9fa9e9d9f5e344d5a9e4bcf6509a7f39789f515ab8f92ddbcbd414d940e93n,
  n: 0xfffffffeffffffffffffffffffffffff7203df6b21c6052b53bbf40939d54123n,
  h: 1n,
  Gx: 0x32c4ae2c1f1981195f9904466a39c9948fe30bbff2660be1715a4589334c74c7n,
  Gy: 0xbc3736a2f4f6779c59bdcee36b692153d0a9877cc62a474002df32e52139f0a0n,
};

export type Sm2Point = WeierstrassPoint<bigint>;
export const sm2Curve: WeierstrassPointCons<bigint> = weierstrass(sm2Parameters);

/** The halves of a key pair, as views of the PKCS#8 that holds them. */
export interface Sm2KeyPair {
  /** 32 bytes. */
  readonly scalar: Uint8Array;
  /** Uncompressed, 65 bytes. */
  readonly point: Uint8Array;
}

const fieldBytes = 32;
const pointBytes = 65;
/** PrivateKeyInfo of id-ecPublicKey on sm2p256v1 up to the private key, and from it to the public one, as OpenSSL writes them (RFC 5958, 5915). */
const pkcs8Head = Buffer.from('308187020100301306072a8648ce3d020106082a811ccf5501822d046d306b0201010420', 'hex');
const pkcs8Middle = Buffer.from('a144034200', 'hex');
/** SubjectPublicKeyInfo up to the point (RFC 5480). */
const spkiHead = Buffer.from('3059301306072a8648ce3d020106082a811ccf5501822d034200', 'hex');

/** True for the private keys that `sm2KeyPair` takes apart. */
export function isSm2PrivateKey(pkcs8: Uint8Array): boolean {
  const scalarEnd = pkcs8Head.length + fieldBytes;
  const middle = pkcs8.subarray(scalarEnd, scalarEnd + pkcs8Middle.length);
  const isLongEnough = pkcs8.length === scalarEnd + pkcs8Middle.length + pointBytes;
  return isLongEnough && pkcs8Head.equals(pkcs8.subarray(0, pkcs8Head.length)) && pkcs8Middle.equals(middle);
}

/** Throws RangeError for any other encoding than OpenSSL's. */
export function sm2KeyPair(pkcs8: Uint8Array): Sm2KeyPair {
  if (!isSm2PrivateKey(pkcs8)) throw new RangeError('The private key is not SM2 in the PKCS#8 encoding that OpenSSL writes');
  return { scalar: pkcs8.subarray(pkcs8Head.length, pkcs8Head.length + fieldBytes), point: pkcs8.subarray(-pointBytes) };
}

/** DER SubjectPublicKeyInfo of an uncompressed point. */
export function sm2PublicKey(point: Uint8Array): Uint8Array {
  return concatBytes(spkiHead, point);
}

/** The point of a DER SubjectPublicKeyInfo, on the curve. Throws RangeError for anything else. */
export function sm2PublicPoint(spki: Uint8Array): Sm2Point {
  const isSm2 = spki.length === spkiHead.length + pointBytes && spkiHead.equals(spki.subarray(0, spkiHead.length));
  if (!isSm2) throw new RangeError('The public key is not SM2 in DER SubjectPublicKeyInfo with an uncompressed point');
  return sm2PointOf(spki.subarray(-pointBytes));
}

/** An uncompressed point. Throws RangeError for one that is not on the curve. */
export function sm2PointOf(bytes: Uint8Array): Sm2Point {
  try {
    return sm2Curve.fromBytes(bytes);
  } catch (error) {
    throw new RangeError('The point is not on the curve of SM2', { cause: error });
  }
}

/** The x coordinate of ECDH. `peer` was found to be on the curve. Not by node:crypto, which from Node.js 24 on refuses this curve. */
export function agreeSm2({ scalar }: Sm2KeyPair, peer: Sm2Point): Uint8Array {
  return fieldToBytes(peer.multiply(numberOf(scalar)).toAffine().x);
}

export function sm3(...parts: readonly Uint8Array[]): Uint8Array {
  const hash = createHash('sm3');
  for (const part of parts) hash.update(part);
  return hash.digest();
}

/** 32 bytes, big-endian. */
export function fieldToBytes(value: bigint): Uint8Array {
  return numberToBytesBE(value, fieldBytes);
}

export function numberOf(bytes: Uint8Array): bigint {
  return bytesToNumberBE(bytes);
}

/** A scalar from 1 to n - 1 out of at least 48 uniform bytes (FIPS 186-5, A.3.1), without a bias that matters. */
export function scalarOf(uniform: Uint8Array): bigint {
  return numberOf(mapHashToField(uniform, sm2Parameters.n));
}

/** Reduced modulo n, never negative. */
export function modulo(value: bigint): bigint {
  return sm2Curve.Fn.create(value);
}

/** The inverse modulo n, by an addition chain that is the same for every value. */
export function inverse(value: bigint): bigint {
  return invertCt(value, sm2Parameters.n);
}

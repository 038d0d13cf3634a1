/**
 * ML-DSA (FIPS 204) and ML-KEM (FIPS 203) by parameter set, and their keys as DER: SubjectPublicKeyInfo and PKCS#8 that holds the
 * seed (RFC 9881, RFC 9935). All those encodings have one fixed prefix per parameter set.
 */
import { ml_dsa44, ml_dsa65, ml_dsa87 } from '@noble/post-quantum/ml-dsa.js';
import { ml_kem1024, ml_kem512, ml_kem768 } from '@noble/post-quantum/ml-kem.js';
import type { DSA } from '@noble/post-quantum/ml-dsa.js';
import type { KEM } from '@noble/post-quantum/utils.js';
import { concatBytes } from '../bytes.ts';
import type { MlDsaName, MlKemName } from './algorithms.ts';

export const mlDsa: Readonly<Record<MlDsaName, DSA>> = { 'ml-dsa-44': ml_dsa44, 'ml-dsa-65': ml_dsa65, 'ml-dsa-87': ml_dsa87 };
export const mlKem: Readonly<Record<MlKemName, KEM>> = { 'ml-kem-512': ml_kem512, 'ml-kem-768': ml_kem768, 'ml-kem-1024': ml_kem1024 };

/** Last two arcs of the object identifiers under 2.16.840.1.101.3.4, and the length of the seed. */
const encodings: Readonly<Record<MlDsaName | MlKemName, { readonly arcs: readonly [number, number]; readonly seedBytes: number }>> = {
  'ml-dsa-44': { arcs: [3, 17], seedBytes: 32 },
  'ml-dsa-65': { arcs: [3, 18], seedBytes: 32 },
  'ml-dsa-87': { arcs: [3, 19], seedBytes: 32 },
  'ml-kem-512': { arcs: [4, 1], seedBytes: 64 },
  'ml-kem-768': { arcs: [4, 2], seedBytes: 64 },
  'ml-kem-1024': { arcs: [4, 3], seedBytes: 64 },
};

/** A key pair made from its seed: the public key as SubjectPublicKeyInfo, the private key as PKCS#8 of the seed. */
export interface EncodedKeyPair {
  readonly publicKey: Uint8Array;
  readonly privateKey: Uint8Array;
}

/** Length in bytes of the seed of a parameter set. */
export function seedBytes(parameters: MlDsaName | MlKemName): number {
  return encodings[parameters].seedBytes;
}

/** The pair of a seed, which stays the caller's to wipe. */
export function keyPairOfSeed(parameters: MlDsaName | MlKemName, seed: Uint8Array): EncodedKeyPair {
  const { publicKey, secretKey } = expandSeed(parameters, seed);
  secretKey.fill(0);
  return {
    publicKey: concatBytes(publicKeyPrefix(parameters, publicKey.length), publicKey),
    privateKey: privateKeyOfSeed(parameters, seed),
  };
}

/** Lends the expanded private key of a PKCS#8 seed to `use`, and wipes it afterwards. */
export function withSecretKey<T>(parameters: MlDsaName | MlKemName, privateKey: Uint8Array, use: (secretKey: Uint8Array) => T): T {
  const { secretKey } = expandSeed(parameters, privateKey.subarray(-seedBytes(parameters)));
  try {
    return use(secretKey);
  } finally {
    secretKey.fill(0);
  }
}

/** The bare public key inside a SubjectPublicKeyInfo of this parameter set. Throws RangeError for any other content. */
export function barePublicKey(parameters: MlDsaName | MlKemName, publicKey: Uint8Array): Uint8Array {
  const length = (isMlDsa(parameters) ? mlDsa[parameters] : mlKem[parameters]).lengths.publicKey ?? 0;
  const prefix = publicKeyPrefix(parameters, length);
  if (publicKey.length !== prefix.length + length || Buffer.compare(publicKey.subarray(0, prefix.length), prefix) !== 0) {
    throw new RangeError(`This is not a public key of ${parameters}`);
  }
  return publicKey.subarray(prefix.length);
}

function isMlDsa(parameters: MlDsaName | MlKemName): parameters is MlDsaName {
  return parameters in mlDsa;
}

function expandSeed(parameters: MlDsaName | MlKemName, seed: Uint8Array): { publicKey: Uint8Array; secretKey: Uint8Array } {
  return isMlDsa(parameters) ? mlDsa[parameters].keygen(seed) : mlKem[parameters].keygen(seed);
}

/** AlgorithmIdentifier without parameters. */
function algorithmIdentifier(parameters: MlDsaName | MlKemName): readonly number[] {
  return [0x30, 0x0b, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, ...encodings[parameters].arcs];
}

function publicKeyPrefix(parameters: MlDsaName | MlKemName, keyBytes: number): Uint8Array {
  const algorithm = algorithmIdentifier(parameters);
  const bitString = [0x03, 0x82, ...twoBytes(keyBytes + 1), 0x00];
  return Uint8Array.of(0x30, 0x82, ...twoBytes(algorithm.length + bitString.length + keyBytes), ...algorithm, ...bitString);
}

/** PrivateKeyInfo whose OCTET STRING holds the seed as [0] IMPLICIT. */
function privateKeyOfSeed(parameters: MlDsaName | MlKemName, seed: Uint8Array): Uint8Array {
  const header = [0x02, 0x01, 0x00, ...algorithmIdentifier(parameters), 0x04, seed.length + 2, 0x80, seed.length];
  return concatBytes(Uint8Array.of(0x30, header.length + seed.length, ...header), seed);
}

function twoBytes(value: number): readonly [number, number] {
  return [value >>> 8, value & 0xff];
}

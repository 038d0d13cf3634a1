/**
 * Material that was wrapped for its import, unwrapped in this process and brought into the form in which the software store keeps it.
 * Every ciphertext that does not unwrap is refused in the same words and at the same step, so that nobody learns what is inside.
 */
import { createDecipheriv, createPrivateKey, randomBytes } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { keyShape } from '../../keys/algorithms.ts';
import type { Digest } from '../../keys/algorithms.ts';
import { wrappingAlgorithms } from '../../keys/import-wrapping.ts';
import type { OaepWrappingRow } from '../../keys/import-wrapping.ts';
import { normalisedKeyPair, PrivateKeyError } from '../../keys/private-key-encoding.ts';
import { sm2KeyPair } from '../../keys/sm2-curve.ts';
import { decryptSm2 } from '../../keys/sm2-encryption.ts';
import { KeyStoreError } from '../keystore.ts';
import { openOaep } from './private-keys.ts';
import { symmetricMaterialBytes } from './sealed-material.ts';

export interface WrappedImport {
  readonly keySpec: string;
  readonly wrappingAlgorithm: string;
  readonly wrapped: Uint8Array;
}

/** The bytes of a key, which whoever gets them wipes. */
export interface ImportedKey {
  /** 32 bytes of AES, the key of an HMAC, or DER PKCS#8. */
  readonly secret: Uint8Array;
  /** Of key pairs: DER SubjectPublicKeyInfo. */
  readonly publicKey?: Uint8Array;
}

const wrappingKeyBytes = 32;
/** RFC 5649, section 3. */
const wrappedBytesMin = 16;
const wrapPadIv = Uint8Array.of(0xa6, 0x59, 0x59, 0xa6);

/**
 * `privateKey` is the DER PKCS#8 of the key that it was wrapped for. Throws KeyStoreError: `invalid-ciphertext` when it does not
 * unwrap, `incorrect-material` when what it unwraps to is no key of the spec, `unsupported` for wrapping algorithms that are not served.
 */
export function unwrapImport({ keySpec, wrappingAlgorithm, wrapped }: WrappedImport, privateKey: Uint8Array): ImportedKey {
  const row = wrappingAlgorithms.get(wrappingAlgorithm);
  if (row === undefined) throw new KeyStoreError('unsupported', `The wrapping algorithm ${wrappingAlgorithm} is not unwrapped in software`);
  return importedKey(keySpec, row.scheme === 'sm2' ? decryptSm2PrivateKey(privateKey, wrapped) : unwrapOaep(row, privateKey, wrapped));
}

function decryptSm2PrivateKey(privateKey: Uint8Array, wrapped: Uint8Array): Uint8Array {
  const material = decryptSm2(sm2KeyPair(privateKey), wrapped);
  if (material === undefined) throw doesNotUnwrap();
  return material;
}

function unwrapOaep({ scheme, digest }: OaepWrappingRow, privateKey: Uint8Array, wrapped: Uint8Array): Buffer {
  const bytes = Buffer.from(privateKey.buffer, privateKey.byteOffset, privateKey.length);
  const key = createPrivateKey({ key: bytes, format: 'der', type: 'pkcs8' });
  return scheme === 'oaep' ? decryptOaep(key, digest, wrapped) : unwrapInTwoSteps(key, digest, wrapped);
}

function decryptOaep(key: KeyObject, oaepHash: Digest, wrapped: Uint8Array): Buffer {
  try {
    return openOaep(key, oaepHash, wrapped);
  } catch {
    throw doesNotUnwrap();
  }
}

/** RSAES-OAEP of an AES-256 key, as long as the modulus, then AES-KWP under that key. */
function unwrapInTwoSteps(key: KeyObject, digest: Digest, wrapped: Uint8Array): Buffer {
  const modulusBytes = (key.asymmetricKeyDetails?.modulusLength ?? 0) / 8;
  const wrappingKey = unwrappedKey(key, digest, wrapped.subarray(0, modulusBytes));
  try {
    return unwrapPadded(wrappingKey, wrapped.subarray(modulusBytes));
  } catch {
    throw doesNotUnwrap();
  } finally {
    wrappingKey.fill(0);
  }
}

/** AES-KWP. Throws for what does not unwrap; OpenSSL alone would take nothing for nothing wrapped. */
function unwrapPadded(wrappingKey: Uint8Array, wrapped: Uint8Array): Buffer {
  if (wrapped.length < wrappedBytesMin) throw new RangeError('nothing is wrapped so short');
  return createDecipheriv('id-aes256-wrap-pad', wrappingKey, wrapPadIv).update(wrapped);
}

/** A random key in place of one that does not decrypt: what is refused is then the second step, whatever was wrong with the first. */
function unwrappedKey(key: KeyObject, digest: Digest, wrapped: Uint8Array): Uint8Array {
  const substitute = randomBytes(wrappingKeyBytes);
  try {
    const found = decryptOaep(key, digest, wrapped);
    if (found.length === wrappingKeyBytes) return found;
    found.fill(0);
  } catch {
    // The substitute it is.
  }
  return substitute;
}

/** Takes `material` over: it is the result, or wiped. */
function importedKey(keySpec: string, material: Uint8Array): ImportedKey {
  const shape = keyShape(keySpec);
  const lengthBytes = shape.type === 'aes' ? symmetricMaterialBytes : shape.type === 'hmac' ? shape.keyBytes : undefined;
  if (material.length === lengthBytes) return { secret: material };
  try {
    if (lengthBytes === undefined) return importedPair(keySpec, material);
    throw new KeyStoreError('incorrect-material', `Key material of ${keySpec} has ${lengthBytes} bytes`);
  } finally {
    material.fill(0);
  }
}

function importedPair(keySpec: string, material: Uint8Array): ImportedKey {
  try {
    const { privateKey, publicKey } = normalisedKeyPair(keySpec, material);
    return { secret: privateKey, publicKey };
  } catch (error) {
    if (error instanceof PrivateKeyError) throw new KeyStoreError('incorrect-material', error.message);
    throw error;
  }
}

function doesNotUnwrap(): KeyStoreError {
  return new KeyStoreError('invalid-ciphertext', 'The key material does not unwrap');
}

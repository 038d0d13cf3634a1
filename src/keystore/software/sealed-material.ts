/**
 * A software material at rest: AES-256-GCM-SIV (RFC 8452) under a key derived from the root key, bound to the key that the
 * material belongs to. Layout: format u8 = 1, nonce (12), ciphertext (as long as the material), tag (16).
 */
import { createHmac } from 'node:crypto';
import { gcmsiv } from '@noble/ciphers/aes.js';
import type { SecretBytes } from '../../secret-bytes.ts';
import { KeyStoreError } from '../keystore.ts';
import type { MaterialBinding } from '../material-binding.ts';
import { encodeBinding } from '../material-binding.ts';

export const rootKeyBytes = 32;
/** Length of a material of SYMMETRIC_DEFAULT. */
export const symmetricMaterialBytes = 32;

const format = 1;
const nonceBytes = 12;
const tagBytes = 16;
const purpose = 'hsm-kms sealed software material v1';
const noSalt: Uint8Array = new Uint8Array(32);
const firstBlock: Uint8Array = Uint8Array.of(1);

/**
 * The key that seals materials: HKDF-SHA-256 (RFC 5869) of the root key without salt. The caller wipes it. Not hkdfSync, which
 * leaves a copy of the root key in memory at each call until it is collected.
 */
function sealingKey(rootKey: SecretBytes): Uint8Array {
  const extracted = rootKey.expose((bytes) => createHmac('sha256', noSalt).update(bytes).digest());
  try {
    return createHmac('sha256', extracted).update(purpose).update(firstBlock).digest();
  } finally {
    extracted.fill(0);
  }
}

/** `nonce` is 12 random bytes. A nonce that repeats reveals only whether two records are equal. */
export function sealMaterial(rootKey: SecretBytes, nonce: Uint8Array, material: Uint8Array, binding: MaterialBinding): Uint8Array {
  const key = sealingKey(rootKey);
  try {
    return Buffer.concat([Uint8Array.of(format), nonce, gcmsiv(key, nonce, encodeBinding(purpose, binding)).encrypt(material)]);
  } finally {
    key.fill(0);
  }
}

/** The bytes of the material; the caller wipes them. Throws KeyStoreError `internal` when record, binding or root key do not fit. */
export function unsealMaterial(rootKey: SecretBytes, record: Uint8Array, binding: MaterialBinding): Uint8Array {
  const key = sealingKey(rootKey);
  try {
    if (record[0] !== format || record.length <= 1 + nonceBytes + tagBytes) throw new Error('The record has another form');
    const nonce = record.subarray(1, 1 + nonceBytes);
    return gcmsiv(key, nonce, encodeBinding(purpose, binding)).decrypt(record.subarray(1 + nonceBytes));
  } catch (error) {
    const message = 'The sealed key material cannot be opened: it was altered, belongs to another key, or the root key is another one';
    throw new KeyStoreError('internal', message, { cause: error });
  } finally {
    key.fill(0);
  }
}

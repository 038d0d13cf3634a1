/**
 * Fingerprints of materials that do not encrypt symmetrically: 48 bytes that any place can compute which holds the material, a token
 * included. Those of symmetric materials are in `key-derivation.ts`.
 */
import { createHash } from 'node:crypto';

const publicKeyLabel = 'hsm-kms public key fingerprint v1';
const macKeyLabel = 'hsm-kms MAC key fingerprint v1';
/** One more than a message of GenerateMac may have: no caller of the API can have this input authenticated. */
const macInputBytes = 4097;

/** SHA-384 over label and DER SubjectPublicKeyInfo. */
export function publicKeyFingerprint(publicKey: Uint8Array): Uint8Array {
  return createHash('sha384').update(publicKeyLabel).update(publicKey).digest();
}

/** What the HMAC of a MAC key's fingerprint is computed over, with the algorithm of its spec. */
export function macKeyFingerprintInput(): Uint8Array {
  const input = new Uint8Array(macInputBytes);
  input.set(Buffer.from(macKeyLabel, 'latin1'));
  return input;
}

/** SHA-384 over label and the HMAC of `macKeyFingerprintInput`. */
export function macKeyFingerprint(mac: Uint8Array): Uint8Array {
  return createHash('sha384').update(macKeyLabel).update(mac).digest();
}

/** KeyMaterialId: names a material of a KMS key by what it is, so that every copy of it has the same name. */
import { createHash } from 'node:crypto';

const label = 'hsm-kms key material id v1';

/**
 * 64 lower-case hex digits: SHA-256 over label, u8 length of the key id, key id, and the 48-byte fingerprint that the
 * store computed from the material.
 */
export function materialIdOf(keyId: string, fingerprint: Uint8Array): string {
  return createHash('sha256').update(label).update(Uint8Array.of(keyId.length)).update(keyId, 'latin1').update(fingerprint).digest('hex');
}

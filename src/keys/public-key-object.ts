/**
 * Public keys of records as node:crypto uses them, parsed once: parsing takes 0.1 ms, several times what most uses of a public key take.
 * They are found by the array of the record, which nobody alters. No secrets are kept here.
 */
import { createPublicKey } from 'node:crypto';
import type { KeyObject } from 'node:crypto';

const objectsMax = 256;
/** In order of use, oldest first. */
const objects = new Map<Uint8Array, KeyObject>();

/** The key of a DER SubjectPublicKeyInfo that is an array of a record. Throws what node:crypto throws. */
export function publicKeyObject(publicKey: Uint8Array): KeyObject {
  const known = objects.get(publicKey);
  const object = known ?? createPublicKey({ key: Buffer.from(publicKey), format: 'der', type: 'spki' });
  if (known !== undefined) objects.delete(publicKey);
  objects.set(publicKey, object);
  const [oldest] = objects.keys();
  if (objects.size > objectsMax && oldest !== undefined) objects.delete(oldest);
  return object;
}

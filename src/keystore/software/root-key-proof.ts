/** Is this the root key that sealed these keys? */
import { isPresent, type KeyRecord } from '../../keys/key-record.ts';
import type { SecretBytes } from '../../secret-bytes.ts';
import { unsealMaterial } from './sealed-material.ts';

/**
 * Opens every material of `keys` that is in the key store called `storeName`, and wipes it. Gives how many there are. Throws
 * KeyStoreError at the first that `rootKey` did not seal.
 */
export function proveRootKey(rootKey: SecretBytes, keys: Iterable<KeyRecord>, storeName: string): number {
  let opened = 0;
  for (const key of keys) {
    const { keySpec, keyUsage } = key;
    for (const material of key.materials) {
      if (material.keyStore !== storeName || !isPresent(material)) continue;
      const { suite = 'none', custody, materialId, fingerprint } = material;
      unsealMaterial(rootKey, material.reference, { key, keySpec, keyUsage, suite, custody, materialId, fingerprint }).fill(0);
      opened += 1;
    }
  }
  return opened;
}

/**
 * The pairs that seeded material is wrapped for: one for each key store, made when it is first needed, gone at the end. An intent names each
 * while it exists, so that a crash leaves nothing behind.
 */
import { KmsError } from '../../errors.ts';
import { newIntent, newObjectId } from '../intents.ts';
import { importsMaterial } from '../region-key-store.ts';
import { wrapMaterial } from './wrap-material.ts';
import type { ImportedMaterial, ImportKey, KeyStore, MaterialImports } from '../../keystore/keystore.ts';
import type { SecretBytes } from '../../secret-bytes.ts';
import type { Change } from '../../store/store.ts';
import type { NewKey } from '../make-key.ts';
import type { ServiceParts } from '../operation.ts';

interface OpenPair {
  readonly keyStore: KeyStore & MaterialImports;
  readonly importKey: ImportKey;
  readonly endIntent: Change;
}

export class SeedImports {
  readonly #parts: ServiceParts;
  readonly #pairs = new Map<string, Promise<OpenPair>>();

  constructor(parts: ServiceParts) {
    this.#parts = parts;
  }

  /** Rejects with KmsError UnsupportedOperationException for a store that imports nothing, else as `MaterialImports.importMaterial`. */
  async importMaterial(key: NewKey, keyStore: KeyStore, material: SecretBytes, objectId: Uint8Array): Promise<ImportedMaterial> {
    const { keyStore: importing, importKey } = await this.#pairOf(key, keyStore);
    const { keySpec, keyUsage, multiRegion = false } = key;
    const wrapped = wrapMaterial(keySpec, material, importKey.publicKey);
    return importing.importMaterial({ key, keySpec, keyUsage, multiRegion, objectId, importKey: importKey.reference, ...wrapped });
  }

  /** Destroys the pairs. What fails of it is left to the sweep of intents. */
  async close(): Promise<void> {
    for (const opened of this.#pairs.values()) {
      try {
        const { keyStore, importKey, endIntent } = await opened;
        await keyStore.destroyImportKey(importKey.reference);
        await this.#parts.store.commit([endIntent]);
      } catch (error) {
        this.#parts.log.warn({ err: error }, 'the wrapping pair of seeds is left to the sweep');
      }
    }
  }

  #pairOf(key: NewKey, keyStore: KeyStore): Promise<OpenPair> {
    let pair = this.#pairs.get(keyStore.name);
    if (pair === undefined) this.#pairs.set(keyStore.name, (pair = this.#makePair(key, keyStore)));
    return pair;
  }

  async #makePair(key: NewKey, keyStore: KeyStore): Promise<OpenPair> {
    if (!importsMaterial(keyStore))
      throw new KmsError('UnsupportedOperationException', `The key store ${keyStore.name} does not import key material.`);
    const intent = newIntent('create-import-key', key, keyStore.name, newObjectId(this.#parts), this.#parts);
    await this.#parts.store.commit([{ kind: 'put-intent', record: intent }]);
    const importKey = await keyStore.createImportKey('RSA_2048', intent.objectId);
    return { keyStore, importKey, endIntent: { kind: 'delete-intent', intentId: intent.intentId, fence: intent.fence } };
  }
}

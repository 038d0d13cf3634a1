/**
 * Epoch keys that proved themselves, found by material and nonce. Bounded over all materials and for each material; the
 * least recently used one leaves first. What leaves is handed to `onEvict`, this file destroys nothing.
 */
import type { SharedKey } from './shared-key.ts';

interface Entry<Key> {
  readonly materialId: string;
  readonly nonce: string;
  readonly key: SharedKey<Key>;
}

export interface EpochKeyCacheBounds {
  readonly keysMax: number;
  readonly keysPerMaterialMax: number;
}

export class EpochKeyCache<Key> {
  readonly #bounds: EpochKeyCacheBounds;
  readonly #onEvict: (materialId: string, key: SharedKey<Key>) => void;
  /** Set and maps keep their entries in order of use, oldest first. */
  readonly #all = new Set<Entry<Key>>();
  readonly #byMaterial = new Map<string, Map<string, Entry<Key>>>();
  #newest: Entry<Key> | undefined;

  constructor(bounds: EpochKeyCacheBounds, onEvict: (materialId: string, key: SharedKey<Key>) => void) {
    this.#bounds = bounds;
    this.#onEvict = onEvict;
  }

  get size(): number {
    return this.#all.size;
  }

  /** The key, which becomes the most recently used one. `nonce` is hexadecimal. */
  get(materialId: string, nonce: string): SharedKey<Key> | undefined {
    const newest = this.#newest;
    if (newest !== undefined && newest.nonce === nonce && newest.materialId === materialId) return newest.key;
    const entry = this.#byMaterial.get(materialId)?.get(nonce);
    if (entry === undefined) return undefined;
    this.#remove(entry);
    this.#add(entry);
    return entry.key;
  }

  /** Adds a key and evicts what is over the bounds. A key of the same nonce is evicted in favour of the new one. */
  put(materialId: string, nonce: string, key: SharedKey<Key>): void {
    const same = this.#byMaterial.get(materialId)?.get(nonce);
    if (same !== undefined) this.#evict(same);
    this.#add({ materialId, nonce, key });
    const siblings = this.#byMaterial.get(materialId)!;
    if (siblings.size > this.#bounds.keysPerMaterialMax) this.#evictOldest(siblings.values());
    if (this.#all.size > this.#bounds.keysMax) this.#evictOldest(this.#all.values());
  }

  /** Evicts the key of one nonce, if it is cached. */
  remove(materialId: string, nonce: string): void {
    const entry = this.#byMaterial.get(materialId)?.get(nonce);
    if (entry !== undefined) this.#evict(entry);
  }

  /** Evicts every key of a material. */
  removeMaterial(materialId: string): void {
    for (const entry of this.#byMaterial.get(materialId)?.values() ?? []) this.#evict(entry);
  }

  /** Evicts all keys. */
  clear(): void {
    for (const entry of this.#all) this.#evict(entry);
  }

  #evictOldest(entries: Iterator<Entry<Key>>): void {
    const oldest = entries.next();
    if (oldest.done !== true) this.#evict(oldest.value);
  }

  #evict(entry: Entry<Key>): void {
    this.#remove(entry);
    this.#onEvict(entry.materialId, entry.key);
  }

  #add(entry: Entry<Key>): void {
    this.#all.add(entry);
    const siblings = this.#byMaterial.get(entry.materialId) ?? new Map<string, Entry<Key>>();
    this.#byMaterial.set(entry.materialId, siblings.set(entry.nonce, entry));
    this.#newest = entry;
  }

  #remove(entry: Entry<Key>): void {
    this.#all.delete(entry);
    const siblings = this.#byMaterial.get(entry.materialId);
    siblings?.delete(entry.nonce);
    if (siblings?.size === 0) this.#byMaterial.delete(entry.materialId);
    if (this.#newest === entry) this.#newest = undefined;
  }
}

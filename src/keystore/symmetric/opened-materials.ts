/**
 * Materials that are open in the vault: opened once for all callers that wait, kept while they are used, the least recently
 * used one closed when there are too many. Every use is checked against the key that the material was opened for.
 */
import type { KeyUsage, MaterialRecord } from '../../keys/key-record.ts';
import type { BoundMaterial } from '../keystore.ts';
import { KeyStoreError } from '../keystore.ts';
import type { EncryptionEpoch } from './encryption-epoch.ts';
import type { Retirement } from './retirement.ts';
import type { SharedKey } from './shared-key.ts';

/** A material that can be opened, with what its record says of its key. */
export interface OpenableMaterial extends BoundMaterial<MaterialRecord> {
  readonly key: BoundMaterial['key'] & { readonly keySpec?: string; readonly keyUsage?: KeyUsage };
}

/** Where materials are opened (`MaterialVault`). */
export interface MaterialOpener<Key, Bound> {
  isCurrent(key: Key): boolean;
  openMaterial(bound: Bound): Promise<SharedKey<Key>>;
}

/** An open material, with the epoch that it encrypts under now if it encrypts symmetrically. */
export interface OpenedMaterial<Key, Bound extends OpenableMaterial = BoundMaterial> {
  readonly bound: Bound;
  readonly shared: SharedKey<Key>;
  epoch: EncryptionEpoch<Key> | undefined;
  /** Set while a new epoch is being made. */
  nextEpoch: Promise<EncryptionEpoch<Key>> | undefined;
}

/** How often a call opens a material that is forgotten again before it can be used. */
const openingsMax = 4;

export class OpenedMaterials<Key, Bound extends OpenableMaterial = BoundMaterial> {
  readonly #vault: MaterialOpener<Key, Bound>;
  readonly #materialsMax: number;
  readonly #retirement: Retirement<Key>;
  readonly #onClose: (materialId: string) => void;
  readonly #opened = new Map<string, OpenedMaterial<Key, Bound>>();
  readonly #opening = new Map<string, Promise<void>>();
  #newest: OpenedMaterial<Key, Bound> | undefined;

  /** `onClose` is told of each material that is closed, so that its epoch keys leave too. */
  constructor(vault: MaterialOpener<Key, Bound>, materialsMax: number, retirement: Retirement<Key>, onClose: (materialId: string) => void) {
    this.#vault = vault;
    this.#materialsMax = materialsMax;
    this.#retirement = retirement;
    this.#onClose = onClose;
  }

  /** Lends the open material to `work`, opening it first when needed. It stays open until `work` has settled. */
  async use<T>(bound: Bound, work: (opened: OpenedMaterial<Key, Bound>, key: Key) => Promise<T>): Promise<T> {
    for (let openings = 0; openings <= openingsMax; openings += 1) {
      const opened = this.find(bound);
      if (opened !== undefined) return opened.shared.use((key) => work(opened, key));
      await this.#openOnce(bound);
    }
    throw new KeyStoreError('unavailable', 'The key material was closed again and again while it was being opened');
  }

  /** The material if it is open now. Throws KeyStoreError `internal` when it was opened for another key. */
  find(bound: Bound): OpenedMaterial<Key, Bound> | undefined {
    const { materialId } = bound.material;
    const opened = this.#newest?.bound.material.materialId === materialId ? this.#newest : this.#opened.get(materialId);
    if (opened === undefined) return undefined;
    if (!this.#vault.isCurrent(opened.shared.key)) {
      this.close(materialId);
      return undefined;
    }
    if (!isSameBinding(opened.bound, bound)) {
      throw new KeyStoreError('internal', 'The record of this key material names another key than the one it was made for');
    }
    if (opened !== this.#newest) this.#moveToNewest(materialId, opened);
    return opened;
  }

  /** Closes a material. New calls open it anew; `Retirement` knows when the old reference is gone. */
  close(materialId: string): void {
    const opened = this.#opened.get(materialId);
    if (opened === undefined) return;
    this.#opened.delete(materialId);
    if (this.#newest === opened) this.#newest = undefined;
    this.#onClose(materialId);
    this.#retirement.begin(materialId, opened.shared);
  }

  closeAll(): void {
    for (const materialId of this.#opened.keys()) this.close(materialId);
  }

  /** Resolves when no opening of the material is under way. */
  async settled(materialId: string): Promise<void> {
    await this.#opening.get(materialId)?.catch(() => undefined);
  }

  async #openOnce(bound: Bound): Promise<void> {
    const { materialId } = bound.material;
    let opening = this.#opening.get(materialId);
    if (opening === undefined) {
      opening = this.#open(bound).finally(() => this.#opening.delete(materialId));
      this.#opening.set(materialId, opening);
    }
    await opening;
  }

  async #open(bound: Bound): Promise<void> {
    const shared = await this.#vault.openMaterial(bound);
    this.#moveToNewest(bound.material.materialId, { bound, shared, epoch: undefined, nextEpoch: undefined });
    if (this.#opened.size <= this.#materialsMax) return;
    const [oldest] = this.#opened.keys();
    if (oldest !== undefined) this.close(oldest);
  }

  #moveToNewest(materialId: string, opened: OpenedMaterial<Key, Bound>): void {
    this.#opened.delete(materialId);
    this.#opened.set(materialId, opened);
    this.#newest = opened;
  }
}

/** The material id covers key id and fingerprint; the rest is compared so that an altered record is not served from the cache. */
function isSameBinding(opened: OpenableMaterial, used: OpenableMaterial): boolean {
  return (
    opened.key.keyId === used.key.keyId &&
    opened.key.account === used.key.account &&
    opened.key.partition === used.key.partition &&
    opened.key.keySpec === used.key.keySpec &&
    opened.key.keyUsage === used.key.keyUsage &&
    opened.material.suite === used.material.suite
  );
}

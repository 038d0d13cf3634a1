/**
 * Epoch keys for decryption: derived when a ciphertext names their nonce, once for all calls that wait for the same one,
 * and kept only after a tag verified under them, so that made-up nonces fill no cache.
 */
import { toHex } from '../../bytes.ts';
import type { EpochKeyCache } from './epoch-key-cache.ts';
import type { MaterialVault } from './material-vault.ts';
import type { OpenedMaterial } from './opened-materials.ts';
import type { Retirement } from './retirement.ts';
import type { SharedKey } from './shared-key.ts';

/** A derivation that calls wait for or use, before its key is known to be good. */
interface Trial<Key> {
  readonly key: Promise<SharedKey<Key>>;
  users: number;
  proven: boolean;
}

export class DecryptionKeys<Key> {
  readonly #vault: MaterialVault<Key>;
  readonly #cache: EpochKeyCache<Key>;
  readonly #retirement: Retirement<Key>;
  readonly #trials = new WeakMap<OpenedMaterial<Key>, Map<string, Trial<Key>>>();

  constructor(vault: MaterialVault<Key>, cache: EpochKeyCache<Key>, retirement: Retirement<Key>) {
    this.#vault = vault;
    this.#cache = cache;
    this.#retirement = retirement;
  }

  /** The key of the nonce, if it proved itself and may be used now. */
  find(materialId: string, epochNonce: Uint8Array): SharedKey<Key> | undefined {
    const cached = this.#cache.get(materialId, toHex(epochNonce));
    return cached !== undefined && this.#vault.isCurrent(cached.key) ? cached : undefined;
  }

  /** Lends the key of the nonce to `open`, which must resolve only when a tag verified. `opened` must be in use meanwhile. */
  async use(opened: OpenedMaterial<Key>, epochNonce: Uint8Array, open: (key: Key) => Promise<Uint8Array>): Promise<Uint8Array> {
    const known = this.find(opened.bound.material.materialId, epochNonce);
    return known === undefined ? this.#try(opened, epochNonce, toHex(epochNonce), open) : known.use(open);
  }

  async #try(
    opened: OpenedMaterial<Key>,
    epochNonce: Uint8Array,
    nonce: string,
    open: (key: Key) => Promise<Uint8Array>,
  ): Promise<Uint8Array> {
    const trials = this.#trialsOf(opened);
    const trial = trials.get(nonce) ?? {
      key: this.#vault.deriveEpochKey(opened.shared.key, opened.bound.material.suite, epochNonce),
      users: 0,
      proven: false,
    };
    trials.set(nonce, trial);
    trial.users += 1;
    try {
      const shared = await trial.key;
      const plaintext = await shared.use(open);
      if (!trial.proven) this.#cache.put(opened.bound.material.materialId, nonce, shared);
      trial.proven = true;
      return plaintext;
    } finally {
      trial.users -= 1;
      // A proven key is found in the cache; the trial must not hand it out once it was evicted there.
      if ((trial.proven || trial.users === 0) && trials.get(nonce) === trial) trials.delete(nonce);
      if (trial.users === 0 && !trial.proven) await this.#discard(opened, trial);
    }
  }

  /** Waits for the destruction, so that calls with made-up nonces cannot pile up keys. A failure stays with `Retirement`. */
  async #discard(opened: OpenedMaterial<Key>, trial: Trial<Key>): Promise<void> {
    const shared = await trial.key.catch(() => undefined);
    if (shared !== undefined) await this.#retirement.retire(opened.bound.material.materialId, shared).catch(() => undefined);
  }

  #trialsOf(opened: OpenedMaterial<Key>): Map<string, Trial<Key>> {
    const trials = this.#trials.get(opened) ?? new Map<string, Trial<Key>>();
    this.#trials.set(opened, trials);
    return trials;
  }
}

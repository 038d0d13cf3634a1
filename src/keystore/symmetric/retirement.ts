/**
 * Keys on their way out, by material: retired in the background when a cache evicts them, and waited for when a material is
 * forgotten. A destruction that failed stays listed and is tried again by the next `finish`.
 */
import type { Log } from '../../log.ts';
import type { SharedKey } from './shared-key.ts';

export class Retirement<Key> {
  readonly #log: Log;
  readonly #leaving = new Map<string, Set<SharedKey<Key>>>();

  constructor(log: Log) {
    this.#log = log;
  }

  /** Retires the key without waiting for it. */
  begin(materialId: string, key: SharedKey<Key>): void {
    this.retire(materialId, key).catch((error: unknown) => {
      this.#log.warn(
        { materialId, err: error },
        'a session object could not be destroyed; it is tried again when its material is forgotten',
      );
    });
  }

  /** Retires the key; rejects when it could not be destroyed. */
  async retire(materialId: string, key: SharedKey<Key>): Promise<void> {
    const leaving = this.#leaving.get(materialId) ?? new Set();
    this.#leaving.set(materialId, leaving.add(key));
    await key.retire();
    leaving.delete(key);
    if (leaving.size === 0 && this.#leaving.get(materialId) === leaving) this.#leaving.delete(materialId);
  }

  /** Resolves when every retired key of the material is gone; rejects when one could not be destroyed. */
  async finish(materialId: string): Promise<void> {
    await Promise.all([...(this.#leaving.get(materialId) ?? [])].map((key) => this.retire(materialId, key)));
  }

  /** Resolves when every retired key is gone or could not be destroyed. */
  async finishAll(): Promise<void> {
    await Promise.allSettled([...this.#leaving.keys()].map((materialId) => this.finish(materialId)));
  }
}

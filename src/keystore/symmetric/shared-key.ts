/**
 * A key reference that several calls use at once. It is destroyed after it was retired and the last call has ended, never
 * under a running call: a token may give the freed handle to another key.
 */

export class SharedKey<Key> {
  readonly key: Key;
  readonly #destroy: (key: Key) => Promise<void>;
  #users = 0;
  #retired = false;
  #idle: (() => void) | undefined;
  #destroyed: Promise<void> | undefined;

  constructor(key: Key, destroy: (key: Key) => Promise<void>) {
    this.key = key;
    this.#destroy = destroy;
  }

  /** True once nobody may begin to use the key. */
  get retired(): boolean {
    return this.#retired;
  }

  /** Lends the key to `work` and keeps it alive until that has settled. The caller sees to it that the key is not retired. */
  async use<T>(work: (key: Key) => Promise<T>): Promise<T> {
    if (this.#retired) throw new Error('A retired key was about to be used');
    this.#users += 1;
    try {
      return await work(this.key);
    } finally {
      this.#users -= 1;
      if (this.#users === 0) this.#idle?.();
    }
  }

  /** Waits for running calls, then destroys the key. Repeating it repeats a destruction that failed. */
  async retire(): Promise<void> {
    this.#retired = true;
    this.#destroyed ??= this.#destroyWhenIdle();
    try {
      await this.#destroyed;
    } catch (error) {
      this.#destroyed = undefined;
      throw error;
    }
  }

  async #destroyWhenIdle(): Promise<void> {
    if (this.#users > 0) await new Promise<void>((resolve) => (this.#idle = resolve));
    await this.#destroy(this.key);
  }
}

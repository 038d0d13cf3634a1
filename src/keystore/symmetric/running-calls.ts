/**
 * Calls that use a material, each from its first attempt to its answer: waits for recoveries and runs after them are part of it, and may
 * open the material again. Whoever forgets a material lets them end first.
 */
export class RunningCalls {
  readonly #calls = new Map<string, Set<Promise<unknown>>>();

  /** Does `work`, which uses the material. */
  async during<T>(materialId: string, work: () => Promise<T>): Promise<T> {
    const calls = this.#calls.get(materialId) ?? new Set();
    if (calls.size === 0) this.#calls.set(materialId, calls);
    const call = work();
    calls.add(call);
    try {
      return await call;
    } finally {
      calls.delete(call);
      if (calls.size === 0) this.#calls.delete(materialId);
    }
  }

  /** Resolves when the calls that run now have their answers. Later ones are not waited for. */
  async ended(materialId: string): Promise<void> {
    const calls = this.#calls.get(materialId);
    if (calls !== undefined) await Promise.allSettled(calls);
  }
}

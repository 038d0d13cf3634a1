/** Work that goes on after its request was answered. Whoever takes the service apart waits for it; what a crash interrupts is the sweeps' to finish. */

export class BackgroundWork {
  readonly #running = new Set<Promise<void>>();

  /** Starts `work`, which never rejects, once the caller has returned. */
  start(work: () => Promise<void>): void {
    const running: Promise<void> = new Promise<void>((resolve) => setImmediate(resolve))
      .then(work)
      .finally(() => this.#running.delete(running));
    this.#running.add(running);
  }

  /** Resolves when nothing is under way, what was started meanwhile included. */
  async settled(): Promise<void> {
    while (this.#running.size > 0) await Promise.all(this.#running);
  }
}

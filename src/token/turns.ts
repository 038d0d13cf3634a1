/** Key pairs in the making, a few at a time, so that they do not take every thread: the rest waits in order, and too many are turned away. */
import { TokenError } from './token-error.ts';

export class Turns {
  readonly #atOnceMax: number;
  readonly #waitingMax: number;
  readonly #waiting: (() => void)[] = [];
  #running = 0;

  constructor(atOnceMax: number, waitingMax: number) {
    this.#atOnceMax = atOnceMax;
    this.#waitingMax = waitingMax;
  }

  /** Does `work` when its turn comes. Rejects with TokenError `capacity` when too many wait. */
  async take<T>(work: () => Promise<T>): Promise<T> {
    if (this.#running < this.#atOnceMax) this.#running += 1;
    else await this.#wait();
    try {
      return await work();
    } finally {
      const next = this.#waiting.shift();
      // Whoever waits takes over this turn.
      if (next === undefined) this.#running -= 1;
      else next();
    }
  }

  #wait(): Promise<void> {
    if (this.#waiting.length >= this.#waitingMax) {
      throw new TokenError('capacity', `${this.#waitingMax} key pairs wait to be made by the token already: ask again later`);
    }
    return new Promise((resolve) => this.#waiting.push(resolve));
  }
}

/** A clock that runs with the machine's and can be moved forward, so that a test sees at once what takes days. */
import { type Clock, systemClock } from '../clock.ts';

/** Further than any time of the API lies ahead. */
const aheadMsMax = 100 * 365 * 86_400_000;

export class VirtualClock implements Clock {
  #aheadMs = 0;

  nowMs(): number {
    return systemClock.nowMs() + this.#aheadMs;
  }

  /** Moves with the wall clock: who compares the two must not take the move for a clock that jumped. */
  monotonicMs(): number {
    return systemClock.monotonicMs() + this.#aheadMs;
  }

  /** Throws RangeError for a move back, or beyond 100 years in all. */
  advance(ms: number): void {
    if (!Number.isFinite(ms) || ms < 0 || this.#aheadMs + ms > aheadMsMax)
      throw new RangeError('the clock moves forward only, and 100 years at most');
    this.#aheadMs += ms;
  }
}

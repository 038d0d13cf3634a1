/** Time as a dependency: everything that asks for the time gets one of these, so that tests move it and never sleep. */

/** A source of time. */
export interface Clock {
  /** Wall clock, milliseconds since the Unix epoch. */
  nowMs(): number;
  /** Time that only runs forward, milliseconds since an arbitrary start. Not affected by clock changes. */
  monotonicMs(): number;
}

/** The machine's clock. */
export const systemClock: Clock = {
  nowMs: () => Date.now(),
  monotonicMs: () => performance.now(),
};

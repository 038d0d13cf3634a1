/** Scheduled work on a timer: one run at a time, a failed run is logged and the next one comes. Knows nothing of what is swept. */
import type { Log } from '../log.ts';

/** Starts `tick` every `intervalMs` and returns what stops it. `setInterval` of Node, or a test's. */
export type StartTimer = (tick: () => void, intervalMs: number) => () => void;

export interface SweepParts {
  readonly sweep: () => Promise<unknown>;
  readonly intervalMs: number;
  readonly startTimer: StartTimer;
  readonly log: Log;
}

/** A timer of the process, which does not keep it alive. */
export const processTimer: StartTimer = (tick, intervalMs) => {
  const timer = setInterval(tick, intervalMs);
  timer.unref();
  return () => clearInterval(timer);
};

/** Scheduled work that has been started. */
export interface Sweeps {
  /** Resolves after a run that began after this call. Never rejects. */
  runNow(): Promise<void>;
  /** Ends the timer and waits for a run in progress. */
  stop(): Promise<void>;
}

/** Runs the sweep at every tick, unless the last one still runs. */
export function startSweeps({ sweep, intervalMs, startTimer, log }: SweepParts): Sweeps {
  let running: Promise<void> | undefined;
  const run = async (): Promise<void> => {
    try {
      await sweep();
    } catch (error) {
      log.error({ err: error }, 'scheduled work failed and is tried again at the next turn');
    } finally {
      running = undefined;
    }
  };
  const stopTimer = startTimer(() => {
    running ??= run();
  }, intervalMs);
  return {
    runNow: async () => {
      await running;
      // Of several who asked meanwhile, the first begins the run that all wait for.
      running ??= run();
      await running;
    },
    stop: async () => {
      stopTimer();
      await running;
    },
  };
}

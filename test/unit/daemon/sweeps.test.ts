/** The timer of scheduled work: one run at a time, failures survived, an orderly stop. */
import { describe, expect, it } from 'vitest';
import { startSweeps } from '../../../src/daemon/sweeps.ts';
import { silentLog } from '../../../src/log.ts';

/** A timer that ticks when it is told to. */
function handTimer(): { tick: () => void; stopped: () => boolean; start: (tick: () => void) => () => void } {
  let run: (() => void) | undefined;
  let stopped = false;
  return {
    tick: () => run?.(),
    stopped: () => stopped,
    start: (tick) => {
      run = tick;
      return () => {
        stopped = true;
      };
    },
  };
}

describe('scheduled work', () => {
  it('runs at each tick, never twice at once', async () => {
    const timer = handTimer();
    const finish: (() => void)[] = [];
    const sweeps = startSweeps({
      sweep: () => new Promise<void>((resolve) => finish.push(resolve)),
      intervalMs: 1,
      startTimer: timer.start,
      log: silentLog,
    });
    timer.tick();
    timer.tick();
    expect(finish).toHaveLength(1);
    finish[0]?.();
    await new Promise((resolve) => setImmediate(resolve));
    timer.tick();
    expect(finish).toHaveLength(2);
    finish[1]?.();
    await sweeps.stop();
  });

  it('goes on after a run that failed, and says so', async () => {
    const timer = handTimer();
    const errors: object[] = [];
    let runs = 0;
    const sweep = (): Promise<never> => Promise.reject(new Error(`run ${(runs += 1)}`));
    const sweeps = startSweeps({
      sweep,
      intervalMs: 1,
      startTimer: timer.start,
      log: { ...silentLog, error: (fields) => errors.push(fields) },
    });
    timer.tick();
    await new Promise((resolve) => setImmediate(resolve));
    timer.tick();
    await sweeps.stop();
    expect(runs).toBe(2);
    expect(errors).toHaveLength(2);
  });

  it('stops its timer and waits for the run in progress', async () => {
    const timer = handTimer();
    const order: string[] = [];
    let finish: (() => void) | undefined;
    const sweep = (): Promise<void> =>
      new Promise<void>((resolve) => (finish = resolve)).then(() => {
        order.push('swept');
      });
    const sweeps = startSweeps({ sweep, intervalMs: 1, startTimer: timer.start, log: silentLog });
    timer.tick();
    const stopped = sweeps.stop().then(() => order.push('stopped'));
    expect(timer.stopped()).toBe(true);
    finish?.();
    await stopped;
    expect(order).toEqual(['swept', 'stopped']);
  });

  it('runs when asked, after a run that was in progress', async () => {
    const timer = handTimer();
    const finish: (() => void)[] = [];
    const sweeps = startSweeps({
      sweep: () => new Promise<void>((resolve) => finish.push(resolve)),
      intervalMs: 1,
      startTimer: timer.start,
      log: silentLog,
    });
    timer.tick();
    const asked = sweeps.runNow();
    finish[0]?.();
    await new Promise((resolve) => setImmediate(resolve));
    expect(finish).toHaveLength(2);
    finish[1]?.();
    await asked;
    await sweeps.stop();
  });
});

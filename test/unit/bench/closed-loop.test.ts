import { describe, expect, it } from 'vitest';
import { closedLoop } from '../../../src/bench/closed-loop.ts';

const nextTurn = (): Promise<void> => new Promise((resolve) => void setImmediate(resolve));

describe('the closed loop', () => {
  it('keeps exactly the wanted number of operations outstanding and counts those that were done', async () => {
    let outstanding = 0;
    let highest = 0;
    let done = 0;
    const result = await closedLoop(
      async () => {
        highest = Math.max(highest, ++outstanding);
        await nextTurn();
        outstanding--;
        done++;
      },
      { outstanding: 8, durationMs: 30 },
    );
    expect(highest).toBe(8);
    expect(outstanding).toBe(0);
    expect(result.operations).toBe(done);
    expect(result.p99Us).toBeGreaterThanOrEqual(result.p50Us);
    expect(result.seconds).toBeGreaterThanOrEqual(0.03);
  });

  it('throws the first failure after every lane has ended', async () => {
    let running = 0;
    let calls = 0;
    const failing = closedLoop(
      async () => {
        running++;
        await nextTurn();
        running--;
        if (++calls === 20) throw new Error('no token');
      },
      { outstanding: 4, durationMs: 10_000 },
    );
    await expect(failing).rejects.toThrow('no token');
    expect(running).toBe(0);
  });
});

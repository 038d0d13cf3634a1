/** Requests of the service itself: the clock that a test moves. */
import { describe, expect, it } from 'vitest';
import { clockAdministration } from '../../../src/wire/administration.ts';
import { VirtualClock } from '../../../src/daemon/virtual-clock.ts';

function clockOf(): { clock: VirtualClock; move: (input: Record<string, unknown>) => Promise<unknown>; sweeps: () => number } {
  const clock = new VirtualClock();
  let sweeps = 0;
  const administration = clockAdministration({
    nowMs: () => clock.nowMs(),
    advance: (ms) => clock.advance(ms),
    sweep: async () => {
      sweeps += 1;
    },
  });
  return { clock, move: async (input) => administration.get('MoveClock')?.(input), sweeps: () => sweeps };
}

describe('MoveClock', () => {
  it('moves both times by seconds and days, and does what is due', async () => {
    const { clock, move, sweeps } = clockOf();
    const [wallMs, runningMs] = [clock.nowMs(), clock.monotonicMs()];
    const answer = (await move({ Days: 2, Seconds: 1.5 })) as { Now: Date };
    expect(clock.nowMs() - wallMs).toBeGreaterThanOrEqual(2 * 86_400_000 + 1_500);
    expect(clock.monotonicMs() - runningMs).toBeGreaterThanOrEqual(2 * 86_400_000 + 1_500);
    expect(answer.Now.getTime()).toBeLessThanOrEqual(clock.nowMs());
    expect(sweeps()).toBe(1);
  });

  it.each([{ Seconds: -1 }, { Days: 1e9 }, { Seconds: '5' }, { Hours: 1 }, { Seconds: Number.NaN }])(
    'refuses %j and stays',
    async (input) => {
      const { clock, move, sweeps } = clockOf();
      const beforeMs = clock.nowMs();
      await expect(move(input)).rejects.toMatchObject({ code: 'ValidationException' });
      expect(clock.nowMs() - beforeMs).toBeLessThan(10_000);
      expect(sweeps()).toBe(0);
    },
  );
});

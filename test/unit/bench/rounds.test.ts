import { describe, expect, it } from 'vitest';
import type { Cell, LayerName, Observation } from '../../../src/bench/observation.ts';
import { encrypt32 } from '../../../src/bench/plan.ts';
import { type Layer, type RoundOptions, measureRounds, measureWarmRounds } from '../../../src/bench/rounds.ts';

const observation: Observation = { operations: 1, seconds: 1, p50Us: 1, p99Us: 1, cpuUs: {}, residentBytes: {} };

function layer(name: LayerName, measure: () => Promise<Observation>): [LayerName, Layer] {
  return [name, { name, measure, close: () => Promise.resolve() }];
}

function options(changes: Partial<RoundOptions> = {}): RoundOptions {
  return { rounds: 3, windowMs: 1, budgetMs: 1000, clock: { nowMs: () => 0, monotonicMs: () => 0 }, onProgress: () => {}, ...changes };
}

const cells: readonly Cell[] = (['c', 'kms'] as const).map((name) => ({ layer: name, workload: encrypt32, outstanding: 8 }));

describe('rounds', () => {
  it('measures the layers in turn, not one after the other', async () => {
    const order: string[] = [];
    const note = (name: string) => () => {
      order.push(name);
      return Promise.resolve(observation);
    };
    const results = await measureRounds(cells, new Map([layer('c', note('c')), layer('kms', note('kms'))]), options());
    expect(order).toEqual(['c', 'kms', 'c', 'kms', 'c', 'kms']);
    expect(results.cells.map((cell) => cell.rounds.length)).toEqual([3, 3]);
  });

  it('does not count the round that warms up, and reports what failed only when it counts', async () => {
    const windows: number[] = [];
    const kms: Layer = {
      name: 'kms',
      measure: (_workload, _outstanding, durationMs) => {
        windows.push(durationMs);
        return windows.length === 1 ? Promise.reject(new Error('not warm')) : Promise.resolve(observation);
      },
      close: () => Promise.resolve(),
    };
    const results = await measureWarmRounds(cells.slice(1), [kms], options({ rounds: 2 }), 50);
    expect(windows).toEqual([50, 1, 1]);
    expect(results.failures).toEqual([]);
    expect(results.cells[0]!.rounds).toHaveLength(2);
  });

  it('starts no round after the time is up, but always does one', async () => {
    let nowMs = 0;
    const clock = { nowMs: () => 0, monotonicMs: () => (nowMs += 600) };
    const layers = new Map([layer('c', () => Promise.resolve(observation)), layer('kms', () => Promise.resolve(observation))]);
    expect((await measureRounds(cells, layers, options({ clock }))).roundsDone).toBe(2);
    expect((await measureRounds(cells, layers, options({ clock, budgetMs: 0 }))).roundsDone).toBe(1);
  });

  it('names a cell that failed once, with the reason, and goes on with the others', async () => {
    const failing = layer('kms', () => Promise.reject(new Error('token away')));
    const results = await measureRounds(cells, new Map([layer('c', () => Promise.resolve(observation)), failing]), options());
    expect(results.failures).toMatchObject([{ layer: 'kms', outstanding: 8, reason: 'token away' }]);
    expect(results.cells.map((cell) => cell.layer)).toEqual(['c']);
    const unopened = await measureRounds(cells, new Map([failing]), options());
    expect(unopened.failures.map((failure) => failure.layer)).toEqual(['c', 'kms']);
  });
});

import { array, assert, double, property } from 'fast-check';
import { describe, expect, it } from 'vitest';
import { median, ratioSpread, spreadOf } from '../../../src/bench/statistics.ts';

describe('medians over rounds', () => {
  it('takes the middle value, or the mean of the two middle ones', () => {
    expect(median([9, 1, 5])).toBe(5);
    expect(median([4, 1, 3, 2])).toBe(2.5);
    expect(() => median([])).toThrow(RangeError);
  });

  it('keeps median, lowest and highest in order, and reports nothing for nothing', () => {
    assert(
      property(array(double({ noNaN: true, noDefaultInfinity: true, min: -1e6, max: 1e6 }), { minLength: 1, maxLength: 20 }), (values) => {
        const spread = spreadOf(values)!;
        expect(spread.lowest).toBeLessThanOrEqual(spread.median);
        expect(spread.median).toBeLessThanOrEqual(spread.highest);
      }),
    );
    expect(spreadOf([])).toBeUndefined();
  });

  it('forms ratios within a round, so that a slow round changes both sides', () => {
    expect(ratioSpread([100, 10, 50], [200, 20, 100])).toEqual({ median: 0.5, lowest: 0.5, highest: 0.5 });
    expect(ratioSpread([1], [0])).toBeUndefined();
  });
});

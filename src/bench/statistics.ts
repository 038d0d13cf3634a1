/** Medians over rounds. Knows numbers only. */

/** The median of several rounds with the lowest and highest of them. */
export interface Spread {
  readonly median: number;
  readonly lowest: number;
  readonly highest: number;
}

/** The middle value; the mean of the two middle ones when their number is even. Throws RangeError on an empty list. */
export function median(values: readonly number[]): number {
  if (values.length === 0) throw new RangeError('An empty list has no median');
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

/** Median, lowest and highest. Undefined for an empty list: nothing was measured. */
export function spreadOf(values: readonly number[]): Spread | undefined {
  if (values.length === 0) return undefined;
  return { median: median(values), lowest: Math.min(...values), highest: Math.max(...values) };
}

/**
 * Ratio of two series that were measured in the same rounds: the spread of the ratios of each round, not the ratio of the
 * medians, so that a disturbance that hit both sides of one round cancels out. Both lists are in order of rounds.
 */
export function ratioSpread(values: readonly number[], references: readonly number[]): Spread | undefined {
  const rounds = Math.min(values.length, references.length);
  const ratios: number[] = [];
  for (let round = 0; round < rounds; round++) ratios.push(values[round]! / references[round]!);
  return spreadOf(ratios.filter((ratio) => Number.isFinite(ratio)));
}

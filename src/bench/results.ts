/** Everything that one run found, ready for the reports. */
import { type Cell, type MeasuredCell, type Observation, type Workload, sameWorkload } from './observation.ts';
import type { FailedCell, RoundResults } from './rounds.ts';
import type { ScaleResults } from './scale.ts';
import { type Spread, ratioSpread, spreadOf } from './statistics.ts';

export interface Machine {
  readonly cpu: string;
  readonly cpus: number;
  readonly kernel: string;
  readonly node: string;
  /** Load average of the last minute when the run began: what else the machine was doing. */
  readonly loadAverage: number;
}

export interface BenchResults {
  readonly startedAt: string;
  readonly machine: Machine;
  /** Manufacturer and label of what was measured. */
  readonly token: string;
  readonly threads: number;
  readonly keys: number;
  readonly windowMs: number;
  readonly main: RoundResults;
  /** The same calls against a module that sleeps 2 ms in each. Undefined when it was left out. */
  readonly slow: (RoundResults & { readonly sessions: number }) | undefined;
  /** Calls of a module that does nothing: what the binding costs by itself. */
  readonly none: RoundResults | undefined;
  /** What the number of keys costs. */
  readonly scale?: ScaleResults | undefined;
  /** Keys of other specs than SYMMETRIC_DEFAULT. */
  readonly keyUses?: RoundResults | undefined;
}

export function findCell(
  results: RoundResults | undefined,
  layer: Cell['layer'],
  workload: Workload,
  outstanding: number,
): MeasuredCell | undefined {
  return results?.cells.find((cell) => cell.layer === layer && cell.outstanding === outstanding && sameWorkload(cell.workload, workload));
}

/** A quantity of a cell over the rounds. */
export function quantity(cell: MeasuredCell | undefined, of: (observation: Observation) => number | undefined): Spread | undefined {
  return spreadOf((cell?.rounds ?? []).map(of).filter((value) => value !== undefined));
}

/** Ratio of a quantity of two cells, round by round. */
export function ratio(
  cell: MeasuredCell | undefined,
  reference: MeasuredCell | undefined,
  of: (observation: Observation) => number,
): Spread | undefined {
  if (cell === undefined || reference === undefined) return undefined;
  return ratioSpread(cell.rounds.map(of), reference.rounds.map(of));
}

/** Difference of a quantity of two cells, round by round. */
export function difference(
  cell: MeasuredCell | undefined,
  reference: MeasuredCell | undefined,
  of: (observation: Observation) => number,
): Spread | undefined {
  if (cell === undefined || reference === undefined) return undefined;
  const rounds = Math.min(cell.rounds.length, reference.rounds.length);
  return spreadOf(Array.from({ length: rounds }, (_, round) => of(cell.rounds[round]!) - of(reference.rounds[round]!)));
}

export function allFailures(results: BenchResults): readonly FailedCell[] {
  return [results.main, results.slow, results.none, results.scale?.pipeline, results.scale?.served, results.keyUses].flatMap(
    (part) => part?.failures ?? [],
  );
}

/**
 * Measures cells in rounds: every cell once a round, those that are compared next to each other, so that whatever else the machine does
 * hits all of them. Bounded by the number of rounds and by time.
 */
import type { Clock } from '../clock.ts';
import { type Cell, type LayerName, type MeasuredCell, type Observation, workloadName } from './observation.ts';

/** Something that can be measured at one layer. */
export interface Layer {
  readonly name: LayerName;
  measure(workload: Cell['workload'], outstanding: number, durationMs: number): Promise<Observation>;
  close(): Promise<void>;
}

export interface RoundOptions {
  readonly rounds: number;
  /** Measured time of one cell in one round. */
  readonly windowMs: number;
  /** No round starts after this many milliseconds. */
  readonly budgetMs: number;
  readonly clock: Clock;
  readonly onProgress: (text: string) => void;
}

/** A cell that could not be measured, with the reason. It is left out of later rounds. */
export interface FailedCell extends Cell {
  readonly reason: string;
}

export interface RoundResults {
  readonly cells: readonly MeasuredCell[];
  readonly failures: readonly FailedCell[];
  readonly roundsDone: number;
}

/** Measures all cells. A round is done as a whole or not at all. */
export async function measureRounds(
  cells: readonly Cell[],
  layers: ReadonlyMap<LayerName, Layer>,
  options: RoundOptions,
): Promise<RoundResults> {
  const observed = new Map<Cell, Observation[]>(cells.map((cell) => [cell, []]));
  const failures: FailedCell[] = [];
  const startedMs = options.clock.monotonicMs();
  let roundsDone = 0;
  while (roundsDone < options.rounds && (roundsDone === 0 || options.clock.monotonicMs() - startedMs < options.budgetMs)) {
    roundsDone++;
    let done = 0;
    for (const [cell, observations] of observed) {
      options.onProgress(
        `round ${roundsDone}/${options.rounds}, ${++done}/${observed.size}: ${workloadName(cell.workload)}, ${cell.outstanding} outstanding, ${cell.layer}`,
      );
      const outcome = await measureCell(cell, layers.get(cell.layer), options.windowMs);
      if (typeof outcome !== 'string') observations.push(outcome);
      else {
        failures.push({ ...cell, reason: outcome });
        observed.delete(cell);
      }
    }
  }
  return { cells: Array.from(observed, ([cell, rounds]) => ({ ...cell, rounds })), failures, roundsDone };
}

/**
 * Measures all cells after a round that is not counted, in which the compiler of JavaScript sees every kind of request. What fails there
 * fails again, with its reason, when it counts.
 */
export async function measureWarmRounds(
  cells: readonly Cell[],
  layers: readonly Layer[],
  options: RoundOptions,
  warmUpMs: number,
): Promise<RoundResults> {
  const byName = new Map(layers.map((layer) => [layer.name, layer]));
  await measureRounds(cells, byName, { ...options, rounds: 1, windowMs: warmUpMs });
  return measureRounds(cells, byName, options);
}

async function measureCell(cell: Cell, layer: Layer | undefined, windowMs: number): Promise<Observation | string> {
  if (layer === undefined) return 'the layer could not be opened';
  try {
    return await layer.measure(cell.workload, cell.outstanding, windowMs);
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

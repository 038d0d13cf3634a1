/** The scheduled work on keys: expired intents and imports, due deletions and rotations. The daemon calls it every few minutes; nothing here keeps time itself. */
import { sweepConnections } from '../custom-key-stores/connecting.ts';
import { sweepPassingStates } from '../multi-region/settle-state.ts';
import { sweepDueDeletions } from './due-deletion.ts';
import { sweepDueRotations } from './due-rotation.ts';
import { sweepExpiredMaterials, sweepExpiredParameters } from './expired-imports.ts';
import { sweepExpiredIntents } from './expired-intents.ts';
import type { Clock } from '../../clock.ts';
import type { ServiceParts } from '../operation.ts';
import type { ElapsedTime } from './due-deletion.ts';

export interface SweepReport {
  /** Intents of acts that were not finished, settled now. */
  readonly settledIntents: number;
  /** Keys deleted. */
  readonly deleted: number;
  /** Imported materials whose time was over, destroyed now. */
  readonly expiredMaterials: number;
  /** Keys that were due for automatic rotation, rotated now. */
  readonly rotated: number;
  /** True while a jump of the wall clock waits for an operator's confirmation. */
  readonly deletionsPaused: boolean;
}

/**
 * One round. `elapsed` is the time since the round before in this process; zero for the first. Rejects only when the store fails;
 * what one key store cannot do now is logged and repeated in a later round.
 */
export async function runSweeps(parts: ServiceParts, elapsed: ElapsedTime): Promise<SweepReport> {
  const deletions = await sweepDueDeletions(parts, elapsed);
  const expiredMaterials = await sweepExpiredMaterials(parts);
  await sweepExpiredParameters(parts);
  const settledIntents = await sweepExpiredIntents(parts);
  const rotated = await sweepDueRotations(parts);
  await sweepConnections(parts);
  await sweepPassingStates(parts);
  await parts.lastUses.write(parts.store);
  return { settledIntents, expiredMaterials, rotated, ...deletions };
}

/** A stopwatch over both clocks: each call gives the whole milliseconds since the call before, zero at first; fractions are left to the next. */
export function sweepStopwatch(clock: Clock): () => ElapsedTime {
  let wallMs = clock.nowMs();
  let runningMs = clock.monotonicMs();
  return () => {
    const elapsed = { wallMs: Math.floor(clock.nowMs() - wallMs), runningMs: Math.floor(clock.monotonicMs() - runningMs) };
    wallMs += elapsed.wallMs;
    runningMs += elapsed.runningMs;
    return elapsed;
  };
}

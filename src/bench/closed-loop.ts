/** Keeps a number of operations outstanding for a while and counts. Knows nothing of what an operation is. */
import { createHistogram } from 'node:perf_hooks';

/** One operation from call to answer. Rejects when the answer is not the right one. */
export type MeasuredOperation = () => Promise<unknown>;

export interface LoopOptions {
  readonly outstanding: number;
  readonly durationMs: number;
}

export interface LoopResult {
  readonly operations: number;
  readonly seconds: number;
  readonly p50Us: number;
  readonly p99Us: number;
}

const NS_PER_MS = 1e6;
const NS_PER_US = 1000;
/** A run ends here whatever the clock says. */
const OPERATIONS_MAX = 20_000_000;

/**
 * Runs `outstanding` lanes, each of which starts its next operation when the last one answered, until the time is up. The first failure
 * ends the run and is thrown: a rate of failures is not a rate of the operation.
 */
export async function closedLoop(operation: MeasuredOperation, options: LoopOptions): Promise<LoopResult> {
  const latencies = createHistogram();
  const startedMs = performance.now();
  const endMs = startedMs + options.durationMs;
  const failure = new AbortController();
  async function lane(): Promise<void> {
    for (let done = 0; !failure.signal.aborted && done < OPERATIONS_MAX; done++) {
      const sentMs = performance.now();
      if (sentMs >= endMs) return;
      await operation();
      latencies.record(Math.max(1, Math.round((performance.now() - sentMs) * NS_PER_MS)));
    }
  }
  const lanes = Array.from({ length: options.outstanding }, async () => {
    try {
      await lane();
    } catch (error) {
      failure.abort();
      throw error;
    }
  });
  // All lanes are waited for, so that no operation runs on into the next measurement.
  const outcomes = await Promise.allSettled(lanes);
  const seconds = (performance.now() - startedMs) / 1000;
  const rejected = outcomes.find((outcome) => outcome.status === 'rejected');
  if (rejected !== undefined) throw rejected.reason;
  return { operations: latencies.count, seconds, p50Us: latencies.percentile(50) / NS_PER_US, p99Us: latencies.percentile(99) / NS_PER_US };
}

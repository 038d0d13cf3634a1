/** How late the event loop of this process is: the 99th percentile over a measured stretch. */
import { monitorEventLoopDelay, type IntervalHistogram } from 'node:perf_hooks';

const RESOLUTION_MS = 1;
const NS_PER_MS = 1e6;

export class EventLoopDelay {
  readonly #histogram: IntervalHistogram = monitorEventLoopDelay({ resolution: RESOLUTION_MS });

  start(): void {
    this.#histogram.reset();
    this.#histogram.enable();
  }

  /** The 99th percentile in milliseconds since `start`. The timer's own period of 1 ms is taken off. */
  stop(): number {
    this.#histogram.disable();
    return this.#histogram.count === 0 ? 0 : Math.max(0, this.#histogram.percentile(99) / NS_PER_MS - RESOLUTION_MS);
  }
}

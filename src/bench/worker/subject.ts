/** What a worker process measures: something that was opened, and that performs one operation after the other. */
import type { MeasuredOperation } from '../closed-loop.ts';
import type { ProcessName, Workload } from '../observation.ts';

export interface Subject {
  /** What this worker process is in the table, and other processes that work for it, by name. */
  readonly role: ProcessName;
  readonly processes: Readonly<Partial<Record<ProcessName, number>>>;
  /** Makes inputs for `outstanding` operations at a time, outside the measured stretch. */
  prepare(workload: Workload, outstanding: number): Promise<MeasuredOperation>;
  close(): Promise<void>;
}

/** Measures a subject for a while, with what it costs this process and those that work for it. */
import { type MeasuredOperation, closedLoop } from '../closed-loop.ts';
import { EventLoopDelay } from '../event-loop.ts';
import type { Observation, ProcessName, Workload } from '../observation.ts';
import { cpuUs, mainThreadCpuUs, residentBytes } from '../process-usage.ts';
import type { Subject } from './subject.ts';

type Usage = Partial<Record<ProcessName, number>>;

/** Long enough for the compiler of JavaScript to have seen the hot path; much of it was hot before. */
const WARM_UP_MS = 60;

export class Measurement {
  readonly #subject: Subject;
  readonly #operation: MeasuredOperation;
  readonly #outstanding: number;

  private constructor(subject: Subject, operation: MeasuredOperation, outstanding: number) {
    this.#subject = subject;
    this.#operation = operation;
    this.#outstanding = outstanding;
  }

  /** Makes inputs and runs the operation for a while that is not counted. */
  static async prepare(subject: Subject, workload: Workload, outstanding: number): Promise<Measurement> {
    const operation = await subject.prepare(workload, outstanding);
    await closedLoop(operation, { outstanding, durationMs: WARM_UP_MS });
    return new Measurement(subject, operation, outstanding);
  }

  async run(durationMs: number): Promise<Observation> {
    const loopDelay = new EventLoopDelay();
    const before = this.#cpu();
    const javascriptBefore = mainThreadCpuUs(process.pid);
    loopDelay.start();
    const result = await closedLoop(this.#operation, { outstanding: this.#outstanding, durationMs });
    const loopDelayP99Ms = loopDelay.stop();
    const javascriptCpuUs = mainThreadCpuUs(process.pid) - javascriptBefore;
    const spent = mapUsage(this.#cpu(), (us, name) => us - (before[name] ?? 0));
    const observation = { ...result, cpuUs: spent, residentBytes: mapUsage(this.#pids(), residentBytes) };
    // The event loop that matters is the service's.
    return this.#subject.role === 'service' ? { ...observation, javascriptCpuUs, loopDelayP99Ms } : observation;
  }

  #pids(): Usage {
    return { [this.#subject.role]: process.pid, ...this.#subject.processes };
  }

  #cpu(): Usage {
    return mapUsage(this.#pids(), cpuUs);
  }
}

function mapUsage(usage: Usage, map: (value: number, name: ProcessName) => number): Usage {
  return Object.fromEntries(Object.entries(usage).map(([name, value]) => [name, map(value, name as ProcessName)]));
}

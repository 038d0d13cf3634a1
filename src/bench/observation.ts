/** What is measured and what comes out of it: the words that all parts of the benchmark share. */

/** The work of one operation, the same at every layer. */
export interface Workload {
  readonly operation: 'Encrypt' | 'Decrypt' | 'GenerateDataKey';
  /** Bytes of plaintext. */
  readonly bytes: number;
}

/** Where the operation is called, from the module itself outwards. */
export type LayerName =
  'c' | 'c-token-key' | 'addon' | 'addon-token-key' | 'host' | 'host-token-key' | 'kms' | 'kms-host' | 'http' | 'http-host' | 'https';

/** A process whose use of CPU and memory is told apart. */
export type ProcessName = 'c program' | 'service' | 'token host' | 'load generator';

/** One stretch of measuring. */
export interface Observation {
  readonly operations: number;
  readonly seconds: number;
  /** Latencies. The C program measures none. */
  readonly p50Us?: number;
  readonly p99Us?: number;
  /** CPU time of the stretch in microseconds. */
  readonly cpuUs: Readonly<Partial<Record<ProcessName, number>>>;
  /** CPU time of the JavaScript thread of the service. Undefined where there is none. */
  readonly javascriptCpuUs?: number;
  /** Event loop delay of the service, 99th percentile. */
  readonly loopDelayP99Ms?: number;
  readonly residentBytes: Readonly<Partial<Record<ProcessName, number>>>;
}

/** One place of the table: what is measured, where, and with how many operations outstanding. */
export interface Cell {
  readonly layer: LayerName;
  readonly workload: Workload;
  readonly outstanding: number;
}

/** A place of the table with what each round gave. */
export interface MeasuredCell extends Cell {
  readonly rounds: readonly Observation[];
}

/** Name of a workload in tables: `Encrypt 32 B`, `GenerateDataKey`. */
export function workloadName(workload: Workload): string {
  if (workload.operation === 'GenerateDataKey') return workload.operation;
  return `${workload.operation} ${workload.bytes < 1024 ? `${workload.bytes} B` : `${workload.bytes / 1024} KiB`}`;
}

export function sameWorkload(a: Workload, b: Workload): boolean {
  return a.operation === b.operation && a.bytes === b.bytes;
}

export function operationsPerSecond(observation: Observation): number {
  return observation.operations / observation.seconds;
}

/** CPU time per operation of every process that serves: all but the load generator. Microseconds. */
export function serverCpuUs(observation: Observation): number {
  let total = 0;
  for (const [name, us] of Object.entries(observation.cpuUs)) if (name !== 'load generator') total += us;
  return total / observation.operations;
}

/** What is measured and what comes out of it: the words that all parts of the benchmark share. */

/** The work of one operation, the same at every layer. */
export interface Workload {
  readonly operation: OperationName;
  /** Bytes of plaintext or of the message. */
  readonly bytes: number;
  /** Absent: every request the same key, which is open. */
  readonly access?: Access;
  /** Absent: SYMMETRIC_DEFAULT. */
  readonly key?: KeyChoice;
}

export type OperationName =
  | 'Encrypt'
  | 'Decrypt'
  | 'GenerateDataKey'
  | 'DescribeKey'
  | 'ListKeys'
  | 'ListAliases'
  | 'Sign'
  | 'Verify'
  | 'GenerateMac'
  | 'DeriveSharedSecret';

/** `cold`: every request another key, which has to be opened. `epochs`: every ciphertext from another epoch. */
export type Access = 'cold' | 'epochs';

/** A key other than SYMMETRIC_DEFAULT and what it is used with. */
export interface KeyChoice {
  readonly spec: string;
  readonly algorithm: string;
}

/** Where the operation is called, from the module itself outwards. */
export type LayerName =
  | 'c'
  | 'c-token-key'
  | 'addon'
  | 'addon-token-key'
  | 'host'
  | 'host-token-key'
  | 'kms'
  | 'kms-host'
  | 'http'
  | 'http-host'
  | 'https'
  | ScaleLayer
  | KeyUseLayer;

/** The pipeline, and a daemon over HTTP with a token host, with so many keys in the store. */
export type ScaleLayer = `${'keys' | 'served'}-${100 | 10_000 | 100_000}`;
/** Where keys other than SYMMETRIC_DEFAULT are used; `c` is the ceiling of a token, `node-crypto` that of software. */
export type KeyUseLayer = 'key-store' | 'key-use' | 'node-crypto' | 'software-store' | 'software-use';

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

const accessNames: Readonly<Record<Access, string>> = {
  cold: ', every request another key',
  epochs: ', every ciphertext from another epoch',
};

/** Name of a workload in tables: `Encrypt 32 B`, `GenerateDataKey`, `Sign RSA_2048 RSASSA_PSS_SHA_256`. */
export function workloadName({ operation, bytes, access, key }: Workload): string {
  if (key !== undefined) return `${operation} ${key.spec} ${key.algorithm}`;
  if (operation !== 'Encrypt' && operation !== 'Decrypt') return operation;
  return `${operation} ${bytes < 1024 ? `${bytes} B` : `${bytes / 1024} KiB`}${access === undefined ? '' : accessNames[access]}`;
}

export function sameWorkload(a: Workload, b: Workload): boolean {
  return a.bytes === b.bytes && workloadName(a) === workloadName(b);
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

/**
 * What the number of keys costs: the same requests with 100, 10,000 and 100,000 keys in the store (residency wrapped), and how long a daemon
 * takes to start with them. Some keys are real, the rest are records that are loaded and listed and cannot be used.
 */
import { systemClock } from '../clock.ts';
import type { BenchOptions } from './bench-options.ts';
import { DaemonProcess } from './daemon-process.ts';
import { type Client, HttpLayer, WorkerLayer } from './layers.ts';
import { closeAll } from './module-runs.ts';
import type { Workload } from './observation.ts';
import { outstandingOfTargets } from './plan.ts';
import { residentBytes } from './process-usage.ts';
import { type Layer, measureWarmRounds, type RoundResults } from './rounds.ts';
import { flatWorkloads, pipelineWorkloads, scaleLayers } from './scale-plan.ts';
import type { Subjected, Variant } from './site.ts';
import { Worker } from './worker/worker.ts';

/** How a daemon starts with so many keys. */
export interface ServiceStart {
  readonly keys: number;
  /** Until it says that it is ready, one value for each round. */
  readonly readyMs: readonly number[];
  readonly residentBytesReady: number;
}

export interface ScaleResults {
  readonly sizes: readonly number[];
  /** Keys that were made through the API, at most. */
  readonly realKeys: number;
  readonly pipeline: RoundResults;
  readonly served: RoundResults;
  readonly starts: readonly ServiceStart[];
}

/** Less than the real keys of the smallest store: going through them, every request finds its key closed. */
const epochKeysMaxOfScale = 64;
const pipelineOutstanding = 8;
const smallest = 100;

/** Measures stores of `options.scaleSizes`. Undefined when the run leaves them out, or the token belongs to somebody and is not of residency wrapped. */
export async function measureScale(options: BenchOptions, client: Omit<Client, 'keyId'>): Promise<ScaleResults | undefined> {
  const sizes = options.scaleSizes.filter((size) => options.layers.includes(scaleLayers[size]!.pipeline));
  const { keyStore } = options.subjected;
  if (sizes.length === 0 || keyStore.kind !== 'pkcs11') return undefined;
  if (keyStore.residency !== 'wrapped' && !options.temporaryToken) return undefined;
  const subjected: Subjected = { ...options.subjected, keyStore: { ...keyStore, residency: 'wrapped' } };
  const configOf = (name: string, isolation: Variant['isolation'] = 'none'): string =>
    options.site.writeConfig(subjected, { name, isolation, token: { epochKeysMax: epochKeysMaxOfScale } }, client.credentialsFile);
  const hotKeyId = await makeStores(sizes, options, configOf);
  const pipeline = await measurePipelines(sizes, options, configOf);
  const starts: ServiceStart[] = [];
  for (const size of sizes) starts.push(await measureStart(size, options, configOf(nameOf(size), 'process')));
  const served = await measureServed(sizes, options, (name) => configOf(name, 'process'), { ...client, keyId: hotKeyId });
  return { sizes, realKeys: options.scaleRealKeys, pipeline, served, starts };
}

function nameOf(size: number): string {
  return scaleLayers[size]!.pipeline;
}

/** The smallest store has real keys only; every larger one begins as a copy of it with more of both. Resolves to a key that all have. */
async function makeStores(sizes: readonly number[], options: BenchOptions, configOf: (name: string) => string): Promise<string> {
  const { site, onProgress, scaleRealKeys } = options;
  const hotKeyId = await withKms(configOf('scale'), (worker) => worker.createKeys(smallest));
  onProgress(`making ${scaleRealKeys} keys`);
  site.copyData('scale', 'scale-real');
  await withKms(configOf('scale-real'), (worker) => worker.createKeys(scaleRealKeys - smallest));
  for (const size of sizes) {
    onProgress(`filling a store with ${size} keys`);
    site.copyData(size === smallest ? 'scale' : 'scale-real', nameOf(size));
    await withKms(configOf(nameOf(size)), (worker) => worker.fillKeys(size));
  }
  return hotKeyId;
}

async function withKms<T>(configFile: string, act: (worker: Worker) => Promise<T>): Promise<T> {
  const worker = await Worker.open({ kind: 'kms', configFile });
  try {
    return await act(worker);
  } finally {
    await worker.close();
  }
}

/** Without HTTP, the token in process. */
async function measurePipelines(
  sizes: readonly number[],
  options: BenchOptions,
  configOf: (name: string) => string,
): Promise<RoundResults> {
  const opened: Layer[] = [];
  try {
    for (const size of sizes) {
      const worker = await Worker.open({ kind: 'kms', configFile: configOf(nameOf(size)) });
      opened.push(new WorkerLayer(scaleLayers[size]!.pipeline, worker));
    }
    return await measured(pipelineWorkloads, opened, pipelineOutstanding, options);
  } finally {
    await closeAll(opened);
  }
}

/** The daemons at work, all open at the same time and measured in turns. */
async function measureServed(
  sizes: readonly number[],
  options: BenchOptions,
  configOf: (name: string) => string,
  client: Client,
): Promise<RoundResults> {
  const opened: Layer[] = [];
  try {
    for (const size of sizes) opened.push(await HttpLayer.open(scaleLayers[size]!.served, configOf(nameOf(size)), client));
    return await measured(flatWorkloads, opened, outstandingOfTargets, options);
  } finally {
    await closeAll(opened);
  }
}

function measured(
  workloads: readonly Workload[],
  layers: readonly Layer[],
  outstanding: number,
  options: BenchOptions,
): Promise<RoundResults> {
  const cells = workloads.flatMap((workload) => layers.map(({ name }) => ({ layer: name, workload, outstanding })));
  return measureWarmRounds(cells, layers, { ...options, clock: systemClock }, options.warmUpMs);
}

async function measureStart(size: number, options: BenchOptions, configFile: string): Promise<ServiceStart> {
  const readyMs: number[] = [];
  let residentBytesReady = 0;
  for (let round = 0; round < options.rounds; round++) {
    options.onProgress(`starting a daemon with ${size} keys`);
    const startedMs = performance.now();
    const daemon = await DaemonProcess.start(configFile);
    readyMs.push(performance.now() - startedMs);
    residentBytesReady = residentBytes(daemon.pid);
    await daemon.stop();
  }
  return { keys: size, readyMs, residentBytesReady };
}

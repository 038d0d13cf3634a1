/**
 * What the number of keys costs: the same requests with 100, 10,000 and 100,000 keys in the store (residency wrapped), and how long a daemon
 * takes to start with them. Some keys are real, the rest are records that are loaded and listed and cannot be used.
 */
import type { BenchOptions } from './bench-options.ts';
import { DaemonProcess } from './daemon-process.ts';
import { type Client, HttpLayer, WorkerLayer } from './layers.ts';
import { closeAll, measureWith } from './module-runs.ts';
import type { Cell, Observation } from './observation.ts';
import { encrypt32, outstandingOfTargets } from './plan.ts';
import { residentBytes } from './process-usage.ts';
import type { RoundResults } from './rounds.ts';
import { scaleLayers, scaleWorkloads } from './scale-plan.ts';
import type { Subjected, Variant } from './site.ts';
import { Worker } from './worker/worker.ts';

/** How a daemon starts with so many keys. */
export interface ServiceStart {
  readonly keys: number;
  /** Until it says that it is ready, one value for each round. */
  readonly readyMs: readonly number[];
  readonly residentBytesReady: number;
  readonly residentBytesLoaded: number;
}

export interface ScaleResults {
  readonly sizes: readonly number[];
  /** Keys that were made through the API, at most. */
  readonly realKeys: number;
  readonly rounds: RoundResults;
  readonly starts: readonly ServiceStart[];
}

/** Less than the real keys of the smallest store: going through them, every request finds its key closed. */
const epochKeysMaxOfScale = 64;
const outstanding = 8;
const smallest = 100;

/** Measures stores of `options.scaleSizes`. Undefined when the run leaves them out, or the token belongs to somebody and is not of residency wrapped. */
export async function measureScale(options: BenchOptions, client: Omit<Client, 'keyId'>): Promise<ScaleResults | undefined> {
  const sizes = options.scaleSizes.filter((size) => options.layers.includes(scaleLayers[size]!));
  const { keyStore } = options.subjected;
  if (sizes.length === 0 || keyStore.kind !== 'pkcs11') return undefined;
  if (keyStore.residency !== 'wrapped' && !options.temporaryToken) return undefined;
  const subjected: Subjected = { ...options.subjected, keyStore: { ...keyStore, residency: 'wrapped' } };
  const configOf = (name: string, isolation: Variant['isolation'] = 'none'): string =>
    options.site.writeConfig(subjected, { name, isolation, token: { epochKeysMax: epochKeysMaxOfScale } }, client.credentialsFile);
  const hotKeyId = await makeStores(sizes, options, configOf);
  const rounds = await measureStores(sizes, options, configOf);
  const starts: ServiceStart[] = [];
  for (const size of sizes)
    starts.push(await measureStart(size, options, configOf(nameOf(size), 'process'), { ...client, keyId: hotKeyId }));
  return { sizes, realKeys: options.scaleRealKeys, rounds, starts };
}

function nameOf(size: number): string {
  return scaleLayers[size]!;
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

async function measureStores(sizes: readonly number[], options: BenchOptions, configOf: (name: string) => string): Promise<RoundResults> {
  const opened: WorkerLayer[] = [];
  try {
    for (const size of sizes) {
      const name = scaleLayers[size]!;
      opened.push(new WorkerLayer(name, await Worker.open({ kind: 'kms', configFile: configOf(name) })));
    }
    const cells: Cell[] = scaleWorkloads.flatMap((workload) => opened.map(({ name }) => ({ layer: name, workload, outstanding })));
    return await measureWith(cells, opened, options, options.windowMs);
  } finally {
    await closeAll(opened);
  }
}

async function measureStart(size: number, options: BenchOptions, configFile: string, client: Client): Promise<ServiceStart> {
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
  const loaded = await underLoad(options, configFile, client);
  return { keys: size, readyMs, residentBytesReady, residentBytesLoaded: loaded.residentBytes.service ?? 0 };
}

async function underLoad(options: BenchOptions, configFile: string, client: Client): Promise<Observation> {
  const layer = await HttpLayer.open('http-host', configFile, client);
  try {
    return await layer.measure(encrypt32, outstandingOfTargets, options.warmUpMs);
  } finally {
    await layer.close();
  }
}

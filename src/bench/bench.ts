/** One run of the benchmark: opens what is to be measured, measures it in rounds, and takes everything apart again. */
import { cpus, loadavg, release } from 'node:os';
import { join } from 'node:path';
import { newAccessKey } from './access-key.ts';
import type { BenchOptions } from './bench-options.ts';
import { makeCertificate } from './certificate.ts';
import { type Client, HttpLayer, WorkerLayer, cLayer, doorLayer } from './layers.ts';
import { measureKeyUses } from './key-uses.ts';
import { closeAll, doors, measureNothing, measureSlow, measureWith, slowSessions } from './module-runs.ts';
import type { LayerName } from './observation.ts';
import { mainCells } from './plan.ts';
import type { BenchResults } from './results.ts';
import type { Layer, RoundResults } from './rounds.ts';
import { measureScale } from './scale.ts';
import type { Subjected, Variant } from './site.ts';
import { Worker } from './worker/worker.ts';

const kmsVariants: Readonly<Partial<Record<LayerName, Variant>>> = {
  kms: { name: 'kms', isolation: 'none' },
  'kms-host': { name: 'kms-host', isolation: 'process' },
  http: { name: 'http', isolation: 'none' },
  'http-host': { name: 'http-host', isolation: 'process' },
  https: { name: 'https', isolation: 'none' },
};

/** Measures and returns what was found. Everything that was started has ended, and every key that was made is destroyed, when it settles. */
export async function runBench(options: BenchOptions): Promise<BenchResults> {
  const startedAt = new Date().toISOString();
  const loadAverage = loadavg()[0] ?? 0;
  const slow = await measureSlow(options);
  const none = await measureNothing(options);
  const key = newAccessKey();
  const credentialsFile = options.site.writeFile('credentials.yaml', key.text);
  const main = await measureMain(options, key.accessKeyId, credentialsFile);
  const keyUses = await measureKeyUses(options, credentialsFile);
  const scale = await measureScale(options, { region: options.site.region, accessKeyId: key.accessKeyId, credentialsFile });
  const [cpu] = cpus();
  const { token } = options.subjected;
  return {
    startedAt,
    machine: { cpu: cpu?.model ?? 'unknown', cpus: cpus().length, kernel: `Linux ${release()}`, node: process.versions.node, loadAverage },
    token: `${token.module}, token ${token.label ?? token.serial ?? ''}, ${describeKeyStore(options.subjected)}`,
    threads: token.threads.fast,
    keys: options.keys,
    windowMs: options.windowMs,
    main,
    slow: slow === undefined ? undefined : { ...slow, sessions: slowSessions },
    none,
    scale,
    keyUses,
  };
}

function describeKeyStore({ keyStore }: Subjected): string {
  return keyStore.kind === 'pkcs11' ? `residency ${keyStore.residency}, suite ${keyStore.suite}` : 'software key store';
}

/** All layers over the token as it is. */
async function measureMain(options: BenchOptions, accessKeyId: string, credentialsFile: string): Promise<RoundResults> {
  const { site, subjected } = options;
  const wanted = (name: LayerName): boolean => options.layers.includes(name);
  const opened: Layer[] = [];
  const configOf = (variant: Variant): string => site.writeConfig(subjected, variant, credentialsFile);
  try {
    for (const name of ['c', 'c-token-key'] as const) if (wanted(name)) opened.push(cLayer(name, subjected.token));
    for (const [name, isolation, keyLife] of doors) {
      if (!wanted(name)) continue;
      options.onProgress(`opening ${name}`);
      opened.push(await doorLayer(name, configOf({ name, isolation }), keyLife));
    }
    if (Object.keys(kmsVariants).some((name) => wanted(name as LayerName))) {
      const keyId = await makeKeys(options, configOf({ name: 'keys', isolation: 'none' }));
      await openService(options, { keyId, region: site.region, accessKeyId, credentialsFile }, opened);
    }
    return await measureWith(mainCells(options, options.layers), opened, options, options.windowMs);
  } finally {
    await closeAll(opened);
    if (site.hasData('keys') && !options.temporaryToken) await destroyKeys(options, configOf({ name: 'keys', isolation: 'none' }));
  }
}

/** Makes the keys in a data directory of their own, from which the measured ones are copied: all use the same key. */
async function makeKeys(options: BenchOptions, configFile: string): Promise<string> {
  options.onProgress(`making ${options.keys} keys`);
  const worker = await Worker.open({ kind: 'kms', configFile });
  try {
    return await worker.createKeys(options.keys);
  } finally {
    await worker.close();
  }
}

async function destroyKeys(options: BenchOptions, configFile: string): Promise<void> {
  options.onProgress('destroying the keys');
  const worker = await Worker.open({ kind: 'kms', configFile });
  try {
    await worker.destroyKeys(options.keys);
  } finally {
    await worker.close();
  }
}

/** Opens the layers of the service into `opened`, so that those that were opened before a failure are closed. */
async function openService(options: BenchOptions, client: Client, opened: Layer[]): Promise<void> {
  const { site, subjected } = options;
  for (const name of options.layers) {
    let variant = kmsVariants[name];
    if (variant === undefined) continue;
    options.onProgress(`opening ${name}`);
    site.copyData('keys', variant.name);
    const tls = { certificateFile: join(site.directory, 'certificate.pem'), keyFile: join(site.directory, 'certificate-key.pem') };
    if (name === 'https') {
      await makeCertificate(tls);
      variant = { ...variant, tls };
    }
    const configFile = site.writeConfig(subjected, variant, client.credentialsFile);
    if (name === 'kms' || name === 'kms-host')
      opened.push(new WorkerLayer(name, await Worker.open({ kind: 'kms', configFile, keyId: client.keyId })));
    else
      opened.push(await HttpLayer.open(name, configFile, name === 'https' ? { ...client, certificateFile: tls.certificateFile } : client));
  }
}

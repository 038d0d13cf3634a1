/**
 * Signatures, MACs, key agreement and RSA: through the pipeline and at the key store, beside the module itself or, for software keys,
 * beside node:crypto. What the token's key store does not serve is measured in software only.
 */
import { systemClock } from '../clock.ts';
import type { BenchOptions } from './bench-options.ts';
import { cLayer, WorkerLayer } from './layers.ts';
import { closeAll } from './module-runs.ts';
import type { Cell, KeyChoice, KeyUseLayer, OperationName, Workload } from './observation.ts';
import { type Layer, measureWarmRounds, type RoundResults } from './rounds.ts';
import { Worker } from './worker/worker.ts';

type KeyUse = Workload & { readonly key: KeyChoice };

/** Keeps every thread of the token busy, and a few more. */
export const keyUsesOutstanding = 8;
const messageBytes = 32;
/** There are many cells: each gets a part of a layer's warm-up. */
const WARM_UP_PARTS = 10;
const slowSpecs: readonly string[] = ['RSA_4096'];

function use(operation: OperationName, spec: string, algorithm: string): KeyUse {
  return { operation, bytes: messageBytes, key: { spec, algorithm } };
}

const secretUses: readonly KeyUse[] = [
  use('Sign', 'RSA_2048', 'RSASSA_PKCS1_V1_5_SHA_256'),
  use('Sign', 'RSA_2048', 'RSASSA_PSS_SHA_256'),
  use('Sign', 'RSA_4096', 'RSASSA_PKCS1_V1_5_SHA_256'),
  use('Sign', 'ECC_NIST_P256', 'ECDSA_SHA_256'),
  use('Sign', 'ECC_NIST_P384', 'ECDSA_SHA_384'),
  use('Sign', 'ECC_NIST_EDWARDS25519', 'ED25519_SHA_512'),
  use('GenerateMac', 'HMAC_256', 'HMAC_SHA_256'),
  use('DeriveSharedSecret', 'ECC_NIST_P256', 'ECDH'),
  use('Decrypt', 'RSA_2048', 'RSAES_OAEP_SHA_256'),
];
const publicUses: readonly KeyUse[] = [
  use('Verify', 'RSA_2048', 'RSASSA_PSS_SHA_256'),
  use('Verify', 'ECC_NIST_P256', 'ECDSA_SHA_256'),
  use('Encrypt', 'RSA_2048', 'RSAES_OAEP_SHA_256'),
];

/** Measures every use where a key store serves it. Undefined when the run leaves them out. */
export async function measureKeyUses(options: BenchOptions, credentialsFile: string): Promise<RoundResults | undefined> {
  if (!options.layers.includes('key-use')) return undefined;
  const { site, subjected } = options;
  const tokenConfig = (name: string): string => site.writeConfig(subjected, { name, isolation: 'none' }, credentialsFile);
  const softwareConfig = (name: string): string => site.writeSoftwareConfig(name, credentialsFile);
  const ceiling = subjected.keyStore.kind === 'pkcs11' && subjected.keyStore.residency === 'token' ? 'c-token-key' : 'c';
  const opened: Layer[] = [cLayer(ceiling, subjected.token)];
  try {
    const tokenSpecs = await openBoth(['key-store', 'key-use'], tokenConfig, opened);
    const softwareSpecs = await openBoth(['software-store', 'software-use'], softwareConfig, opened);
    opened.push(new WorkerLayer('node-crypto', await Worker.open({ kind: 'node-crypto' })));
    const cells = keyUseCells(ceiling, tokenSpecs, softwareSpecs).filter(({ workload }) => options.slowKeys || !isSlow(workload));
    return await measureWarmRounds(cells, opened, { ...options, clock: systemClock }, options.warmUpMs / WARM_UP_PARTS);
  } finally {
    await closeAll(opened);
  }
}

/** Opens a key store for itself and under the pipeline, in a process each. Resolves to the specs that it serves. */
async function openBoth(
  names: readonly [KeyUseLayer, KeyUseLayer],
  configOf: (name: string) => string,
  opened: Layer[],
): Promise<readonly string[]> {
  const [atStore, atPipeline] = names;
  const store = await Worker.open({ kind: 'key-use', configFile: configOf(atStore), usedAt: 'key store' });
  opened.push(new WorkerLayer(atStore, store));
  const pipeline = await Worker.open({ kind: 'key-use', configFile: configOf(atPipeline), usedAt: 'pipeline' });
  opened.push(new WorkerLayer(atPipeline, pipeline));
  return store.keySpecs;
}

/** Cells in the order of measuring. A public key is used by the pipeline alone, and nobody's token is asked. */
export function keyUseCells(
  ceiling: 'c' | 'c-token-key',
  tokenSpecs: readonly string[],
  softwareSpecs: readonly string[],
): readonly Cell[] {
  const secret = secretUses.flatMap((workload) => [
    ...(tokenSpecs.includes(workload.key.spec) ? ([ceiling, 'key-store', 'key-use'] as const).map((layer) => cell(layer, workload)) : []),
    ...(softwareSpecs.includes(workload.key.spec)
      ? (['node-crypto', 'software-store', 'software-use'] as const).map((layer) => cell(layer, workload))
      : []),
  ]);
  return [...secret, ...publicUses.flatMap((workload) => [cell('node-crypto', workload), cell('software-use', workload)])];
}

function cell(layer: Cell['layer'], workload: Workload): Cell {
  return { layer, workload, outstanding: keyUsesOutstanding };
}

function isSlow({ key }: Workload): boolean {
  return key !== undefined && slowSpecs.includes(key.spec);
}

/** Runs that need a module and no service: the one slowed down, the one that does nothing. And the doors that all runs share. */
import { systemClock } from '../clock.ts';
import type { TokenConfig } from '../config/config.ts';
import { nativeBuildPath } from '../token/native.ts';
import type { BenchOptions } from './bench-options.ts';
import { cLayer, doorLayer } from './layers.ts';
import type { Cell, LayerName } from './observation.ts';
import { encrypt32, outstandingOfTargets } from './plan.ts';
import { type Layer, type RoundResults, measureRounds } from './rounds.ts';
import { slowOutstanding } from './targets.ts';
import type { KeyLife } from './worker/door-subject.ts';

const SLOW_US = 2_000;
/** A daemon runs far more JavaScript per request than a door, at a lower rate. */
const DAEMON_WARM_UPS = 3;
/** A call of milliseconds needs a longer stretch to be counted well. */
const SLOW_WINDOWS = 4;
export const slowSessions = 64;
const NULL_LABEL = 'null';

/** The layers that are a door to the module: where it is loaded, and what kind of key they use. */
export const doors: readonly (readonly [LayerName, TokenConfig['isolation'], KeyLife])[] = [
  ['addon', 'none', 'session'],
  ['addon-token-key', 'none', 'token'],
  ['host', 'process', 'session'],
  ['host-token-key', 'process', 'token'],
];

/** The module slowed down, with as many sessions as a network HSM would get. */
export async function measureSlow(options: BenchOptions): Promise<RoundResults | undefined> {
  const { token } = options.subjected;
  const environment = { ...token.environment, SLOW_MODULE_TARGET: token.module, SLOW_MODULE_US: String(SLOW_US) };
  const slowed: TokenConfig = {
    ...token,
    module: nativeBuildPath('slow-module.node'),
    environment,
    threads: { ...token.threads, fast: slowSessions },
  };
  const cells: Cell[] = [{ layer: 'c', workload: encrypt32, outstanding: slowSessions }];
  for (const layer of ['addon', 'host'] as const) {
    for (const outstanding of [slowSessions, slowOutstanding]) cells.push({ layer, workload: encrypt32, outstanding });
  }
  return measureDoors('slow', slowed, cells, options, SLOW_WINDOWS * options.windowMs);
}

/** A module that does nothing: what remains is the binding. */
export async function measureNothing(options: BenchOptions): Promise<RoundResults | undefined> {
  const pin = { kind: 'file', path: options.site.writeFile('null-pin', 'none') } as const;
  const nothing: TokenConfig = {
    ...options.subjected.token,
    module: nativeBuildPath('null-module.node'),
    environment: {},
    label: NULL_LABEL,
    serial: undefined,
    pin,
  };
  const cells = (['c', 'addon', 'host'] as const).flatMap((layer) =>
    [1, 64].map((outstanding) => ({ layer, workload: encrypt32, outstanding })),
  );
  return measureDoors('null', nothing, cells, options, options.windowMs);
}

async function measureDoors(
  prefix: string,
  token: TokenConfig,
  cells: readonly Cell[],
  options: BenchOptions,
  windowMs: number,
): Promise<RoundResults | undefined> {
  const wanted = cells.filter((cell) => options.layers.includes(cell.layer));
  if (!wanted.some((cell) => cell.layer !== 'c')) return undefined;
  const opened: Layer[] = [];
  try {
    if (options.layers.includes('c')) opened.push(cLayer('c', token));
    for (const [name, isolation, keyLife] of doors) {
      if (!wanted.some((cell) => cell.layer === name)) continue;
      const configFile = options.site.writeConfig({ ...options.subjected, token }, { name: `${prefix}-${name}`, isolation }, 'none');
      opened.push(await doorLayer(name, configFile, keyLife));
    }
    return await measureWith(wanted, opened, options, windowMs);
  } finally {
    await closeAll(opened);
  }
}

/** Warms up and measures what was opened. A cell whose layer is missing is a failure. */
export async function measureWith(
  cells: readonly Cell[],
  opened: readonly Layer[],
  options: BenchOptions,
  windowMs: number,
): Promise<RoundResults> {
  for (const layer of opened) await warmUp(layer, options);
  const layers = new Map(opened.map((layer) => [layer.name, layer]));
  return measureRounds(cells, layers, { ...options, windowMs, clock: systemClock });
}

/** Runs a layer for a while that is not counted. One that fails here fails again, with its reason, when it is measured. */
async function warmUp(layer: Layer, options: BenchOptions): Promise<void> {
  if (layer.name === 'c' || layer.name === 'c-token-key') return;
  options.onProgress(`warming up ${layer.name}`);
  const durationMs = layer.name.startsWith('http') ? DAEMON_WARM_UPS * options.warmUpMs : options.warmUpMs;
  await layer.measure(encrypt32, outstandingOfTargets, durationMs).catch(() => undefined);
}

/** Closes every layer, last first; one that fails does not keep the others open. */
export async function closeAll(layers: readonly Layer[]): Promise<void> {
  for (const layer of layers.toReversed()) {
    await layer.close().catch((error: unknown) => {
      process.stderr.write(`hsm-kms: ${layer.name} could not be closed in order: ${(error as Error).message}\n`);
    });
  }
}

/** Which cells are measured, and for how long. */
import type { Cell, LayerName, Workload } from './observation.ts';

/** How thorough a run is. */
export interface Plan {
  readonly workloads: readonly Workload[];
  readonly outstanding: readonly number[];
  /** How long each layer runs before anything is measured: a daemon's JavaScript takes tens of thousands of requests to be compiled well. */
  readonly warmUpMs: number;
  readonly windowMs: number;
  readonly rounds: number;
  readonly budgetMs: number;
  /** Sizes of the stores whose cost is compared. */
  readonly scaleSizes: readonly number[];
  /** Keys in them that can be used. */
  readonly scaleRealKeys: number;
  /** Keys that take seconds to make are measured too. */
  readonly slowKeys: boolean;
}

export const encrypt32: Workload = { operation: 'Encrypt', bytes: 32 };
/** The targets for a service under load are set at 32 connections. */
export const outstandingOfTargets = 32;

const sizes = [32, 1024, 4096];
const dataKey: Workload = { operation: 'GenerateDataKey', bytes: 32 };

/** Layers that are measured with every workload, in the order in which they stand in the tables. */
export const mainLayers: readonly LayerName[] = [
  'c',
  'c-token-key',
  'addon',
  'addon-token-key',
  'host',
  'host-token-key',
  'kms',
  'kms-host',
  'http',
  'http-host',
];
export const allLayers: readonly LayerName[] = [...mainLayers, 'https'];

export const fullPlan: Plan = {
  workloads: [
    ...sizes.map((bytes) => ({ operation: 'Encrypt', bytes }) as const),
    ...sizes.map((bytes) => ({ operation: 'Decrypt', bytes }) as const),
    dataKey,
  ],
  outstanding: [1, 8, 64],
  warmUpMs: 2_000,
  windowMs: 250,
  rounds: 3,
  budgetMs: 600_000,
  scaleSizes: [100, 10_000, 100_000],
  scaleRealKeys: 1_000,
  slowKeys: true,
};

/** For continuous integration: about a minute. */
export const quickPlan: Plan = {
  workloads: [encrypt32, { operation: 'Decrypt', bytes: 32 }],
  outstanding: [1, 64],
  warmUpMs: 600,
  windowMs: 120,
  rounds: 2,
  budgetMs: 25_000,
  scaleSizes: [100, 10_000],
  scaleRealKeys: 200,
  slowKeys: false,
};

/**
 * The cells of the main table in the order of measuring: cells that are compared stand together. Encrypt of 32 bytes has one more
 * column, that of the targets, and there the TLS listener is measured too.
 */
export function mainCells(plan: Plan, layers: readonly LayerName[]): readonly Cell[] {
  const wanted = (names: readonly LayerName[]): readonly LayerName[] => names.filter((name) => layers.includes(name));
  const target = wanted(allLayers).map((layer) => ({ layer, workload: encrypt32, outstanding: outstandingOfTargets }));
  const rest = plan.workloads.flatMap((workload) =>
    plan.outstanding.flatMap((outstanding) => wanted(mainLayers).map((layer) => ({ layer, workload, outstanding }))),
  );
  return [...target, ...rest];
}

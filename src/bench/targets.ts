/** The performance targets and what a run reached of them. Figures only; how they are shown is the reports' business. */
import {
  type LayerName,
  type MeasuredCell,
  type Observation,
  operationsPerSecond,
  sameWorkload,
  serverCpuUs,
  type Workload,
  workloadName,
} from './observation.ts';
import { encrypt32, outstandingOfTargets } from './plan.ts';
import { type BenchResults, difference, findCell, quantity, ratio } from './results.ts';
import { figure } from './report/figures.ts';
import { flatWorkloads, scaleLayers } from './scale-plan.ts';
import type { Spread } from './statistics.ts';

export type Verdict = 'pass' | 'miss' | 'not measured';

export interface TargetRow {
  readonly id: string;
  readonly what: string;
  readonly comparison: '>=' | '<=';
  readonly target: number;
  readonly unit: string;
  readonly reached: Spread | undefined;
  readonly verdict: Verdict;
}

type TargetInput = Omit<TargetRow, 'verdict'>;

const MB = 1e6;
const US_PER_MS = 1000;
const depth = 64;
const keysOfMemoryTarget = 10_000;
/** Operations outstanding at the slowed module: enough that no session waits for the event loop. */
export const slowOutstanding = 256;

/** Every target of this benchmark beside what was reached, judged by the median. */
export function judgeTargets(results: BenchResults): readonly TargetRow[] {
  return [
    ...bindingTargets(results),
    ...slowTargets(results),
    ...serviceTargets(results),
    ...hopTargets(results),
    ...pipelineTargets(results),
    ...keyUseTargets(results),
    ...scaleTargets(results),
  ].map((row) => ({
    ...row,
    verdict: verdictOf(row),
  }));
}

function verdictOf({ reached, comparison, target }: TargetInput): Verdict {
  if (reached === undefined) return 'not measured';
  return (comparison === '>=' ? reached.median >= target : reached.median <= target) ? 'pass' : 'miss';
}

function bindingTargets(results: BenchResults): readonly TargetInput[] {
  const addon = findCell(results.main, 'addon-token-key', encrypt32, depth);
  const c = findCell(results.main, 'c-token-key', encrypt32, depth);
  const bare = findCell(results.none, 'addon', encrypt32, depth);
  const javascriptUs = quantity(bare, (observation) => perOperation(observation.javascriptCpuUs, observation));
  return [
    {
      id: 'T1',
      what: `addon, token key, ${depth} outstanding, to C`,
      comparison: '>=',
      target: 0.95,
      unit: 'x',
      reached: ratio(addon, c, operationsPerSecond),
    },
    {
      id: 'T1',
      what: `JavaScript thread, null module, ${depth} outstanding`,
      comparison: '<=',
      target: 3,
      unit: 'us/op',
      reached: javascriptUs,
    },
  ];
}

function slowTargets(results: BenchResults): readonly TargetInput[] {
  const slow = results.slow;
  const cell = (layer: 'c' | 'addon' | 'host'): MeasuredCell | undefined =>
    findCell(slow, layer, encrypt32, layer === 'c' ? (slow?.sessions ?? 0) : slowOutstanding);
  const rows: TargetInput[] = [];
  for (const [layer, target, name] of [
    ['addon', 0.97, 'in process'],
    ['host', 0.95, 'token host'],
  ] as const) {
    rows.push(
      {
        id: 'T2',
        what: `2 ms module, ${name}, to C`,
        comparison: '>=',
        target,
        unit: 'x',
        reached: ratio(cell(layer), cell('c'), operationsPerSecond),
      },
      {
        id: 'T2',
        what: `2 ms module, ${name}, event loop p99`,
        comparison: '<=',
        target: 4,
        unit: 'ms',
        reached: quantity(cell(layer), (observation) => observation.loopDelayP99Ms),
      },
    );
  }
  return rows;
}

function serviceTargets(results: BenchResults): readonly TargetInput[] {
  const cell = (layer: 'http' | 'http-host' | 'c'): MeasuredCell | undefined =>
    findCell(results.main, layer, encrypt32, outstandingOfTargets);
  const rows: TargetInput[] = [];
  for (const [layer, name, cpuTarget, rateTarget] of [
    ['http', 'isolation none', 40, 25_000],
    ['http-host', 'isolation process', 50, 18_000],
  ] as const) {
    rows.push(
      {
        id: 'T3',
        what: `Encrypt over HTTP, ${name}, server CPU`,
        comparison: '<=',
        target: cpuTarget,
        unit: 'us/op',
        reached: quantity(cell(layer), serverCpuUs),
      },
      {
        id: 'T3',
        what: `Encrypt over HTTP, ${name}`,
        comparison: '>=',
        target: rateTarget,
        unit: '/s',
        reached: quantity(cell(layer), operationsPerSecond),
      },
      {
        id: 'T3',
        what: `Encrypt over HTTP, ${name}, p99`,
        comparison: '<=',
        target: 5,
        unit: 'ms',
        reached: quantity(cell(layer), (observation) => inMs(observation.p99Us)),
      },
    );
  }
  const worker = quantity(cell('http-host'), (observation) => perOperation(observation.cpuUs.service, observation));
  rows.push({
    id: 'T3',
    what: 'the same without the token (API process, isolation process)',
    comparison: '<=',
    target: 25,
    unit: 'us/op',
    reached: worker,
  });
  return rows;
}

function hopTargets(results: BenchResults): readonly TargetInput[] {
  const cell = (layer: 'addon' | 'host'): MeasuredCell | undefined => findCell(results.main, layer, encrypt32, outstandingOfTargets);
  return [
    {
      id: 'T4',
      what: `token host, more CPU than in process, ${outstandingOfTargets} outstanding`,
      comparison: '<=',
      target: 10,
      unit: 'us/op',
      reached: difference(cell('host'), cell('addon'), serverCpuUs),
    },
    {
      id: 'T4',
      what: `token host, more latency than in process, ${outstandingOfTargets} outstanding`,
      comparison: '<=',
      target: 80,
      unit: 'us',
      reached: difference(cell('host'), cell('addon'), (observation) => observation.p50Us ?? Number.NaN),
    },
  ];
}

function pipelineTargets(results: BenchResults): readonly TargetInput[] {
  const kms = findCell(results.main, 'kms', encrypt32, depth);
  const tokenKey = findCell(results.main, 'c-token-key', encrypt32, depth);
  return [
    {
      id: 'T5',
      what: `perform(Encrypt), ${depth} outstanding, one process`,
      comparison: '>=',
      target: 60_000,
      unit: '/s',
      reached: quantity(kms, operationsPerSecond),
    },
    {
      id: 'T5',
      what: 'the same to a C loop over a token object',
      comparison: '>=',
      target: 1.2,
      unit: 'x',
      reached: ratio(kms, tokenKey, operationsPerSecond),
    },
    memoryTarget(results),
  ];
}

/** The service with 10,000 keys where that was measured, else with the keys of the main run. */
function memoryTarget(results: BenchResults): TargetInput {
  const many = servedCell(results.scale, keysOfMemoryTarget, encrypt32);
  const daemon = many ?? findCell(results.main, 'http-host', encrypt32, depth);
  return {
    id: 'T8',
    what: `daemon's resident memory under load, ${many === undefined ? `${results.keys} keys (target: 10,000)` : '10,000 keys'}`,
    comparison: '<=',
    target: 200,
    unit: 'MB',
    reached: quantity(daemon, (observation) => (observation.residentBytes.service ?? Number.NaN) / MB),
  };
}

/** The pipeline over the token beside C on as many threads as the token has. */
function keyUseTargets(results: BenchResults): readonly TargetInput[] {
  const rows: TargetInput[] = [];
  for (const [operation, spec, algorithm, target] of [
    ['Sign', 'RSA_2048', 'RSASSA_PKCS1_V1_5_SHA_256', 0.95],
    ['Sign', 'ECC_NIST_P256', 'ECDSA_SHA_256', 0.9],
    ['GenerateMac', 'HMAC_256', 'HMAC_SHA_256', 0.9],
  ] as const) {
    const cell = (...layers: readonly LayerName[]): MeasuredCell | undefined =>
      results.keyUses?.cells.find(({ layer: name, workload: { operation: done, key } }) => {
        return layers.includes(name) && done === operation && key?.spec === spec && key.algorithm === algorithm;
      });
    const what = `${operation} ${spec} ${algorithm} through the pipeline`;
    const delay = quantity(cell('key-use'), (observation) => observation.loopDelayP99Ms);
    rows.push(
      {
        id: 'T6',
        what: `${what}, to C`,
        comparison: '>=',
        target,
        unit: 'x',
        reached: ratio(cell('key-use'), cell('c', 'c-token-key'), operationsPerSecond),
      },
      { id: 'T6', what: `${what}, event loop p99`, comparison: '<=', target: 5, unit: 'ms', reached: delay },
    );
  }
  return rows;
}

/** CPU time of the whole service with the most keys to that with the fewest. */
function scaleTargets({ scale }: BenchResults): readonly TargetInput[] {
  const [fewest, most] = [scale?.sizes[0] ?? 0, scale?.sizes.at(-1) ?? 0];
  return flatWorkloads.map((workload) => ({
    id: 'T7',
    what: `${workloadName(workload)} over HTTP, CPU with ${figure(most)} keys to that with ${figure(fewest)}`,
    comparison: '<=',
    target: 1.05,
    unit: 'x',
    reached: ratio(servedCell(scale, most, workload), servedCell(scale, fewest, workload), serverCpuUs),
  }));
}

function servedCell(scale: BenchResults['scale'], size: number, workload: Workload): MeasuredCell | undefined {
  const cells = scale?.served.cells ?? [];
  return cells.find((cell) => cell.layer === scaleLayers[size]?.served && sameWorkload(cell.workload, workload));
}

function perOperation(us: number | undefined, observation: Observation): number | undefined {
  return us === undefined ? undefined : us / observation.operations;
}

function inMs(us: number | undefined): number | undefined {
  return us === undefined ? undefined : us / US_PER_MS;
}

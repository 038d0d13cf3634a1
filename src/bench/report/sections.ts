/** The results as titled tables of text: what the text report and the page have in common. */
import { layerTitles } from '../layer-titles.ts';
import {
  type LayerName,
  type MeasuredCell,
  type Observation,
  type ProcessName,
  operationsPerSecond,
  sameWorkload,
  serverCpuUs,
  workloadName,
} from '../observation.ts';
import { type BenchResults, findCell, quantity, ratio } from '../results.ts';
import type { RoundResults } from '../rounds.ts';
import { judgeTargets } from '../targets.ts';
import { figure, medianText, spreadText } from './figures.ts';
import { scaleTables } from './scale-tables.ts';
import type { ReportTable } from './table.ts';

const MB = 1e6;
const US_PER_MS = 1000;
const processes: readonly ProcessName[] = ['c program', 'service', 'token host', 'load generator'];
const columns = ['', 'op/s', 'to C', 'to C token key', 'CPU us/op', 'by process', 'p50 ms', 'p99 ms', 'loop p99 ms', 'memory MB'];

/** Every table of the results: the targets first, then one for each workload and number outstanding. */
export function reportTables(results: BenchResults): readonly ReportTable[] {
  return [
    targetTable(results),
    ...cellTables('', results.main),
    ...cellTables('Module slowed by 2 ms per call: ', results.slow),
    ...cellTables('Module that does nothing: ', results.none),
    ...cellTables('', results.keyUses),
    ...scaleTables(results.scale),
  ];
}

function targetTable(results: BenchResults): ReportTable {
  const rows = judgeTargets(results).map((row) => [
    row.verdict,
    row.id,
    row.what,
    `${row.comparison} ${figure(row.target)} ${row.unit}`,
    `${spreadText(row.reached)}${row.reached === undefined ? '' : ` ${row.unit}`}`,
  ]);
  return { title: 'Targets', columns: ['', 'id', 'what', 'target', 'reached: median (lowest-highest)'], rows };
}

function cellTables(prefix: string, part: RoundResults | undefined): readonly ReportTable[] {
  const groups = new Map<string, MeasuredCell[]>();
  for (const cell of part?.cells ?? []) {
    if (cell.rounds.length === 0) continue;
    const title = `${prefix}${workloadName(cell.workload)}, ${cell.outstanding} outstanding`;
    groups.set(title, [...(groups.get(title) ?? []), cell]);
  }
  return Array.from(groups, ([title, cells]) => ({ title, columns, rows: cells.map((cell) => cellRow(cell, part)) }));
}

function cellRow(cell: MeasuredCell, part: RoundResults | undefined): readonly string[] {
  const toLayer = (layer: LayerName): string => medianText(ratio(cell, reference(part, layer, cell), operationsPerSecond));
  const ms = (of: (observation: Observation) => number | undefined): string =>
    medianText(quantity(cell, (observation) => inMs(of(observation))));
  return [
    layerTitles[cell.layer],
    spreadText(quantity(cell, operationsPerSecond)),
    toLayer('c'),
    toLayer('c-token-key'),
    spreadText(quantity(cell, serverCpuUs)),
    byProcess(cell, (observation, name) => perOperation(observation.cpuUs[name], observation)),
    ms((observation) => observation.p50Us),
    ms((observation) => observation.p99Us),
    medianText(quantity(cell, (observation) => observation.loopDelayP99Ms)),
    byProcess(cell, (observation, name) => megabytes(observation.residentBytes[name])),
  ];
}

/** The cell to compare with. Over a slowed module C is measured with one number of threads only, which serves all columns. */
function reference(part: RoundResults | undefined, layer: LayerName, cell: MeasuredCell): MeasuredCell | undefined {
  return (
    findCell(part, layer, cell.workload, cell.outstanding) ??
    part?.cells.find((other) => other.layer === layer && sameWorkload(other.workload, cell.workload))
  );
}

function byProcess(cell: MeasuredCell, of: (observation: Observation, name: ProcessName) => number | undefined): string {
  return processes
    .map((name) => ({ name, spread: quantity(cell, (observation) => of(observation, name)) }))
    .filter(({ spread }) => spread !== undefined)
    .map(({ name, spread }) => `${name} ${medianText(spread)}`)
    .join(', ');
}

function perOperation(us: number | undefined, observation: Observation): number | undefined {
  return us === undefined ? undefined : us / observation.operations;
}

function megabytes(bytes: number | undefined): number | undefined {
  return bytes === undefined ? undefined : bytes / MB;
}

function inMs(us: number | undefined): number | undefined {
  return us === undefined ? undefined : us / US_PER_MS;
}

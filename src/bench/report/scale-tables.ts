/** What the number of keys costs, as tables: one column for each size of the store. */
import {
  type MeasuredCell,
  type Observation,
  operationsPerSecond,
  sameWorkload,
  serverCpuUs,
  type Workload,
  workloadName,
} from '../observation.ts';
import { encrypt32 } from '../plan.ts';
import { quantity, ratio } from '../results.ts';
import { flatWorkloads, pipelineWorkloads, scaleLayers } from '../scale-plan.ts';
import type { ScaleResults } from '../scale.ts';
import { spreadOf } from '../statistics.ts';
import { figure, medianText, spreadText } from './figures.ts';
import type { ReportTable } from './table.ts';

const MB = 1e6;

export function scaleTables(scale: ScaleResults | undefined): readonly ReportTable[] {
  if (scale === undefined) return [];
  const used = `residency wrapped; at most ${figure(scale.realKeys)} of them can be used, the rest are records that are loaded and listed`;
  return [
    requestTable(`Keys in the store (${used}): CPU us per request over HTTP, median (op/s)`, 'served', flatWorkloads, scale),
    requestTable('The same in the KMS pipeline alone, with the token in process', 'pipeline', pipelineWorkloads, scale),
    startTable(scale),
  ];
}

function requestTable(title: string, at: 'pipeline' | 'served', workloads: readonly Workload[], scale: ScaleResults): ReportTable {
  return {
    title,
    columns: ['', ...scale.sizes.map((size) => `${figure(size)} keys`), 'most to fewest keys'],
    rows: workloads.map((workload) => {
      const cells = scale.sizes.map((size) => cellOf(scale, at, size, workload));
      const growth = ratio(cells.at(-1), cells[0], serverCpuUs);
      return [workloadName(workload), ...cells.map(cellText), growth === undefined ? '-' : `${spreadText(growth)} x`];
    }),
  };
}

function cellOf(scale: ScaleResults, at: 'pipeline' | 'served', size: number, workload: Workload): MeasuredCell | undefined {
  return scale[at].cells.find((cell) => cell.layer === scaleLayers[size]?.[at] && sameWorkload(cell.workload, workload));
}

function cellText(cell: MeasuredCell | undefined): string {
  return `${medianText(quantity(cell, serverCpuUs))} (${medianText(quantity(cell, operationsPerSecond))})`;
}

function startTable(scale: ScaleResults): ReportTable {
  return {
    title: 'Start of the daemon, isolation process',
    columns: ['', 'ready after ms', 'memory MB when ready', 'memory MB under load'],
    rows: scale.starts.map(({ keys, readyMs, residentBytesReady }) => [
      `${figure(keys)} keys`,
      spreadText(spreadOf(readyMs)),
      figure(residentBytesReady / MB),
      medianText(quantity(cellOf(scale, 'served', keys, encrypt32), loadedMb)),
    ]),
  };
}

function loadedMb({ residentBytes }: Observation): number {
  return (residentBytes.service ?? Number.NaN) / MB;
}

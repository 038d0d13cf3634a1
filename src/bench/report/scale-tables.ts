/** What the number of keys costs, as tables: one column for each size of the store. */
import { type MeasuredCell, operationsPerSecond, sameWorkload, serverCpuUs, type Workload, workloadName } from '../observation.ts';
import { quantity, ratio } from '../results.ts';
import { scaleLayers, scaleWorkloads } from '../scale-plan.ts';
import type { ScaleResults } from '../scale.ts';
import { spreadOf } from '../statistics.ts';
import { figure, medianText, spreadText } from './figures.ts';
import type { ReportTable } from './table.ts';

const MB = 1e6;

export function scaleTables(scale: ScaleResults | undefined): readonly ReportTable[] {
  return scale === undefined ? [] : [requestTable(scale), startTable(scale)];
}

function requestTable(scale: ScaleResults): ReportTable {
  const { sizes, realKeys } = scale;
  const used = `at most ${figure(realKeys)} of them can be used, the rest are records that are loaded and listed`;
  return {
    title: `Keys in the store (residency wrapped; ${used}): CPU us per request, median (op/s)`,
    columns: ['', ...sizes.map((size) => `${figure(size)} keys`), 'most to fewest keys'],
    rows: scaleWorkloads.map((workload) => {
      const cells = sizes.map((size) => cellOf(scale, size, workload));
      const growth = ratio(cells.at(-1), cells[0], serverCpuUs);
      return [workloadName(workload), ...cells.map(cellText), growth === undefined ? '-' : `${spreadText(growth)} x`];
    }),
  };
}

function cellOf(scale: ScaleResults, size: number, workload: Workload): MeasuredCell | undefined {
  return scale.rounds.cells.find((cell) => cell.layer === scaleLayers[size] && sameWorkload(cell.workload, workload));
}

function cellText(cell: MeasuredCell | undefined): string {
  return `${medianText(quantity(cell, serverCpuUs))} (${medianText(quantity(cell, operationsPerSecond))})`;
}

function startTable({ starts }: ScaleResults): ReportTable {
  return {
    title: 'Start of the daemon, isolation process',
    columns: ['', 'ready after ms', 'memory MB when ready', 'memory MB under load'],
    rows: starts.map(({ keys, readyMs, residentBytesReady, residentBytesLoaded }) => [
      `${figure(keys)} keys`,
      spreadText(spreadOf(readyMs)),
      figure(residentBytesReady / MB),
      figure(residentBytesLoaded / MB),
    ]),
  };
}

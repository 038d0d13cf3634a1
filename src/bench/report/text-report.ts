/** The results as text for a terminal. */
import { layerTitles } from '../layer-titles.ts';
import { workloadName } from '../observation.ts';
import { allFailures, type BenchResults } from '../results.ts';
import { reportTables } from './sections.ts';
import type { ReportTable } from './table.ts';

/** The whole report, ending in a line end. */
export function textReport(results: BenchResults): string {
  const tables = reportTables(results).map(tableText);
  return `${[headline(results), ...tables, ...failureLines(results)].join('\n\n')}\n`;
}

/** What was measured, where, and how. */
export function headline(results: BenchResults): string {
  const { machine, main } = results;
  return [
    `hsm-kms bench, ${results.startedAt}`,
    `${machine.cpu}, ${machine.cpus} CPUs, ${machine.kernel}, Node.js ${machine.node}, load average ${machine.loadAverage.toFixed(2)} at the start`,
    `${results.token}, ${results.threads} threads for fast calls, ${results.keys} keys; ${main.roundsDone} rounds of ${results.windowMs} ms, medians (lowest-highest)`,
    'CPU is that of all processes that serve, the load generator left out. The load generator shares the CPUs with the service.',
  ].join('\n');
}

function failureLines(results: BenchResults): readonly string[] {
  return allFailures(results).map(
    (failure) =>
      `FAILED: ${layerTitles[failure.layer]}, ${workloadName(failure.workload)}, ${failure.outstanding} outstanding: ${failure.reason}`,
  );
}

function tableText(table: ReportTable): string {
  const rows = [table.columns, ...table.rows];
  const widths = table.columns.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  const lines = rows.map((row) =>
    row
      .map((text, column) => text.padEnd(widths[column]!))
      .join('  ')
      .trimEnd(),
  );
  return [table.title, ...lines].join('\n');
}

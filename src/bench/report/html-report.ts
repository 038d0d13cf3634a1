/** The results as one page that needs nothing else: a chart for each workload, then the tables. Light and dark. */
import { layerTitles } from '../layer-titles.ts';
import { type MeasuredCell, operationsPerSecond } from '../observation.ts';
import { type BenchResults, quantity } from '../results.ts';
import { figure } from './figures.ts';
import { reportTables } from './sections.ts';
import type { ReportTable } from './table.ts';
import { headline } from './text-report.ts';
import { encrypt32 } from '../plan.ts';
import { sameWorkload } from '../observation.ts';

const BAR_PX = 18;
const LABEL_PX = 250;
const CHART_PX = 760;
const VALUE_PX = 80;

const style = `
:root { color-scheme: light dark; --ink: #1c2430; --paper: #fff; --line: #d5dbe3; --bar: #2a6fb0; --pass: #1a7f4b; --miss: #b3261e; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6eaf0; --paper: #14181e; --line: #333c48; --bar: #6ea8dc; --pass: #5ec58e; --miss: #f08a80; } }
body { margin: 2rem auto; max-width: 80rem; padding: 0 1rem; font: 14px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--paper); }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; } .scroll { overflow-x: auto; }
th, td { padding: 0.2rem 0.7rem; border-bottom: 1px solid var(--line); text-align: left; white-space: nowrap; }
.pass { color: var(--pass); font-weight: 600; } .miss { color: var(--miss); font-weight: 600; }
svg { max-width: 100%; height: auto; } svg text { fill: var(--ink); font: 12px system-ui, sans-serif; } svg rect { fill: var(--bar); } svg line { stroke: var(--ink); }`;

/** A complete HTML document. */
export function htmlReport(results: BenchResults): string {
  const charts = outstandingOf(results).map((outstanding) => chart(results, outstanding));
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>hsm-kms bench</title><style>${style}</style></head>
<body><h1>hsm-kms bench</h1><p>${escape(headline(results)).replaceAll('\n', '<br>')}</p>
<h2>Encrypt 32 B, operations per second (bars: median; lines: lowest to highest)</h2>
${charts.join('\n')}
${reportTables(results).map(tableHtml).join('\n')}
</body></html>
`;
}

function outstandingOf(results: BenchResults): readonly number[] {
  const numbers = results.main.cells.filter((cell) => sameWorkload(cell.workload, encrypt32)).map((cell) => cell.outstanding);
  return [...new Set(numbers)].toSorted((a, b) => a - b);
}

function chart(results: BenchResults, outstanding: number): string {
  const cells = results.main.cells.filter(
    (cell) => cell.outstanding === outstanding && cell.rounds.length > 0 && sameWorkload(cell.workload, encrypt32),
  );
  const highest = Math.max(...cells.map((cell) => quantity(cell, operationsPerSecond)?.highest ?? 0));
  const height = cells.length * BAR_PX;
  const bars = cells.map((cell, index) => bar(cell, index * BAR_PX, (CHART_PX - LABEL_PX - VALUE_PX) / highest));
  return `<h3>${outstanding} outstanding</h3><svg viewBox="0 0 ${CHART_PX} ${height}" width="${CHART_PX}" height="${height}" role="img" aria-label="Operations per second by layer">${bars.join('')}</svg>`;
}

function bar(cell: MeasuredCell, y: number, scale: number): string {
  const { median, lowest, highest } = quantity(cell, operationsPerSecond)!;
  const middle = y + BAR_PX / 2;
  const end = LABEL_PX + highest * scale;
  return [
    `<text x="0" y="${middle + 4}">${escape(layerTitles[cell.layer])}</text>`,
    `<rect x="${LABEL_PX}" y="${y + 3}" width="${(median * scale).toFixed(1)}" height="${BAR_PX - 6}" rx="2"/>`,
    `<line x1="${(LABEL_PX + lowest * scale).toFixed(1)}" x2="${end.toFixed(1)}" y1="${middle}" y2="${middle}"/>`,
    `<text x="${(end + 6).toFixed(1)}" y="${middle + 4}">${figure(median)}</text>`,
  ].join('');
}

function tableHtml(table: ReportTable): string {
  const head = table.columns.map((text) => `<th>${escape(text)}</th>`).join('');
  const rows = table.rows.map((row) => `<tr>${row.map(cellHtml).join('')}</tr>`).join('\n');
  return `<h2>${escape(table.title)}</h2><div class="scroll"><table><thead><tr>${head}</tr></thead><tbody>\n${rows}\n</tbody></table></div>`;
}

function cellHtml(text: string): string {
  return text === 'pass' || text === 'miss' ? `<td class="${text}">${text}</td>` : `<td>${escape(text)}</td>`;
}

function escape(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
}

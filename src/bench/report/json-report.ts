/** The results as JSON: every observation of every round, and the targets as they were judged. */
import type { BenchResults } from '../results.ts';
import { judgeTargets } from '../targets.ts';

export function jsonReport(results: BenchResults): string {
  return `${JSON.stringify({ ...results, targets: judgeTargets(results) }, null, 2)}\n`;
}

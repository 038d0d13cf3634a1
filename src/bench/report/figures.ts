/** Numbers as the reports write them. */
import type { Spread } from '../statistics.ts';

/** Three significant digits, thousands grouped. */
export function figure(value: number): string {
  if (Math.abs(value) >= 100) return Math.round(value).toLocaleString('en-US');
  return value.toLocaleString('en-US', { maximumSignificantDigits: 3 });
}

/** `median (lowest-highest)`; a dash where nothing was measured. */
export function spreadText(spread: Spread | undefined): string {
  if (spread === undefined) return '-';
  return `${figure(spread.median)} (${figure(spread.lowest)}-${figure(spread.highest)})`;
}

/** The median alone. */
export function medianText(spread: Spread | undefined): string {
  return spread === undefined ? '-' : figure(spread.median);
}

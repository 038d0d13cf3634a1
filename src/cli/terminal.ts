/**
 * How the command line speaks: data on standard output, words on standard error with a prefix, no capital, no full stop, hints on
 * lines of their own. Exit codes: 0 done, 1 it failed, 2 the command line or the configuration is wrong.
 */
import { writeSync } from 'node:fs';

export const exitFailure = 1;
export const exitUsage = 2;

/** A command that cannot go on: the message says what happened, the hints what to do next. */
export class CommandError extends Error {
  override readonly name = 'CommandError';
  readonly hints: readonly string[];
  readonly exitCode: number;
  constructor(message: string, options: { hints?: readonly string[]; exitCode?: number; cause?: unknown } = {}) {
    super(message, { cause: options.cause });
    this.hints = options.hints ?? [];
    this.exitCode = options.exitCode ?? exitFailure;
  }
}

/** One line of data. */
export function printData(line: string): void {
  writeSync(1, `${line}\n`);
}

/** One JSON document as data. Bytes are printed in hexadecimal by whoever calls. */
export function printJson(value: unknown): void {
  printData(JSON.stringify(value, undefined, 2));
}

/** Words for the person, one statement a line. */
export function say(message: string, hints: readonly string[] = []): void {
  const lines = message.split('\n').map((line) => `hsm-kms: ${line}\n`);
  writeSync(2, [...lines, ...hints.map((hint) => `  ${hint}\n`)].join(''));
}

/** Rows as columns of equal width, two blanks apart. */
export function columns(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => (row[column] ?? '').length)));
  return rows
    .map((row) =>
      row
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

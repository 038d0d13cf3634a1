/**
 * Are the database files still the ones that were opened? A file that was deleted or replaced can be written through its open
 * descriptor without any error, and everything written so is lost. Asked before each write (2 us).
 */
import { statSync } from 'node:fs';
import { DatabaseFailure } from './database-failure.ts';

export class DatabaseFiles {
  readonly #identities: ReadonlyMap<string, string>;

  /** Remembers the database `file`, just opened, and its write-ahead log. */
  constructor(file: string) {
    this.#identities = new Map([file, `${file}-wal`].map((path) => [path, identity(path)]));
  }

  /** Throws DatabaseFailure when a file is gone or another. */
  checkSame(): void {
    for (const [path, opened] of this.#identities) {
      if (identity(path) === opened) continue;
      throw new DatabaseFailure('FILE_REPLACED', `${path} was deleted or replaced while in use; put it back, or restart the service`);
    }
  }
}

function identity(path: string): string {
  const status = statSync(path, { throwIfNoEntry: false });
  return status === undefined ? 'none' : `${status.dev}:${status.ino}`;
}

/** What a failure of the database means to the person who runs the service: what happened and what to do. */

/** A failure that explains itself; `code` is SQLite's result code, or a name of our own. */
export class DatabaseFailure extends Error {
  override readonly name = 'DatabaseFailure';
  readonly code: string;

  constructor(code: string, message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.code = code;
  }
}

/** The failure behind anything that a database call threw. */
export function toDatabaseFailure(error: unknown, file: string): DatabaseFailure {
  if (error instanceof DatabaseFailure) return error;
  const code = (error as { code?: unknown }).code;
  const name = typeof code === 'string' ? code : 'UNEXPECTED';
  return new DatabaseFailure(name, `${explanation(name, file)} [${name}: ${(error as Error).message}]`, { cause: error });
}

function explanation(code: string, file: string): string {
  const kind = code.split('_', 2).join('_');
  switch (kind) {
    case 'SQLITE_FULL':
      return `the disk that holds ${file} is full; free some space, writing resumes by itself`;
    case 'SQLITE_IOERR':
      return `the disk that holds ${file} failed to read or write; check the disk, its quota and the system log`;
    case 'SQLITE_CORRUPT':
    case 'SQLITE_NOTADB':
      return `the database ${file} is damaged; keep the file for inspection and restore the newest backup in its place`;
    case 'SQLITE_READONLY':
      return `the database ${file} cannot be written; make the file and its directory writable for this user, and the disk not read-only`;
    case 'SQLITE_CANTOPEN':
      return `the database ${file} cannot be opened; check that it exists and that this user may read and write it and its directory`;
    case 'SQLITE_BUSY':
    case 'SQLITE_LOCKED':
      return `another program holds the database ${file} locked; end it`;
    default:
      return `the database ${file} failed`;
  }
}

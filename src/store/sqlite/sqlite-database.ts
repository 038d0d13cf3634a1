/**
 * The database as its thread sees it: opened and checked, read in chunks, written in batches. Knows nothing of threads or of who
 * waits for an answer. Every method throws DatabaseFailure.
 */
import { deserialize, serialize } from 'node:v8';
import type { Database, Statement } from 'better-sqlite3';
import { migrations } from '../migrations/migrations.ts';
import type { Outcome, WriteStep } from '../write-step.ts';
import type { Batch, DatabaseCalls, DatabaseState, LoadedKey, LoadedRest, OpenArgument } from './database-calls.ts';
import { DatabaseFailure, toDatabaseFailure } from './database-failure.ts';
import { DatabaseFiles } from './database-files.ts';
import { openDatabase, pragmaValue, prepared } from './kept-objects.ts';
import { migrate } from './migrate.ts';
import { aliasColumns, intentColumns, itemColumns, keyColumns, materialColumns, type ColumnValue, type Row } from './record-rows.ts';
import { RecordStatements, StepConflict, type StepResult } from './record-statements.ts';

/** A few hundred kilobytes: larger chunks load no faster, and leave both threads with the memory that one took. */
const chunkRows = 200;
const busyTimeoutMs = 5_000;
const walBytesMax = 64 * 1024 * 1024;

/** What an open database is worked with. */
interface OpenDatabase {
  readonly database: Database;
  readonly files: DatabaseFiles;
  /** Carries out the steps of one transaction inside that of the batch: all of them, or none and throws. */
  applySteps(steps: readonly WriteStep[]): StepResult;
  readonly dataVersion: Statement;
  /** Value of `PRAGMA data_version` at opening: it changes when another connection writes. */
  readonly dataVersionAtOpen: unknown;
}

export class SqliteDatabase implements DatabaseCalls {
  #open: OpenDatabase | undefined;
  #file = '';

  open(argument: OpenArgument): DatabaseState {
    this.#file = argument.file;
    return this.#explained(() => {
      const database = openDatabase(argument.file, { fileMustExist: true, readonly: argument.readOnly, timeout: busyTimeoutMs });
      try {
        configure(database, argument.readOnly);
        migrate(database, migrations, argument.nowMs, argument.readOnly);
        const state = readState(database);
        const dataVersion = prepared(database, 'PRAGMA data_version').pluck();
        this.#open = {
          database,
          files: new DatabaseFiles(argument.file),
          applySteps: stepsApplier(database),
          dataVersion,
          dataVersionAtOpen: dataVersion.get(),
        };
        return state;
      } catch (error) {
        database.close();
        throw error;
      }
    });
  }

  loadKeys(afterKeyRow: number): readonly LoadedKey[] {
    return this.#explained(({ database }) => {
      const keys = prepared(database, `SELECT key_row, ${keyColumns} FROM kms_key WHERE key_row > ? ORDER BY key_row LIMIT ${chunkRows}`)
        .raw()
        .all(afterKeyRow) as [number, ...ColumnValue[]][];
      const materials = prepared(
        database,
        `SELECT key_row, ${materialColumns} FROM material WHERE key_row > ? AND key_row <= ? ORDER BY key_row, position`,
      )
        .raw()
        .all(afterKeyRow, keys.at(-1)?.[0] ?? afterKeyRow) as [number, ...ColumnValue[]][];
      const materialsByKey = new Map<number, Row[]>(keys.map(([keyRow]) => [keyRow, []]));
      for (const [keyRow, ...row] of materials) materialsByKey.get(keyRow)?.push(row);
      return keys.map(([keyRow, ...row]) => ({ keyRow, row, materials: materialsByKey.get(keyRow) ?? [] }));
    });
  }

  loadAliases(after: Row | undefined): readonly Row[] {
    return this.#explained(
      ({ database }) =>
        prepared(
          database,
          `SELECT ${aliasColumns} FROM alias WHERE (partition, account, region, alias_name) > (?, ?, ?, ?)
             ORDER BY partition, account, region, alias_name LIMIT ${chunkRows}`,
        )
          .raw()
          .all(...(after ?? ['', '', '', '']).slice(0, 4)) as Row[],
    );
  }

  loadItems(after: Row | undefined): readonly Row[] {
    return this.#explained(
      ({ database }) =>
        prepared(
          database,
          `SELECT ${itemColumns} FROM item WHERE (kind, owner, name) > (?, ?, ?) ORDER BY kind, owner, name LIMIT ${chunkRows}`,
        )
          .raw()
          .all(...(after ?? ['', '', '']).slice(0, 3)) as Row[],
    );
  }

  loadRest(): LoadedRest {
    return this.#explained(({ database }) => ({
      intents: prepared(database, `SELECT ${intentColumns} FROM intent`).raw().all() as Row[],
      marks: prepared(database, 'SELECT name, value FROM mark').raw().all() as [string, string][],
    }));
  }

  write(batch: Batch): readonly Outcome[] {
    return this.#explained((open) => {
      open.files.checkSame();
      return writeBatch(open, batch);
    });
  }

  close(): void {
    this.#open?.database.close();
    this.#open = undefined;
  }

  #explained<T>(act: (open: OpenDatabase) => T): T {
    try {
      return act(this.#open as OpenDatabase);
    } catch (error) {
      throw toDatabaseFailure(error, this.#file);
    }
  }
}

function configure(database: Database, readOnly: boolean): void {
  database.exec('PRAGMA trusted_schema = OFF');
  database.exec('PRAGMA foreign_keys = ON');
  if (readOnly) return;
  const mode = pragmaValue(database, 'journal_mode = WAL');
  if (mode !== 'wal') throw new DatabaseFailure('NO_WAL', `${database.name} cannot use a write-ahead log here; put it on a local disk`);
  database.exec('PRAGMA synchronous = FULL');
  // A wrapped material that was deleted must not be found in free pages.
  database.exec('PRAGMA secure_delete = ON');
  database.exec(`PRAGMA journal_size_limit = ${walBytesMax}`);
  const check = pragmaValue(database, 'quick_check(1)');
  if (check !== 'ok') throw Object.assign(new Error(String(check)), { code: 'SQLITE_CORRUPT' });
}

function readState(database: Database): DatabaseState {
  const row = prepared(database, 'SELECT generation, outcomes FROM store_state').get() as
    { generation: number; outcomes: Buffer } | undefined;
  return row === undefined ? { generation: 0, outcomes: [] } : { generation: row.generation, outcomes: deserialize(row.outcomes) };
}

/** One SQL transaction and one disk flush for the whole batch; a savepoint for each transaction in it. */
function writeBatch(open: OpenDatabase, batch: Batch): readonly Outcome[] {
  const { database } = open;
  database.exec('BEGIN IMMEDIATE');
  try {
    if (open.dataVersion.get() !== open.dataVersionAtOpen) {
      throw new DatabaseFailure(
        'CHANGED_OUTSIDE',
        `another program changed ${database.name}; restart the service so that it reads it again`,
      );
    }
    const outcomes = batch.transactions.map((steps) => applyTransaction(open, steps));
    if (outcomes.some((outcome) => outcome.kind === 'committed')) {
      // After a crash of this thread the outcomes tell whether the batch was committed, and how each transaction ended.
      prepared(database, 'INSERT OR REPLACE INTO store_state (id, generation, outcomes) VALUES (1, ?, ?)').run(
        batch.generation,
        serialize(outcomes),
      );
      database.exec('COMMIT');
    }
    return outcomes;
  } finally {
    // SQLite has rolled back by itself after some failures.
    if (database.inTransaction) database.exec('ROLLBACK');
  }
}

/** Called inside a transaction, a better-sqlite3 transaction function sets a savepoint, and rolls back to it when it throws. */
function stepsApplier(database: Database): (steps: readonly WriteStep[]) => StepResult {
  const statements = new RecordStatements(database);
  return database.transaction((steps: readonly WriteStep[]): StepResult => {
    let results: StepResult = {};
    for (const step of steps) results = { ...results, ...statements.apply(step) };
    return results;
  });
}

function applyTransaction(open: OpenDatabase, steps: readonly WriteStep[]): Outcome {
  try {
    return { kind: 'committed', ...open.applySteps(steps) };
  } catch (error) {
    const outcome = refusal(error);
    if (outcome === undefined) throw error;
    return outcome;
  }
}

/** The outcome for an error that concerns one transaction only; undefined for one that concerns the database. */
function refusal(error: unknown): Outcome | undefined {
  if (error instanceof StepConflict) return { kind: 'conflict', reason: error.message };
  const code = (error as { code?: unknown }).code;
  const ofTheValues =
    error instanceof TypeError ||
    error instanceof RangeError ||
    (typeof code === 'string' && /^SQLITE_(CONSTRAINT|MISMATCH|TOOBIG|RANGE)/.test(code));
  return ofTheValues ? { kind: 'refused', reason: (error as Error).message } : undefined;
}

/**
 * Databases and statements that live as long as their thread. From 24.19 on, Node.js aborts the process when an object of a native
 * class (node::ObjectWrap) is collected by a task of the garbage collector: its destructor looks for the environment of the
 * running script and there is none. So what the SQLite binding makes is made once and kept: few statements, each text once.
 */
import Sqlite, { type Database, type Options, type Statement } from 'better-sqlite3';

const statements = new Map<Database, Map<string, Statement>>();

/** Opens a database. Throws what the binding throws. */
export function openDatabase(path: string, options: Options): Database {
  const database = new Sqlite(path, options);
  statements.set(database, new Map());
  return database;
}

/** The statement of that text: prepared at the first call, the same object after. Texts must be few and fixed. */
export function prepared(database: Database, sql: string): Statement {
  const known = statements.get(database) ?? new Map<string, Statement>();
  statements.set(database, known);
  const statement = known.get(sql) ?? database.prepare(sql);
  known.set(sql, statement);
  return statement;
}

/** The value of a pragma. (`database.pragma` makes a statement of its own each time.) */
export function pragmaValue(database: Database, pragma: string): unknown {
  return prepared(database, `PRAGMA ${pragma}`).pluck().get();
}

/** Brings a database to the newest schema, forward only, and refuses one that this release does not know. */
import type { Database } from 'better-sqlite3';
import type { Migration } from '../migrations/migration.ts';
import { DatabaseFailure } from './database-failure.ts';
import { pragmaValue, prepared } from './kept-objects.ts';

/** 'hkms': marks a database file as ours (SQLite file format, section 1.3.18). */
const applicationId = 0x686b6d73;

/**
 * Applies the migrations that `database` lacks, each in a transaction of its own. Throws DatabaseFailure for a database of
 * another program, of a newer release, or (when `readOnly`) of an older one.
 */
export function migrate(database: Database, migrations: readonly Migration[], nowMs: number, readOnly: boolean): void {
  const current = schemaVersion(database);
  const newest = migrations.at(-1)?.version ?? 0;
  if (current > newest) {
    throw new DatabaseFailure(
      'NEWER_SCHEMA',
      `the database ${database.name} was written by a newer release (schema ${current}, this release knows ${newest}); ` +
        'run that release, or restore the backup made before the upgrade',
    );
  }
  if (readOnly && current < newest) {
    throw new DatabaseFailure(
      'OLDER_SCHEMA',
      `the database ${database.name} has an older schema (${current}, this release needs ${newest}); start the service once to migrate it`,
    );
  }
  for (const migration of migrations) {
    if (migration.version > current) apply(database, migration, nowMs);
  }
}

function schemaVersion(database: Database): number {
  const id = pragmaValue(database, 'application_id');
  const tables = prepared(database, 'SELECT count(*) FROM sqlite_schema').pluck().get();
  if (tables === 0 && id === 0) return 0;
  if (id !== applicationId) {
    throw new DatabaseFailure('FOREIGN_DATABASE', `${database.name} is a database of another program; name another data directory`);
  }
  return prepared(database, 'SELECT max(version) FROM schema_version').pluck().get() as number;
}

function apply(database: Database, migration: Migration, nowMs: number): void {
  database
    .transaction(() => {
      if (migration.version === 1) {
        database.exec(`PRAGMA application_id = ${applicationId}`);
        database.exec(
          'CREATE TABLE schema_version (version INTEGER PRIMARY KEY, name TEXT NOT NULL, applied_at_ms INTEGER NOT NULL) STRICT',
        );
      }
      database.exec(migration.sql);
      prepared(database, 'INSERT INTO schema_version (version, name, applied_at_ms) VALUES (?, ?, ?)').run(
        migration.version,
        migration.name,
        nowMs,
      );
    })
    .immediate();
}

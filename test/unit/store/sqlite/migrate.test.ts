import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import Sqlite from 'better-sqlite3';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Migration } from '../../../../src/store/migrations/migration.ts';
import { migrations } from '../../../../src/store/migrations/migrations.ts';
import { migrate } from '../../../../src/store/sqlite/migrate.ts';
import { newSqlitePlace, type SqlitePlace } from '../../../support/sqlite-place.ts';

test('migrations are numbered from 1 without gaps', () => {
  expect(migrations.map((migration) => migration.version)).toEqual(migrations.map((_, index) => index + 1));
});

describe('migrate', () => {
  const first: Migration = { version: 1, name: 'first', sql: 'CREATE TABLE a (x INTEGER)' };
  const second: Migration = { version: 2, name: 'second', sql: 'INSERT INTO a (x) VALUES (1)' };

  test('applies what is missing, once, and keeps a record of it', () => {
    const database = new Sqlite(':memory:');
    migrate(database, [first], 10, false);
    migrate(database, [first, second], 20, false);
    migrate(database, [first, second], 30, false);
    expect(database.prepare('SELECT version, name, applied_at_ms FROM schema_version ORDER BY version').raw().all()).toEqual([
      [1, 'first', 10],
      [2, 'second', 20],
    ]);
    expect(database.prepare('SELECT count(*) FROM a').pluck().get()).toBe(1);
  });

  test('a migration that fails leaves the database as it was', () => {
    const database = new Sqlite(':memory:');
    migrate(database, [first], 10, false);
    const broken: Migration = { version: 2, name: 'broken', sql: 'INSERT INTO a (x) VALUES (1); INSERT INTO nowhere VALUES (1)' };
    expect(() => migrate(database, [first, broken], 20, false)).toThrow(/nowhere/);
    expect(database.prepare('SELECT count(*) FROM a').pluck().get()).toBe(0);
    expect(database.prepare('SELECT max(version) FROM schema_version').pluck().get()).toBe(1);
  });

  test('a reader does not migrate and says so', () => {
    const database = new Sqlite(':memory:');
    expect(() => migrate(database, [first], 10, true)).toThrow(/older schema \(0, this release needs 1\); start the service once/);
  });
});

describe('opening a database that is not ours to open', () => {
  let place: SqlitePlace;
  beforeEach(async () => {
    place = await newSqlitePlace();
  });
  afterEach(async () => {
    await place.remove();
  });
  const alter = (sql: string): void => {
    const database = new Sqlite(join(place.directory, 'kms.db'));
    database.exec(sql);
    database.close();
  };

  test('one of a newer release is refused, unchanged, and the message names both schemas', async () => {
    await (await place.open()).close();
    alter("INSERT INTO schema_version (version, name, applied_at_ms) VALUES (99, 'future', 0)");
    await expect(place.open()).rejects.toThrow(/newer release \(schema 99, this release knows 1\); run that release, or restore/);
  });

  test('one of another program is refused', async () => {
    mkdirSync(place.directory, { mode: 0o700 });
    alter('CREATE TABLE notes (text TEXT)');
    await expect(place.open()).rejects.toThrow(/is a database of another program/);
  });
});

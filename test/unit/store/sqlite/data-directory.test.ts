import { chmodSync, mkdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { StoreUnavailableError } from '../../../../src/store/store.ts';
import { newSqlitePlace, type SqlitePlace } from '../../../support/sqlite-place.ts';

let place: SqlitePlace;

beforeEach(async () => {
  place = await newSqlitePlace();
});
afterEach(async () => {
  await place.remove();
});

const modeOf = (name: string): string => (statSync(join(place.directory, name)).mode & 0o777).toString(8);

test('the directory is made 0700 and every file in it 0600, the write-ahead log too', async () => {
  const store = await place.open();
  await store.setMark('a', 'b');
  expect(modeOf('.')).toBe('700');
  expect(['kms.db', 'kms.db-wal', 'kms.db-shm', 'kms.lock'].map(modeOf)).toEqual(['600', '600', '600', '600']);
  await store.close();
});

test.each([0o720, 0o702, 0o777])(
  'a directory of mode %o, which others can write, is refused with the command that repairs it',
  async (mode) => {
    mkdirSync(place.directory);
    chmodSync(place.directory, mode);
    await expect(place.open()).rejects.toThrow(`chmod go-w ${place.directory}`);
  },
);

test('a database file that others can write is refused', async () => {
  await (await place.open()).close();
  chmodSync(join(place.directory, 'kms.db'), 0o666);
  await expect(place.open()).rejects.toThrow(/can be written by other users \(mode 666\)/);
});

test('a data directory that is a file is refused', async () => {
  writeFileSync(place.directory, '');
  await expect(place.open()).rejects.toBeInstanceOf(StoreUnavailableError);
});

test('a data directory has one store at a time, and the next after it was closed', async () => {
  const first = await place.open();
  await expect(place.open()).rejects.toThrow(/is in use by another process; stop that one first/);
  await first.setMark('still', 'works');
  await first.close();
  const second = await place.open();
  expect(second.mark('still')).toBe('works');
  await second.close();
});

test('reading only works without a running service, and makes nothing where there is nothing', async () => {
  await expect(place.open({ readOnly: true })).rejects.toThrow(/there is no store in .* start the service once/);
  const store = await place.open();
  await store.setMark('a', 'b');
  await store.close();
  const reader = await place.open({ readOnly: true });
  expect(reader.mark('a')).toBe('b');
  await reader.close();
});

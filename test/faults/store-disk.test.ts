/** What the store does when its disk or its file fails: a clear StoreUnavailableError, nothing half done, reads go on, and writes resume. */
import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  closeSync,
  copyFileSync,
  mkdirSync,
  openSync,
  renameSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { getuid } from 'node:process';
import Sqlite from 'better-sqlite3';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { StoreUnavailableError, type Store } from '../../src/store/store.ts';
import { aliasOf, keyIdOf, keyOf, scopeA } from '../support/store-records.ts';
import { newSqlitePlace, type SqlitePlace } from '../support/sqlite-place.ts';

let place: SqlitePlace;

beforeEach(async () => {
  place = await newSqlitePlace();
});
afterEach(async () => {
  await place.remove();
});

const create = async (store: Store, number: number): Promise<void> =>
  store.commit([
    { kind: 'put-key', record: keyOf(number), replacesVersion: 0 },
    { kind: 'put-alias', record: aliasOf(`alias/${number}`, keyIdOf(number)), replacesVersion: 0 },
  ]);

/** The error of the first create that fails, and the numbers before it. */
async function createUntilFailure(store: Store): Promise<{ readonly created: number; readonly error: unknown }> {
  for (let number = 0; number < 20_000; number++) {
    try {
      await create(store, number);
    } catch (error) {
      return { created: number, error };
    }
  }
  throw new Error('the disk never filled up');
}

async function expectExactly(store: Store, count: number): Promise<void> {
  expect(store.countKeys(scopeA)).toBe(count);
  expect(store.listAliases(scopeA, undefined, undefined, count + 1).items).toHaveLength(count);
}

/** Sets the file size limit of this process, in bytes or `unlimited`. */
function limitFileSize(limit: string): void {
  execFileSync('prlimit', ['--pid', String(process.pid), `--fsize=${limit}:unlimited`]);
}

/** A closed store with 50 keys; its database file. */
async function filled(): Promise<string> {
  const store = await place.open();
  for (let number = 0; number < 50; number++) await create(store, number);
  await store.close();
  return join(place.directory, 'kms.db');
}

function mounts(...args: string[]): boolean {
  try {
    execFileSync('mount', args, { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

describe('a full disk', () => {
  test('refuses writes, keeps what was acknowledged, and takes writes again when there is space', async (context) => {
    mkdirSync(place.directory, { mode: 0o700 });
    if (!mounts('-t', 'tmpfs', '-o', 'size=1m,mode=0700', 'tmpfs', place.directory))
      context.skip('mounting a small tmpfs is not permitted here');
    const ballast = join(place.directory, 'ballast');
    try {
      writeFileSync(ballast, Buffer.alloc(200_000));
      const store = await place.open();
      const { created, error } = await createUntilFailure(store);
      expect(error).toBeInstanceOf(StoreUnavailableError);
      expect(String(error)).toMatch(/is full; free some space/);
      await expectExactly(store, created);
      await expect(create(store, created)).rejects.toBeInstanceOf(StoreUnavailableError);
      await expectExactly(store, created);

      rmSync(ballast);
      await create(store, created);
      await store.close();
      const reopened = await place.open();
      await expectExactly(reopened, created + 1);
      await reopened.close();
    } finally {
      execFileSync('umount', [place.directory]);
    }
  });

  test('a file size limit of the process (EFBIG) is treated the same', async () => {
    const store = await place.open();
    limitFileSize('400000');
    const failure = createUntilFailure(store);
    try {
      await failure;
    } finally {
      limitFileSize('unlimited');
    }
    const { created, error } = await failure;
    expect(error).toBeInstanceOf(StoreUnavailableError);
    await expectExactly(store, created);
    await create(store, created);
    await expectExactly(store, created + 1);
    await store.close();
    const reopened = await place.open();
    await expectExactly(reopened, created + 1);
    await reopened.close();
  });
});

describe('a file that changes behind the back of the store', () => {
  test.each(['kms.db', 'kms.db-wal'])('%s deleted: writes are refused, reads go on; put back, writes go on', async (name) => {
    const store = await place.open();
    await create(store, 1);
    const file = join(place.directory, name);
    renameSync(file, `${file}.away`);
    await expect(create(store, 2)).rejects.toThrow(/was deleted or replaced while in use/);
    expect(store.key(scopeA, keyIdOf(1))).toEqual(keyOf(1));
    expect(store.key(scopeA, keyIdOf(2))).toBeUndefined();
    renameSync(`${file}.away`, file);
    await create(store, 2);
    await store.close();
  });

  test('kms.db replaced by a copy: writes are refused', async () => {
    const store = await place.open();
    await create(store, 1);
    const file = join(place.directory, 'kms.db');
    copyFileSync(file, `${file}.copy`);
    renameSync(file, `${file}.away`);
    renameSync(`${file}.copy`, file);
    await expect(create(store, 2)).rejects.toBeInstanceOf(StoreUnavailableError);
    renameSync(`${file}.away`, file);
    await store.close();
  });

  test('a write by another program is noticed and stops writing, for the snapshot is no longer the truth', async () => {
    const store = await place.open();
    await create(store, 1);
    const other = new Sqlite(join(place.directory, 'kms.db'));
    other.prepare("UPDATE kms_key SET state = 'Disabled'").run();
    other.close();
    await expect(create(store, 2)).rejects.toThrow(/another program changed .* restart the service/);
    await store.close();
    const reopened = await place.open();
    expect(reopened.key(scopeA, keyIdOf(1))?.state).toBe('Disabled');
    await reopened.close();
  });

  test('a reader beside the service, such as a backup, disturbs nothing', async () => {
    const store = await place.open();
    await create(store, 1);
    const reader = await place.open({ readOnly: true });
    expect(reader.key(scopeA, keyIdOf(1))).toEqual(keyOf(1));
    await expect(create(reader, 2)).rejects.toThrow(/for reading only/);
    await create(store, 2);
    await reader.close();
    await create(store, 3);
    await store.close();
  });
});

describe('a damaged database', () => {
  test('pages overwritten: refuses to start and says what to do', async () => {
    const file = await filled();
    const descriptor = openSync(file, 'r+');
    for (let page = 2; page < statSync(file).size / 4096; page++) writeSync(descriptor, Buffer.alloc(2048, 0xa5), 0, 2048, page * 4096);
    closeSync(descriptor);
    await expect(place.open()).rejects.toThrow(/is damaged; keep the file for inspection and restore the newest backup/);
  });

  test('cut short: refuses to start', async () => {
    const file = await filled();
    truncateSync(file, 4096 * 3);
    await expect(place.open()).rejects.toThrow(/is damaged/);
  });

  test('not a database at all: refuses to start', async () => {
    const file = await filled();
    writeFileSync(file, 'this is not a database'.repeat(1000));
    await expect(place.open()).rejects.toThrow(/is damaged/);
  });
});

describe('a database that cannot be written', () => {
  test('on a read-only disk: refuses to start and says what to do', async (context) => {
    mkdirSync(place.directory, { mode: 0o700 });
    if (!mounts('-t', 'tmpfs', '-o', 'size=4m,mode=0700', 'tmpfs', place.directory))
      context.skip('mounting a small tmpfs is not permitted here');
    try {
      await (await place.open()).close();
      execFileSync('mount', ['-o', 'remount,ro', place.directory]);
      await expect(place.open()).rejects.toThrow(/read-only|cannot be written/);
    } finally {
      execFileSync('umount', [place.directory]);
    }
  });

  test('without permission: refuses to start and says what to do', async (context) => {
    if (getuid?.() === 0) context.skip('root may write everything');
    await (await place.open()).close();
    chmodSync(join(place.directory, 'kms.db'), 0o400);
    await expect(place.open()).rejects.toThrow(/cannot be written/);
  });
});

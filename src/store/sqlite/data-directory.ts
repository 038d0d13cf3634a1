/**
 * The directory that holds the database: made private, checked, and locked so that two services cannot share it. Knows nothing
 * of what the database holds.
 */
import { accessSync, closeSync, constants, existsSync, fsyncSync, mkdirSync, openSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { Database } from 'better-sqlite3';
import { StoreUnavailableError } from '../store.ts';
import { openDatabase } from './kept-objects.ts';

const databaseFileName = 'kms.db';
const lockFileName = 'kms.lock';
const groupOrOtherWrite = 0o022;

/** Path of the database file of a data directory that is only to be read. Makes nothing. */
export function existingDatabaseFile(directory: string): string {
  const file = join(directory, databaseFileName);
  if (existsSync(file)) return file;
  throw new StoreUnavailableError(`there is no store in ${directory}; start the service once, or name its data directory`);
}

/** The held lock of a data directory. */
export interface DirectoryLock {
  release(): void;
}

/**
 * Makes the directory (0700) and an empty database file (0600) where they do not exist, and refuses what others could write.
 * Returns the path of the database file. SQLite gives its `-wal` and `-shm` files the mode of the database file.
 */
export function prepareDataDirectory(directory: string): string {
  const file = join(directory, databaseFileName);
  try {
    mkdirSync(directory, { recursive: true, mode: 0o700 });
    for (const name of [databaseFileName, lockFileName]) createPrivateFile(join(directory, name));
    syncDirectory(directory);
  } catch (error) {
    throw new StoreUnavailableError(`cannot prepare the data directory ${directory}: ${(error as Error).message}`, { cause: error });
  }
  for (const path of [directory, file]) {
    refuseWritableByOthers(path);
    refuseUnwritable(path);
  }
  return file;
}

/**
 * Takes the lock of the directory, or throws StoreUnavailableError when another process, or this one, has it. The lock is an
 * exclusive SQLite transaction on a small file of its own, that is, a POSIX lock: the kernel drops it when the process ends in
 * any way, kill -9 too, and no stale file can keep the service from starting. The database itself stays open to readers such as a
 * backup. Nothing else in this process may open the lock file: closing any descriptor of it would drop the lock.
 */
export function lockDataDirectory(directory: string): DirectoryLock {
  const path = join(directory, lockFileName);
  let lock: Database | undefined;
  try {
    lock = openDatabase(path, { timeout: 0 });
    lock.exec('BEGIN EXCLUSIVE');
  } catch (error) {
    lock?.close();
    throw new StoreUnavailableError(
      (error as { code?: unknown }).code === 'SQLITE_BUSY'
        ? `the data directory ${directory} is in use by another process; stop that one first (fuser ${path} shows its process id)`
        : `cannot lock the data directory ${directory}: ${(error as Error).message}`,
      { cause: error },
    );
  }
  const held = lock;
  return { release: () => void held.close() };
}

function createPrivateFile(path: string): void {
  try {
    closeSync(openSync(path, 'wx', 0o600));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
}

/** A new file is safe from a power loss only when its directory is on disk too. */
function syncDirectory(directory: string): void {
  const descriptor = openSync(directory, 'r');
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

function refuseUnwritable(path: string): void {
  try {
    accessSync(path, constants.R_OK | constants.W_OK);
  } catch (error) {
    throw new StoreUnavailableError(`${path} cannot be written: ${(error as Error).message}; make it writable for this user`, {
      cause: error,
    });
  }
}

function refuseWritableByOthers(path: string): void {
  const { mode } = statSync(path);
  if ((mode & groupOrOtherWrite) === 0) return;
  throw new StoreUnavailableError(`${path} can be written by other users (mode ${(mode & 0o777).toString(8)}); run: chmod go-w ${path}`);
}

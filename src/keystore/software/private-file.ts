/** A small file that only its owner can read, written whole or not at all and safe from a power loss. Knows nothing of what it holds. */
import { randomBytes } from 'node:crypto';
import { constants } from 'node:fs';
import { link, open, rename, rm } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { dirname, join } from 'node:path';

/** The file cannot be used; the message says why and what to do. */
export class PrivateFileError extends Error {
  override readonly name = 'PrivateFileError';
}

/**
 * The bytes of the file at `path`, undefined where there is none. `what` names it in errors. Rejects with PrivateFileError where others
 * than its owner may read it, it is a symbolic link or no file, or it is longer than `bytesMax`.
 */
export async function readPrivateFile(path: string, what: string, bytesMax: number): Promise<Uint8Array | undefined> {
  let file: FileHandle;
  try {
    file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw new PrivateFileError(`The ${what} ${path} cannot be opened`, { cause: error });
  }
  try {
    const status = await file.stat();
    if (!status.isFile()) throw new PrivateFileError(`The ${what} ${path} is not a file`);
    if ((status.mode & 0o077) !== 0)
      throw new PrivateFileError(`Others than its owner can read the ${what} ${path}. Run: chmod 600 ${path}`);
    if (status.size > bytesMax) throw new PrivateFileError(`The ${what} ${path} has ${status.size} bytes instead of ${bytesMax}`);
    const bytes = new Uint8Array(new ArrayBuffer(status.size));
    const { bytesRead } = await file.read(bytes, 0, status.size, 0);
    if (bytesRead !== status.size) throw new PrivateFileError(`The ${what} ${path} became shorter while it was read`);
    return bytes;
  } finally {
    await file.close();
  }
}

/** Writes `bytes` to `path` unless there is a file already: of several at the same time the first wins. False where it was not this one. */
export async function createPrivateFile(path: string, bytes: Uint8Array): Promise<boolean> {
  return writeBeside(path, bytes, async (temporary) => {
    try {
      await link(temporary, path);
      return true;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
      return false;
    }
  });
}

/** Writes `bytes` to `path` in place of what is there. */
export async function replacePrivateFile(path: string, bytes: Uint8Array): Promise<void> {
  await writeBeside(path, bytes, (temporary) => rename(temporary, path));
}

/** Nobody reads a half-written file: it gets its name when it is on disk. `place` gives it that name, and nothing is left beside it. */
async function writeBeside<Result>(path: string, bytes: Uint8Array, place: (temporary: string) => Promise<Result>): Promise<Result> {
  const temporary = join(dirname(path), `.private-${randomBytes(8).toString('hex')}`);
  const file = await open(temporary, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL, 0o600);
  try {
    await file.writeFile(bytes);
    await file.sync();
    const placed = await place(temporary);
    await syncDirectory(dirname(path));
    return placed;
  } finally {
    await file.close();
    await rm(temporary, { force: true });
  }
}

async function syncDirectory(path: string): Promise<void> {
  const directory = await open(path, constants.O_RDONLY);
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}

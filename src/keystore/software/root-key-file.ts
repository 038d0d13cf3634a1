/** The root key of the software store as a file of 32 bytes that only its owner can read. */
import { randomBytes } from 'node:crypto';
import { constants } from 'node:fs';
import { link, open, unlink } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { SecretBytes } from '../../secret-bytes.ts';
import { rootKeyBytes } from './sealed-material.ts';

/** The file cannot serve as root key; the message says why and what to do. */
export class RootKeyFileError extends Error {
  override readonly name = 'RootKeyFileError';
}

/**
 * The root key in `path`. `whenMissing: 'create'` makes one at the first start (development); otherwise a missing file is an
 * error, since a new root key opens none of the existing keys. Rejects with RootKeyFileError.
 */
export async function loadRootKey(path: string, whenMissing: 'create' | 'refuse'): Promise<SecretBytes> {
  const existing = await readRootKey(path);
  if (existing !== undefined) return existing;
  if (whenMissing === 'refuse') {
    throw new RootKeyFileError(`The root key file ${path} does not exist. Restore it from its backup; a new one opens no existing key`);
  }
  await createRootKey(path);
  const created = await readRootKey(path);
  if (created === undefined) throw new RootKeyFileError(`The root key file ${path} vanished while it was being created`);
  return created;
}

async function readRootKey(path: string): Promise<SecretBytes | undefined> {
  let file: FileHandle;
  try {
    file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw new RootKeyFileError(`The root key file ${path} cannot be opened`, { cause: error });
  }
  try {
    const { mode, size } = await file.stat();
    if ((mode & 0o077) !== 0)
      throw new RootKeyFileError(`Others than its owner can read the root key file ${path}. Run: chmod 600 ${path}`);
    if (size !== rootKeyBytes) throw new RootKeyFileError(`The root key file ${path} has ${size} bytes instead of ${rootKeyBytes}`);
    const bytes = new Uint8Array(rootKeyBytes);
    await file.read(bytes, 0, rootKeyBytes, 0);
    return new SecretBytes(bytes);
  } finally {
    await file.close();
  }
}

/** Writes beside the file and links into place: whoever is first wins, and nobody reads a half-written key. */
async function createRootKey(path: string): Promise<void> {
  const temporary = join(dirname(path), `.root-key-${randomBytes(8).toString('hex')}`);
  const bytes = randomBytes(rootKeyBytes);
  const file = await open(temporary, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL, 0o600);
  try {
    await file.write(bytes);
    await file.sync();
    await link(temporary, path);
    await syncDirectory(dirname(path));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  } finally {
    bytes.fill(0);
    await file.close();
    await unlink(temporary);
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

/** The root key of the software store as a file of 32 bytes that only its owner can read. */
import { randomBytes } from 'node:crypto';
import { SecretBytes } from '../../secret-bytes.ts';
import { createPrivateFile, PrivateFileError, readPrivateFile } from './private-file.ts';
import { rootKeyBytes } from './sealed-material.ts';

const what = 'root key file';

/**
 * The root key in `path`. `whenMissing: 'create'` makes one at the first start (development); otherwise a missing file is an
 * error, since a new root key opens none of the existing keys. Rejects with PrivateFileError.
 */
export async function loadRootKey(path: string, whenMissing: 'create' | 'refuse'): Promise<SecretBytes> {
  const existing = await readRootKeyFile(path);
  if (existing !== undefined) return existing;
  if (whenMissing === 'refuse') {
    throw new PrivateFileError(`The ${what} ${path} does not exist. Restore it from its backup; a new one opens no existing key`);
  }
  const fresh = newRootKey();
  try {
    await writeRootKeyFile(path, fresh);
  } finally {
    fresh.wipe();
  }
  const created = await readRootKeyFile(path);
  if (created === undefined) throw new PrivateFileError(`The ${what} ${path} vanished while it was being created`);
  return created;
}

/** A root key that never was. */
export function newRootKey(): SecretBytes {
  return new SecretBytes(randomBytes(rootKeyBytes));
}

/** The root key in `path`; undefined where there is no file. Rejects with PrivateFileError. */
export async function readRootKeyFile(path: string): Promise<SecretBytes | undefined> {
  const bytes = await readPrivateFile(path, what, rootKeyBytes);
  if (bytes === undefined) return undefined;
  if (bytes.length !== rootKeyBytes) {
    throw new PrivateFileError(`The ${what} ${path} has ${bytes.length} bytes instead of ${rootKeyBytes}`);
  }
  return new SecretBytes(bytes);
}

/** Writes `rootKey` to a new file at `path`. False where there is a file already. */
export function writeRootKeyFile(path: string, rootKey: SecretBytes): Promise<boolean> {
  return rootKey.expose((bytes) => createPrivateFile(path, bytes));
}

import { chmodSync, mkdtempSync, readFileSync, readdirSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { PrivateFileError } from '../../../../src/keystore/software/private-file.ts';
import { loadRootKey } from '../../../../src/keystore/software/root-key-file.ts';

let directory: string;
let path: string;
const hexOf = async (file: string, whenMissing: 'create' | 'refuse'): Promise<string> =>
  (await loadRootKey(file, whenMissing)).expose((bytes) => Buffer.from(bytes).toString('hex'));

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'hsm-kms-root-key-'));
  path = join(directory, 'root.key');
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

describe('the root key file', () => {
  it('is made at the first start when asked for, readable by its owner only, and read again later', async () => {
    const created = await hexOf(path, 'create');
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(readFileSync(path).toString('hex')).toBe(created);
    expect(await hexOf(path, 'refuse')).toBe(created);
    expect(readdirSync(directory)).toEqual(['root.key']);
  });

  it('is the same for processes that start at the same time', async () => {
    const keys = await Promise.all(Array.from({ length: 8 }, () => hexOf(path, 'create')));
    expect(new Set(keys).size).toBe(1);
    expect(readdirSync(directory)).toEqual(['root.key']);
  });

  it('is not made anew unless asked for', async () => {
    await expect(loadRootKey(path, 'refuse')).rejects.toThrow(PrivateFileError);
    expect(readdirSync(directory)).toEqual([]);
  });

  it.each([0o640, 0o604, 0o660])('is refused with mode %o, and the message says what to do', async (mode) => {
    writeFileSync(path, Buffer.alloc(32, 1));
    chmodSync(path, mode);
    await expect(loadRootKey(path, 'create')).rejects.toThrow('chmod 600');
  });

  it.each([0, 31, 33])('is refused with %i bytes', async (length) => {
    writeFileSync(path, Buffer.alloc(length, 1), { mode: 0o600 });
    await expect(loadRootKey(path, 'create')).rejects.toThrow(`${length} bytes instead of 32`);
  });

  it('is refused when it is a symbolic link', async () => {
    writeFileSync(join(directory, 'elsewhere'), Buffer.alloc(32, 1), { mode: 0o600 });
    symlinkSync(join(directory, 'elsewhere'), path);
    await expect(loadRootKey(path, 'create')).rejects.toThrow(PrivateFileError);
  });
});

import { mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { createPrivateFile, readPrivateFile, replacePrivateFile } from '../../../../src/keystore/software/private-file.ts';

let directory: string;
let path: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'hsm-kms-private-file-'));
  path = join(directory, 'file');
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

test('a new file never takes the place of another, and one that replaces does', async () => {
  expect(await createPrivateFile(path, Uint8Array.of(1))).toBe(true);
  expect(await createPrivateFile(path, Uint8Array.of(2))).toBe(false);
  expect([...readFileSync(path)]).toEqual([1]);
  await replacePrivateFile(path, Uint8Array.of(3));
  expect([...readFileSync(path)]).toEqual([3]);
  expect(statSync(path).mode & 0o777).toBe(0o600);
  expect(readdirSync(directory)).toEqual(['file']);
});

test('a file that is not there is undefined; one that is too long, or no file, is refused', async () => {
  expect(await readPrivateFile(path, 'thing', 4)).toBeUndefined();
  writeFileSync(path, '12345', { mode: 0o600 });
  await expect(readPrivateFile(path, 'thing', 4)).rejects.toThrow(`The thing ${path} has 5 bytes instead of 4`);
  mkdirSync(join(directory, 'folder'));
  await expect(readPrivateFile(join(directory, 'folder'), 'thing', 4)).rejects.toThrow('is not a file');
});

test('nothing is left behind where nothing can be placed', async () => {
  mkdirSync(path);
  await expect(replacePrivateFile(path, Uint8Array.of(1))).rejects.toThrow();
  expect(readdirSync(directory)).toEqual(['file']);
});

import { mkdtempSync, readFileSync, readdirSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { FilePinLatch, pinLatchKey } from '../../../src/token/pin-latch.ts';
import { fakeConfig } from '../../support/fake-token-parts.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'hsm-kms-latch-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

describe('the latch', () => {
  const key = pinLatchKey(fakeConfig());

  it('is seen by every process of the data directory, until an operator clears it in any of them', async () => {
    const directory = join(folder, 'latches');
    const mine = new FilePinLatch(directory);
    expect(mine.isSet(key)).toBeUndefined();
    await mine.set(key, 'C_Login returned CKR_PIN_INCORRECT');
    expect(new FilePinLatch(directory).isSet(key)).toBe('C_Login returned CKR_PIN_INCORRECT');
    new FilePinLatch(directory).clear(key);
    expect(mine.isSet(key)).toBeUndefined();
  });

  it('is a private file, complete or absent', async () => {
    const directory = join(folder, 'latches');
    await new FilePinLatch(directory).set(key, 'reason');
    expect(readdirSync(directory)).toEqual([`${key}.latch`]);
    expect(statSync(join(directory, `${key}.latch`)).mode & 0o777).toBe(0o600);
    expect(statSync(directory).mode & 0o777).toBe(0o700);
    expect(readFileSync(join(directory, `${key}.latch`), 'utf8')).toBe('reason');
  });

  it('holds in this process even when it cannot be stored', async () => {
    const blocked = join(folder, 'file');
    writeFileSync(blocked, '');
    const latch = new FilePinLatch(join(blocked, 'latches'));
    await expect(latch.set(key, 'wrong')).rejects.toThrow();
    expect(latch.isSet(key)).toBe('wrong');
  });

  it('counts as set when it cannot be read', () => {
    const blocked = join(folder, 'file');
    writeFileSync(blocked, '');
    expect(new FilePinLatch(join(blocked, 'latches')).isSet(key)).toMatch(/cannot be read/);
  });

  it('takes no name that could leave its directory', () => {
    expect(() => new FilePinLatch(folder).isSet('../../etc/passwd')).toThrow(TypeError);
  });
});

describe('the name of a latch', () => {
  it('changes with the token, the reference, and the version of a PIN file', () => {
    const path = join(folder, 'pin');
    writeFileSync(path, 'not part of it');
    const config = fakeConfig({ pin: { kind: 'file', path } });
    const first = pinLatchKey(config);
    expect(pinLatchKey(config)).toBe(first);
    expect(pinLatchKey({ ...config, label: 'other' })).not.toBe(first);
    expect(pinLatchKey(fakeConfig())).not.toBe(first);
    utimesSync(path, 1, 2);
    expect(pinLatchKey(config)).not.toBe(first);
  });

  it('follows a systemd credential to its file', () => {
    const config = fakeConfig({ pin: { kind: 'credential', name: 'pin' } });
    const absent = pinLatchKey(config, { CREDENTIALS_DIRECTORY: folder });
    writeFileSync(join(folder, 'pin'), 'something');
    expect(pinLatchKey(config, { CREDENTIALS_DIRECTORY: folder })).not.toBe(absent);
  });

  it('does not depend on the PIN in an environment variable', () => {
    const config = fakeConfig({ pin: { kind: 'env', variable: 'TOKEN_PIN' } });
    expect(pinLatchKey(config, { TOKEN_PIN: '1111' })).toBe(pinLatchKey(config, { TOKEN_PIN: '2222' }));
  });
});

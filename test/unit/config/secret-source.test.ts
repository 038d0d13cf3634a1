/** Secrets by reference: which files are refused, what is stripped, and that errors never repeat the secret. */
import { randomBytes } from 'node:crypto';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { readSecret, type SecretSources } from '../../../src/config/secret-source.ts';
import { SecretBytes } from '../../../src/secret-bytes.ts';

let folder: string;
const secret = randomBytes(8).toString('hex');
const sources: SecretSources = { environment: {}, prompt: () => Promise.reject(new Error('no terminal')) };

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'hsm-kms-secret-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function file(content: string, mode = 0o600): string {
  const path = join(folder, 'pin');
  writeFileSync(path, content);
  chmodSync(path, mode);
  return path;
}
const text = (value: SecretBytes): string => value.expose((bytes) => Buffer.from(bytes).toString('utf8'));

describe('a secret in a file', () => {
  it.each([
    ['', ''],
    ['\n', 'one line end'],
    ['\r\n', 'one DOS line end'],
  ])('is read without its line end (%j)', async (end) => {
    expect(text(await readSecret({ kind: 'file', path: file(secret + end) }, 'PIN', sources))).toBe(secret);
  });

  it.each([0o640, 0o604, 0o660, 0o610])(
    'is refused when others could reach it (mode %o), with the command that closes it',
    async (mode) => {
      const path = file(secret, mode);
      const refusal = await readSecret({ kind: 'file', path }, 'PIN of token main', sources).catch(
        (error: unknown) => (error as Error).message,
      );
      expect(refusal).toContain(`chmod 600 ${path}`);
      expect(refusal).not.toContain(secret);
    },
  );

  it('is refused when it is empty, missing, too large or a directory', async () => {
    await expect(readSecret({ kind: 'file', path: file('\n') }, 'PIN', sources)).rejects.toThrow('the PIN is empty');
    await expect(readSecret({ kind: 'file', path: join(folder, 'none') }, 'PIN', sources)).rejects.toThrow(
      /cannot read the PIN from .*ENOENT/,
    );
    await expect(readSecret({ kind: 'file', path: file('x'.repeat(5_000)) }, 'PIN', sources)).rejects.toThrow(/larger than 4096 bytes/);
    await expect(readSecret({ kind: 'file', path: folder }, 'PIN', sources)).rejects.toThrow(/not a file/);
  });
});

describe('a secret from elsewhere', () => {
  it('comes from the environment variable that is named', async () => {
    expect(text(await readSecret({ kind: 'env', variable: 'MY_PIN' }, 'PIN', { ...sources, environment: { MY_PIN: secret } }))).toBe(
      secret,
    );
    await expect(readSecret({ kind: 'env', variable: 'MY_PIN' }, 'PIN', sources)).rejects.toThrow(/MY_PIN, which is not set/);
  });

  it('comes from the directory of systemd credentials', async () => {
    file(secret);
    const value = await readSecret({ kind: 'credential', name: 'pin' }, 'PIN', {
      ...sources,
      environment: { CREDENTIALS_DIRECTORY: folder },
    });
    expect(text(value)).toBe(secret);
    await expect(readSecret({ kind: 'credential', name: 'pin' }, 'PIN', sources)).rejects.toThrow(/CREDENTIALS_DIRECTORY/);
  });

  it('comes from the person at the terminal', async () => {
    const prompt = (question: string): Promise<SecretBytes> => Promise.resolve(SecretBytes.fromText(`${question}:${secret}`));
    expect(text(await readSecret({ kind: 'prompt' }, 'PIN', { ...sources, prompt }))).toBe(`PIN:${secret}`);
  });
});

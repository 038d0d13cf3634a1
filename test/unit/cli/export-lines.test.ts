/** The lines to paste into a shell: what a shell makes of them, whatever the secret holds. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { exportLines } from '../../../src/cli/export-lines.ts';
import type { Config } from '../../../src/config/config.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'hsm-kms-exports-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function configWith(mode: 'sigv4' | 'emulator', credentials: readonly object[]): Config {
  const credentialsFile = join(folder, 'credentials.yaml');
  writeFileSync(credentialsFile, JSON.stringify({ credentials }), { mode: 0o600 });
  return { auth: { mode, credentialsFile }, regions: [{ region: 'eu-west-3', keyStore: 'a' }] } as unknown as Config;
}

/** What a shell has in its environment after the lines. */
function pasted(lines: string): Readonly<Record<string, string>> {
  const output = execFileSync('/bin/sh', ['-c', `${lines}\nenv`], { env: {}, encoding: 'utf8' });
  return Object.fromEntries(
    output
      .trim()
      .split('\n')
      .map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]),
  );
}

describe('export lines', () => {
  it.each(['plain0123456789', `a'b"c$d\`e\\f;g h`])(
    'give a shell the first access key and the endpoint, for the secret %j',
    (secretAccessKey) => {
      const config = configWith('sigv4', [
        { accessKeyId: 'AKIAFIRST00000000000', secretAccessKey },
        { accessKeyId: 'AKIASECOND0000000000', secretAccessKey: 'other' },
      ]);
      expect(pasted(exportLines('http://127.0.0.1:4599', config))).toMatchObject({
        AWS_ACCESS_KEY_ID: 'AKIAFIRST00000000000',
        AWS_SECRET_ACCESS_KEY: secretAccessKey,
        AWS_DEFAULT_REGION: 'eu-west-3',
        AWS_ENDPOINT_URL_KMS: 'http://127.0.0.1:4599',
        AWS_ENDPOINT_URL: 'http://127.0.0.1:4599',
      });
    },
  );

  it('give an emulator any credential', () => {
    expect(pasted(exportLines('http://[::1]:1', configWith('emulator', [])))).toMatchObject({
      AWS_ACCESS_KEY_ID: 'test',
      AWS_ENDPOINT_URL: 'http://[::1]:1',
    });
  });

  it('say so when there is no access key', () => {
    expect(() => exportLines('http://127.0.0.1:1', configWith('sigv4', []))).toThrow(/there is no access key in .*credentials\.yaml/);
  });
});

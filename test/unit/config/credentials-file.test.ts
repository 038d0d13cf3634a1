import { randomBytes } from 'node:crypto';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { readCredentialsFile } from '../../../src/config/credentials-file.ts';

const secret = randomBytes(24).toString('base64');
const entry = (accessKeyId: string, extra = '', user = 'alice'): string =>
  `  - accessKeyId: ${accessKeyId}\n    secretAccessKey: '${secret}'\n    principalArn: arn:aws:iam::111122223333:user/${user}\n${extra}`;

let directory: string;
let path: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'credentials-file-'));
  path = join(directory, 'credentials.yaml');
});
afterEach(() => rmSync(directory, { recursive: true }));

function read(text: string): ReturnType<typeof readCredentialsFile> {
  writeFileSync(path, text, { mode: 0o600 });
  return readCredentialsFile(path);
}

function refusal(text: string): string {
  try {
    read(text);
  } catch (error) {
    const { message } = error as Error;
    expect(message).not.toContain(secret);
    expect(message).not.toContain(secret.slice(1, 12));
    return message.replaceAll(path, 'FILE');
  }
  throw new Error('was accepted');
}

describe('the credentials file', () => {
  it('gives each access key with its principal, partition and account', () => {
    const source = read(`credentials:\n${entry('AKIAEXAMPLE000000001')}${entry('AKIAEXAMPLE000000002')}`);
    const found = source.find('AKIAEXAMPLE000000002');
    expect(found).toMatchObject({ partition: 'aws', account: '111122223333', principalArn: 'arn:aws:iam::111122223333:user/alice' });
    expect(found?.secret.expose((bytes) => Buffer.from(bytes).toString())).toBe(secret);
    expect(JSON.stringify(found)).not.toContain(secret);
    expect(source.find('AKIAEXAMPLE000000003')).toBeUndefined();
    expect(source.find('__proto__')).toBeUndefined();
  });

  it('may be JSON, and may hold session tokens', () => {
    const token = randomBytes(24).toString('base64');
    const credentials = [
      {
        accessKeyId: 'ASIAEXAMPLE000000001',
        secretAccessKey: secret,
        principalArn: 'arn:aws-cn:sts::111122223333:assumed-role/admin/session',
        sessionToken: token,
      },
    ];
    const found = read(JSON.stringify({ credentials })).find('ASIAEXAMPLE000000001');
    expect(found?.partition).toBe('aws-cn');
    expect(found?.sessionToken?.expose((bytes) => Buffer.from(bytes).toString())).toBe(token);
  });

  it.each([0o640, 0o604, 0o660, 0o644])('is refused with mode %o, with the command that closes it', (mode) => {
    writeFileSync(path, 'credentials: []\n');
    chmodSync(path, mode);
    expect(() => readCredentialsFile(path)).toThrow(`chmod 600 ${path}`);
  });

  it('is refused where it cannot be read', () => {
    expect(() => readCredentialsFile(join(directory, 'missing.yaml'))).toThrow('cannot read the access keys');
  });

  it('is refused with the line of each mistake, and never with what stands there', () => {
    const twice = entry('AKIAEXAMPLE000000001');
    expect(refusal(`credentials:\n${twice}${entry('AKIAEXAMPLE000000001', '', 'bob')}`)).toBe(
      'FILE:5: the access key id is already used on line 2',
    );
    expect(refusal(`credentials:\n${twice}${entry('AKIAEXAMPLE000000002')}${entry('AKIAEXAMPLE000000003')}`)).toBe(
      'FILE:8: a principal has at most two access keys; remove one',
    );
    expect(refusal(`credentials:\n${entry('AKIAEXAMPLE000000001', `    ${secret}: x\n`)}`)).toMatch(
      /^FILE:\d: .*expected a map with the keys/,
    );
    expect(refusal(`credentials:\n${entry('short')}`)).toMatch(
      /^FILE:2: .*expected accessKeyId: 16 to 128 letters, digits or underscores$/,
    );
    expect(refusal(`credentials: ${secret}`)).toMatch(/^FILE:1: .*expected a list of access keys$/);
    expect(refusal(secret)).toMatch(/^FILE:1: .*expected a map with the one key credentials$/);
    expect(refusal(`credentials:\n  - accessKeyId: "AKIA\n    secretAccessKey: *${secret}`)).toMatch(
      /^FILE:\d: not valid YAML; put values with special characters in quotes$/,
    );
    expect(refusal(`credentials:\n  - secretAccessKey: *${secret.replace(/\W/g, '')}`)).toMatch(
      /^FILE: not valid YAML; put values with special characters in quotes$/,
    );
  });
});

/** The command line as a process: what goes where, exit codes, and each command on a data directory of its own. */
import { randomBytes } from 'node:crypto';
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CreateAliasCommand, CreateKeyCommand, KMSClient } from '@aws-sdk/client-kms';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse, stringify } from 'yaml';
import { buildProgram, runCli, startDaemon, type RunningDaemon } from '../support/daemon.ts';

let folder: string;
beforeAll(() => {
  buildProgram();
  folder = mkdtempSync(join(tmpdir(), 'hsm-kms-cli-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Words for a person: the prefix, no capital, no full stop; hints are indented. */
function expectOneWay(stderr: string): void {
  for (const line of stderr.split('\n').filter((text) => text !== ''))
    expect(line).toMatch(/^(hsm-kms: [^A-Z\s].*[^.]|hsm-kms: \/.*|  .+)$/);
}

describe('the command line', () => {
  it('prints help on standard output and knows its version', async () => {
    const help = await runCli(['--help']);
    expect(help).toMatchObject({ code: 0, stderr: '' });
    for (const command of ['serve', 'setup', 'keys', 'token', 'doctor', 'config', 'bench'])
      expect(help.stdout).toMatch(new RegExp(`^  ${command}\\b`, 'm'));
    expect(help.stdout).toMatch(/Exit codes:/);
    const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as { version: string };
    expect((await runCli(['--version'])).stdout.trim()).toBe(version);
  });

  it.each([
    [['nonesuch'], /unknown command 'nonesuch'/],
    [['serve', '--nonesuch'], /unknown option '--nonesuch'/],
    [['serve', '--port', '70000'], /from 0 to 65535/],
    [['serve', '--auth', 'none'], /Allowed choices are sigv4, emulator/],
  ])('ends %j with code 2 and says why on standard error', async (words, reason) => {
    const result = await runCli(words);
    expect(result).toMatchObject({ code: 2, stdout: '' });
    expect(result.stderr).toMatch(reason);
    expect(result.stderr).toMatch(/^hsm-kms: /);
  });

  it('says how to begin where there is no configuration', async () => {
    const result = await runCli(['serve', '--data', join(folder, 'nowhere')]);
    expect(result.code).toBe(2);
    expect(result.stderr).toMatch(/no such file; make one with scripts\/start or hsm-kms setup/);
  });

  it('refuses a configuration with file and line, for check and serve alike', async () => {
    const file = join(folder, 'bad.yaml');
    writeFileSync(
      file,
      'keyStores: [{ kind: software, name: software }]\nregions: [{ region: us-east-1, keyStore: software }]\ncolour: red\n',
    );
    for (const words of [['config', 'check'], ['serve']]) {
      const result = await runCli([...words, '--config', file]);
      expect(result).toMatchObject({ code: 2, stdout: '' });
      expect(result.stderr).toContain(`${file}:3: unknown key 'colour'; allowed here: dataDirectory, listener,`);
    }
  });

  it('refuses to listen beyond loopback without TLS, and as emulator even with it', async () => {
    const data = join(folder, 'loopback');
    for (const [flags, reason] of [
      [['--host', '0.0.0.0'], /needs TLS/],
      [['--host', '0.0.0.0', '--auth', 'emulator'], /loopback only/],
    ] as const) {
      const result = await runCli(['serve', '--data', data, '--store', 'software', ...flags]);
      expect(result.code).toBe(2);
      expect(result.stderr).toMatch(reason);
    }
  });
});

describe('a data directory with a SoftHSM token', () => {
  let daemon: RunningDaemon;
  let keyId: string;
  beforeAll(async () => {
    daemon = await startDaemon({ store: 'softhsm', auth: 'sigv4' });
    const client = new KMSClient({ endpoint: daemon.endpoint, region: 'us-east-1', credentials: daemon.credentials, maxAttempts: 1 });
    keyId = (await client.send(new CreateKeyCommand({ Description: 'books' }))).KeyMetadata?.KeyId ?? '';
    await client.send(new CreateAliasCommand({ AliasName: 'alias/books', TargetKeyId: keyId }));
    client.destroy();
  });
  afterAll(async () => daemon.stop());

  it('lists and shows its keys while the daemon runs, by id and by alias', async () => {
    const list = await daemon.cli('keys', 'list');
    expect(list.code).toBe(0);
    expect(list.stdout).toMatch(new RegExp(`^${keyId} .*Enabled +HSM +alias/books$`, 'm'));
    expectOneWay(list.stderr);
    for (const name of [keyId, 'alias/books']) {
      const [shown] = JSON.parse((await daemon.cli('keys', 'show', name, '--json')).stdout) as [Record<string, unknown>];
      expect(shown).toMatchObject({
        keyId,
        description: 'books',
        protection: 'HSM',
        aliases: ['alias/books'],
        materials: [{ residency: 'token', custody: 'full' }],
      });
      expect(JSON.stringify(shown)).not.toContain('reference');
    }
  });

  it('says of a key that is not there that it is not', async () => {
    const result = await daemon.cli('keys', 'show', 'alias/nowhere');
    expect(result).toMatchObject({ code: 1, stdout: '' });
    expect(result.stderr).toBe("hsm-kms: no key 'alias/nowhere' is known here\n  hsm-kms keys list shows all of them\n");
  });

  it('shows the token and its objects through the independent binding', async () => {
    const info = JSON.parse((await daemon.cli('token', 'info', '--json')).stdout) as Record<string, unknown>;
    expect(info).toMatchObject({ label: 'hsm-kms', initialized: true, pinSet: true, pinLocked: false });
    const objects = JSON.parse((await daemon.cli('token', 'objects', '--json')).stdout) as readonly {
      label: string;
      valueReadable: boolean;
      flags: string[];
    }[];
    expect(objects.map((object) => object.label)).toContain('hsm-kms wrapping key');
    expect(objects).toHaveLength(5);
    for (const object of objects) {
      expect(object.valueReadable).toBe(false);
      expect(object.flags).toContain('SENSITIVE');
    }
  });

  it('passes doctor beside the running daemon', async () => {
    const doctor = await daemon.cli('doctor');
    expect(doctor).toMatchObject({ code: 0, stderr: '' });
    expect(doctor.stdout).not.toMatch(/^FAIL/m);
    expect(doctor.stdout).toMatch(/thief of the PIN/);
  });

  it('keeps the token as it is when token init is run again, and asks for the SO PIN only by file or terminal', async () => {
    const soPin = join(folder, 'so-pin');
    writeFileSync(soPin, randomBytes(8).toString('hex'), { mode: 0o600 });
    const again = await daemon.cli('token', 'init', '--so-pin-file', soPin);
    expect(again.code).toBe(0);
    expect(again.stderr).toMatch(/wrapping key: was there/);
  });

  it('is refused to a second daemon, with what to do', async () => {
    const second = await daemon.cli('serve', '--port', '0');
    expect(second).toMatchObject({ code: 1, stdout: '' });
    expect(second.stderr).toMatch(/is in use by another process; stop that one first/);
  });
});

describe('doctor', () => {
  it.each([
    ['a PIN file that others can read', (data: string) => chmodSync(join(data, 'softhsm/pin'), 0o644), /chmod 600/],
    ['a PIN file that is gone', (data: string) => rmSync(join(data, 'softhsm/pin')), /cannot read the PIN/],
    ['a token that is gone', (data: string) => rmSync(join(data, 'softhsm/tokens'), { recursive: true }), /fix: /],
    ['access keys that others can read', (data: string) => chmodSync(join(data, 'credentials.yaml'), 0o644), /chmod 600/],
  ])('finds %s and says how to put it right', async (_, break_, advice) => {
    const data = mkdtempSync(join(folder, 'broken-'));
    expect((await runCli(['setup', '--data', data])).code).toBe(0);
    break_(data);
    const doctor = await runCli(['doctor', '--data', data]);
    expect(doctor.code).toBe(1);
    expect(doctor.stdout).toMatch(/^FAIL {2}/m);
    expect(doctor.stdout).toMatch(advice);
    expectOneWay(doctor.stderr);
  });

  it('finds a wrong PIN, offers it once, and remembers', async () => {
    const data = mkdtempSync(join(folder, 'wrong-pin-'));
    await runCli(['setup', '--data', data]);
    writeFileSync(join(data, 'softhsm/pin'), 'not-the-pin\n');
    const first = await runCli(['doctor', '--data', data]);
    expect(first.code).toBe(1);
    expect(first.stdout).toMatch(/FAIL .*PIN/);
    const info = JSON.parse((await runCli(['token', 'info', '--json', '--data', data])).stdout) as { pinCountLow: boolean };
    expect(info.pinCountLow).toBe(true);
    const serve = await runCli(['serve', '--data', data, '--port', '0']);
    expect(serve).toMatchObject({ code: 1, stdout: '' });
    expect(serve.stderr).toMatch(/PIN/);
    expect(JSON.parse((await runCli(['token', 'info', '--json', '--data', data])).stdout)).toMatchObject({
      pinFinalTry: false,
      pinLocked: false,
    });
  });

  it('offers a PIN of the environment again only after token unlatch, right as it may be by then', async () => {
    const data = mkdtempSync(join(folder, 'latched-'));
    await runCli(['setup', '--data', data]);
    const file = join(data, 'config.yaml');
    const config = parse(readFileSync(file, 'utf8')) as { tokens: [{ pin: unknown }] };
    config.tokens[0].pin = { env: 'HSM_KMS_TEST_PIN' };
    writeFileSync(file, stringify(config));
    const doctor = (pin: string) => runCli(['doctor', '--data', data], { env: { ...process.env, HSM_KMS_TEST_PIN: pin } });
    const right = readFileSync(join(data, 'softhsm/pin'), 'utf8').trim();
    expect((await doctor('not-the-pin')).code).toBe(1);
    const latched = await doctor(right);
    expect(latched.code).toBe(1);
    expect(latched.stdout).toMatch(/hsm-kms token unlatch/);
    const unlatch = await runCli(['token', 'unlatch', '--data', data]);
    expect(unlatch).toMatchObject({ code: 0, stdout: '' });
    expect(unlatch.stderr).toMatch(/may be offered again/);
    expect(unlatch.stderr).not.toContain(right);
    expect((await doctor(right)).code).toBe(0);
    expect((await runCli(['token', 'unlatch', '--data', data])).stderr).toMatch(/is not latched/);
  });
});

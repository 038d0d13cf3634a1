/** `scripts/start` and the life of the daemon process: first run, second run, signals, and what the data directory looks like. */
import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtempSync, readFileSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { CreateKeyCommand, DescribeKeyCommand, KMSClient } from '@aws-sdk/client-kms';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { startDaemon } from '../support/daemon.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const secondRunMsMax = 15_000;

let folder: string;
const running: ChildProcess[] = [];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'hsm-kms-start-'));
});
afterEach(async () => {
  for (const child of running.splice(0)) if (child.exitCode === null && child.signalCode === null) await ended(child, 'SIGKILL');
  rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
});

interface Started {
  readonly child: ChildProcess;
  readonly url: string;
  /** Lines of standard output up to the one that says ready. */
  readonly lines: readonly string[];
}

function start(...flags: string[]): Promise<Started> {
  const child = spawn(join(root, 'scripts/start'), ['--data', join(folder, 'data'), '--port', '0', ...flags], {
    cwd: folder,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  running.push(child);
  return new Promise((resolve, reject) => {
    let output = '';
    let words = '';
    child.stderr?.on('data', (chunk: Buffer) => (words += chunk.toString()));
    child.stdout?.on('data', (chunk: Buffer) => {
      output += chunk.toString();
      const url = /^hsm-kms listening on (\S+)$/m.exec(output)?.[1];
      if (url !== undefined) resolve({ child, url, lines: output.trimEnd().split('\n') });
    });
    child.once('exit', (code) => reject(new Error(`scripts/start ended with ${code}: ${words}`)));
  });
}

function ended(child: ChildProcess, signal: NodeJS.Signals): Promise<number | null> {
  return new Promise((resolve) => {
    child.removeAllListeners('exit');
    child.once('exit', (code) => resolve(code));
    child.kill(signal);
  });
}

/** What a shell would have after pasting the lines. */
function exported(lines: readonly string[]): Readonly<Record<string, string>> {
  return Object.fromEntries(
    lines
      .map((line) => /^export (\w+)='?([^']*)'?$/.exec(line))
      .flatMap((match) => (match === null ? [] : [[match[1] ?? '', match[2] ?? '']])),
  );
}

function client(variables: Readonly<Record<string, string>>): KMSClient {
  return new KMSClient({
    endpoint: variables['AWS_ENDPOINT_URL_KMS'] ?? '',
    region: variables['AWS_DEFAULT_REGION'] ?? '',
    credentials: { accessKeyId: variables['AWS_ACCESS_KEY_ID'] ?? '', secretAccessKey: variables['AWS_SECRET_ACCESS_KEY'] ?? '' },
    maxAttempts: 1,
  });
}

describe('scripts/start', () => {
  it.each(['softhsm', 'software'])(
    'sets up, prints lines that make a client work, and keeps the keys for the second run (%s)',
    async (store) => {
      const first = await start('--store', store);
      expect(first.lines.at(-1)).toBe(`hsm-kms listening on ${first.url}`);
      const kms = client(exported(first.lines));
      const keyId = (await kms.send(new CreateKeyCommand({}))).KeyMetadata?.KeyId;
      kms.destroy();
      expect(await ended(first.child, 'SIGTERM')).toBe(0);

      const startedMs = performance.now();
      const second = await start();
      expect(performance.now() - startedMs).toBeLessThan(secondRunMsMax);
      const again = client(exported(second.lines));
      expect((await again.send(new DescribeKeyCommand({ KeyId: keyId }))).KeyMetadata?.KeyId).toBe(keyId);
      again.destroy();
      expect(await ended(second.child, 'SIGINT')).toBe(0);
    },
  );

  it('keeps everything in the data directory to its owner', async () => {
    const { child } = await start();
    const data = join(folder, 'data');
    for (const name of [data, ...readdirSync(data, { recursive: true, encoding: 'utf8' }).map((path) => join(data, path))]) {
      const { mode } = statSync(name);
      expect((mode & 0o077).toString(8), name).toBe('0');
    }
    await ended(child, 'SIGTERM');
  });

  it('passes the flags of serve on', async () => {
    const { child, url, lines } = await start('--store=software', '--auth=emulator', '--region', 'eu-west-1');
    expect(exported(lines)).toMatchObject({ AWS_ACCESS_KEY_ID: 'test', AWS_DEFAULT_REGION: 'eu-west-1', AWS_ENDPOINT_URL: url });
    await ended(child, 'SIGTERM');
  });
});

describe('the daemon process', () => {
  it('leaves no token host behind, ended in order or killed', async () => {
    const daemon = await startDaemon({ store: 'softhsm', auth: 'sigv4' });
    for (const end of ['end', 'kill'] as const) {
      const hosts = daemon.hostPids();
      expect(hosts).toHaveLength(1);
      await daemon[end]();
      await expect.poll(() => hosts.filter(isAlive), { timeout: 10_000 }).toEqual([]);
      await daemon.start();
    }
    expect(await daemon.stop()).toBe(0);
  });

  it('writes no core dump: limit 0 and no memory in it', async () => {
    const daemon = await startDaemon({ store: 'software', auth: 'sigv4' });
    expect(readFileSync(`/proc/${daemon.pid}/limits`, 'utf8')).toMatch(/^Max core file size +0 +0 /m);
    expect(Number.parseInt(readFileSync(`/proc/${daemon.pid}/coredump_filter`, 'utf8'), 16)).toBe(0);
    await daemon.stop();
  });

  it('answers what is in flight before it ends, and ends at once at a second signal', async () => {
    const daemon = await startDaemon({ store: 'softhsm', auth: 'sigv4' });
    const [host = 0] = daemon.hostPids();
    const kms = new KMSClient({ endpoint: daemon.endpoint, region: 'us-east-1', credentials: daemon.credentials, maxAttempts: 1 });
    await kms.send(new CreateKeyCommand({}));
    process.kill(host, 'SIGSTOP');
    const inFlight = kms.send(new CreateKeyCommand({})).catch((error: unknown) => error);
    const ending = daemon.end();
    await expect.poll(() => daemon.log(), { timeout: 5_000 }).toMatch(/"signal":"SIGTERM"/);
    process.kill(daemon.pid, 'SIGTERM');
    expect(await ending).toBe(130);
    expect(await inFlight).toBeInstanceOf(Error);
    process.kill(host, 'SIGKILL');
    kms.destroy();
    await daemon.stop();
  });

  it('does not show secrets in its arguments or environment, nor in the log', async () => {
    const daemon = await startDaemon({ store: 'softhsm', auth: 'sigv4', flags: ['--log-level', 'debug'] });
    const pin = readFileSync(daemon.token?.pinFile ?? '', 'utf8').trim();
    const seen = [daemon.pid, ...daemon.hostPids()].flatMap((pid) => [
      readFileSync(`/proc/${pid}/cmdline`, 'utf8'),
      readFileSync(`/proc/${pid}/environ`, 'utf8'),
    ]);
    for (const text of [...seen, daemon.log()]) {
      expect(text).not.toContain(pin);
      expect(text).not.toContain(daemon.credentials.secretAccessKey);
    }
    await daemon.stop();
  });
});

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

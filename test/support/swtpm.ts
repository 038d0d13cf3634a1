/** A TPM emulator (swtpm, Debian package) with its state in a temporary folder, reached over TCP. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { accessSync, constants, mkdtempSync, rmSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { TpmAddress } from '../../src/tpm/transport.ts';

const startMsMax = 10_000;
const pollMs = 20;
const attemptsMax = 5;

/** Why tests on a real TPM cannot run here; undefined where they can. */
export const swtpmMissing: string | undefined = missingPrograms(['swtpm', 'tpm2_pcrextend', 'tpm2_unseal']);

function missingPrograms(programs: readonly string[]): string | undefined {
  const missing = programs.filter((program) => !isExecutable(`/usr/bin/${program}`));
  return missing.length === 0
    ? undefined
    : `${missing.join(', ')} is not installed (Debian packages swtpm, tpm2-tools, libtss2-tcti-swtpm0)`;
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

export interface Swtpm {
  readonly address: TpmAddress & { readonly kind: 'tcp' };
  readonly pid: number;
  /** Runs a program of tpm2-tools on this TPM: another implementation of the same specification. Its standard output. */
  tool(program: string, ...words: string[]): Buffer;
  /** As switching the machine off and on does: state stays, PCRs begin anew. */
  restart(): Promise<void>;
  stop(): Promise<void>;
}

/** A new TPM: keys of another cannot be opened. Takes about 0.1 s. */
export async function startSwtpm(): Promise<Swtpm> {
  const directory = mkdtempSync(join(tmpdir(), 'hsm-kms-swtpm-'));
  // Somebody else may take a free port before the emulator does.
  for (let attempt = 1; ; attempt += 1) {
    const tpm = new SwtpmProcess(directory, await twoFreePorts());
    try {
      await tpm.start();
      return tpm;
    } catch (error) {
      if (attempt === attemptsMax) throw error;
    }
  }
}

class SwtpmProcess implements Swtpm {
  readonly address: Swtpm['address'];
  readonly #directory: string;
  #process: ChildProcess | undefined;

  constructor(directory: string, port: number) {
    this.#directory = directory;
    this.address = { kind: 'tcp', host: '127.0.0.1', port };
  }

  get pid(): number {
    return this.#process?.pid ?? -1;
  }

  async start(): Promise<void> {
    const { port } = this.address;
    const words = ['--server', onPort(port), '--ctrl', onPort(port + 1), '--flags', 'not-need-init,startup-clear'];
    const child = spawn('swtpm', ['socket', '--tpm2', '--tpmstate', `dir=${this.#directory}`, ...words], { stdio: 'ignore' });
    this.#process = child;
    for (const until = Date.now() + startMsMax; !(await accepts(port + 1)); await sleep(pollMs))
      if (Date.now() > until || child.exitCode !== null) throw new Error('swtpm did not start');
  }

  tool(program: string, ...words: string[]): Buffer {
    const env = { ...process.env, TPM2TOOLS_TCTI: `swtpm:host=127.0.0.1,port=${this.address.port}` };
    return execFileSync(program, words, { cwd: this.#directory, env, stdio: ['ignore', 'pipe', 'pipe'] });
  }

  async restart(): Promise<void> {
    await this.#end();
    await this.start();
  }

  async stop(): Promise<void> {
    await this.#end();
    rmSync(this.#directory, { recursive: true, force: true });
  }

  async #end(): Promise<void> {
    const child = this.#process;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const ended = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGCONT');
    child.kill('SIGTERM');
    await ended;
  }
}

function onPort(port: number): string {
  return `type=tcp,port=${port},bindaddr=127.0.0.1`;
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => {
      socket.destroy();
      resolve(true);
    });
    socket.on('error', () => resolve(false));
  });
}

/** The first of two adjacent ports: tpm2-tools expects the control channel beside the TPM. */
async function twoFreePorts(): Promise<number> {
  for (;;) {
    const first = await heldPort(0);
    const second = first.port < 65_535 ? await heldPort(first.port + 1).catch(() => undefined) : undefined;
    await first.release();
    await second?.release();
    if (second !== undefined) return first.port;
  }
}

function heldPort(port: number): Promise<{ readonly port: number; release(): Promise<void> }> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.on('error', reject);
    server.listen(port, '127.0.0.1', () => {
      const address = server.address();
      if (address === null || typeof address === 'string') throw new Error('no TCP address');
      resolve({ port: address.port, release: () => new Promise((done) => server.close(() => done())) });
    });
  });
}

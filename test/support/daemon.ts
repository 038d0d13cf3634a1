/**
 * A daemon as a process, with a data directory, token and access key of its own, all removed when it is stopped. It runs the
 * built program, which is brought up to date first.
 */
import { execFile, execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { createInterface } from 'node:readline';
import { existsSync, mkdtempSync, readFileSync, readlinkSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parse, stringify } from 'yaml';
import { NSS_MODULE, provisionNss } from './nss.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const program = join(root, 'dist/cli/main.js');
const startMsMax = 60_000;
const endMsMax = 40_000;
const outputBytesMax = 64 * 1_024 * 1_024;

export type DaemonStore = 'softhsm' | 'softhsm-wrapped' | 'softhsm-direct' | 'nss' | 'software';

export interface DaemonOptions {
  readonly store: DaemonStore;
  readonly auth: 'sigv4' | 'emulator';
  /** In place of the token's module, for example a spy that loads it. */
  readonly module?: string;
  /** Added to the environment of the module; `folder` is the data directory. */
  readonly moduleEnvironment?: (folder: string) => Readonly<Record<string, string>>;
  /** More flags of `hsm-kms serve`. */
  readonly flags?: readonly string[];
  /** Changes the configuration before the daemon reads it; `folder` is the data directory. */
  readonly configure?: (config: ConfigText, folder: string) => void;
}

/** The configuration file as plain data. */
export interface ConfigText {
  tokens?: Record<string, unknown>[];
  keyStores: Record<string, unknown>[];
  regions: Record<string, unknown>[];
  [member: string]: unknown;
}

export interface CliResult {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunningDaemon {
  readonly endpoint: string;
  readonly credentials: { readonly accessKeyId: string; readonly secretAccessKey: string; readonly account: string };
  readonly dataDirectory: string;
  /** Process id of the daemon. */
  readonly pid: number;
  /** Undefined for the software store. */
  readonly token:
    | { readonly module: string; readonly label: string; readonly environment: Readonly<Record<string, string>>; readonly pinFile: string }
    | undefined;
  /** Process ids of the token hosts that run now. */
  hostPids(): readonly number[];
  /** What the daemon wrote to standard error so far, restarts included. */
  log(): string;
  /** Runs another command of the program on the same data directory. */
  cli(...words: string[]): Promise<CliResult>;
  /** Ends the daemon (`stop`: SIGTERM, `kill`: SIGKILL) and starts it again on the same port and data directory. */
  restart(end: 'stop' | 'kill'): Promise<void>;
  /** Starts it again after `kill`. */
  start(): Promise<void>;
  /** SIGKILL; the data directory stays. */
  kill(): Promise<void>;
  /** SIGTERM; the data directory stays. Resolves to the exit code. */
  end(): Promise<number | null>;
  /** SIGTERM, waits for the end, removes the data directory. Resolves to the exit code. */
  stop(): Promise<number | null>;
}

/** Brings `dist/` and the addon up to date. */
export function buildProgram(): void {
  execFileSync(join(root, 'scripts/build'), { stdio: ['ignore', 'ignore', 'inherit'] });
}

/** Runs `hsm-kms` once and resolves to what it said, whatever its exit code. */
export function runCli(
  words: readonly string[],
  options: { cwd?: string; input?: string; env?: NodeJS.ProcessEnv } = {},
): Promise<CliResult> {
  return new Promise((resolve) => {
    const child = execFile(
      process.execPath,
      [program, ...words],
      { maxBuffer: outputBytesMax, cwd: options.cwd ?? root, env: options.env ?? process.env },
      (error, stdout, stderr) => resolve({ code: error === null ? 0 : typeof error.code === 'number' ? error.code : -1, stdout, stderr }),
    );
    child.stdin?.end(options.input ?? '');
  });
}

/** Provisions and starts a daemon; resolves when it has said that it listens. */
export async function startDaemon(options: DaemonOptions): Promise<RunningDaemon> {
  buildProgram();
  const dataDirectory = mkdtempSync(join(tmpdir(), 'hsm-kms-daemon-'));
  const removals = [(): void => rmSync(dataDirectory, { recursive: true, force: true, maxRetries: 5 })];
  try {
    await provision(dataDirectory, options, removals);
    const daemon = new DaemonProcess(dataDirectory, options, removals);
    await daemon.start();
    return daemon;
  } catch (error) {
    for (const remove of removals) remove();
    throw error;
  }
}

async function provision(dataDirectory: string, options: DaemonOptions, removals: (() => void)[]): Promise<void> {
  const flags = ['setup', '--data', dataDirectory];
  if (!options.store.startsWith('softhsm')) flags.push('--store', 'software');
  if (options.store === 'softhsm-wrapped') flags.push('--residency', 'wrapped');
  if (options.store === 'softhsm-direct') flags.push('--suite', 'direct');
  const made = await runCli(flags);
  if (made.code !== 0) throw new Error(`set-up failed: ${made.stderr}`);
  const file = join(dataDirectory, 'config.yaml');
  const config = parse(readFileSync(file, 'utf8')) as ConfigText;
  if (options.store === 'nss') useNss(config, dataDirectory, removals);
  const [token] = config.tokens ?? [];
  if (token !== undefined && options.module !== undefined) token['module'] = options.module;
  if (token !== undefined && options.moduleEnvironment !== undefined) {
    token['environment'] = { ...(token['environment'] as object), ...options.moduleEnvironment(dataDirectory) };
  }
  options.configure?.(config, dataDirectory);
  writeFileSync(file, stringify(config));
}

function useNss(config: ConfigText, dataDirectory: string, removals: (() => void)[]): void {
  const nss = provisionNss();
  removals.push(() => nss.remove());
  const pinFile = join(dataDirectory, 'nss-pin');
  nss.pin.expose((pin) => writeFileSync(pinFile, pin, { mode: 0o600 }));
  config.tokens = [
    { name: 'nss', profile: 'nss', label: nss.label, pin: { file: pinFile }, module: NSS_MODULE, initialize: { reserved: nss.reserved } },
  ];
  config.keyStores = [{ name: 'hsm', kind: 'pkcs11', token: 'nss', custody: 'reduced' }];
  config.regions = [{ region: 'us-east-1', keyStore: 'hsm' }];
}

interface TokenText {
  readonly module?: string;
  readonly label: string;
  readonly environment?: Readonly<Record<string, string>>;
  readonly pin: { readonly file: string };
}

class DaemonProcess implements RunningDaemon {
  readonly dataDirectory: string;
  readonly credentials: RunningDaemon['credentials'];
  readonly token: RunningDaemon['token'];
  endpoint = '';
  #process: ChildProcess | undefined;
  #ended: Promise<number | null> = Promise.resolve(null);
  #port = 0;
  #log = '';
  readonly #flags: readonly string[];
  readonly #removals: readonly (() => void)[];

  constructor(dataDirectory: string, options: DaemonOptions, removals: readonly (() => void)[]) {
    this.dataDirectory = dataDirectory;
    this.#removals = removals;
    this.#flags = ['--auth', options.auth, ...(options.flags ?? [])];
    const file = parse(readFileSync(join(dataDirectory, 'credentials.yaml'), 'utf8')) as {
      credentials: [{ accessKeyId: string; secretAccessKey: string; principalArn: string }];
    };
    const [{ accessKeyId, secretAccessKey, principalArn }] = file.credentials;
    this.credentials = { accessKeyId, secretAccessKey, account: principalArn.split(':')[4] ?? '' };
    this.token = tokenOf(dataDirectory);
  }

  get pid(): number {
    return this.#process?.pid ?? -1;
  }

  async start(): Promise<void> {
    const words = ['serve', '--data', this.dataDirectory, '--port', String(this.#port), ...this.#flags];
    const child = spawn(process.execPath, [program, ...words], { cwd: root, stdio: ['ignore', 'pipe', 'pipe'] });
    this.#process = child;
    this.#ended = new Promise((resolve) => child.once('exit', (code) => resolve(code)));
    child.stderr.on('data', (chunk: Buffer) => {
      this.#log += chunk.toString('utf8');
    });
    this.endpoint = await this.#listening(child);
    this.#port = Number(new URL(this.endpoint).port);
  }

  #listening(child: ChildProcess): Promise<string> {
    return new Promise((resolve, reject) => {
      const overdue = setTimeout(() => reject(new Error(`the daemon did not listen within ${startMsMax} ms:\n${this.#log}`)), startMsMax);
      if (child.stdout === null) throw new Error('the daemon has no standard output');
      createInterface({ input: child.stdout }).on('line', (line) => {
        const url = /^hsm-kms listening on (\S+)$/.exec(line)?.[1];
        if (url === undefined) return;
        clearTimeout(overdue);
        resolve(url);
      });
      void this.#ended.then((code) => {
        clearTimeout(overdue);
        reject(new Error(`the daemon ended with ${code} before it listened:\n${this.#log}`));
      });
    });
  }

  hostPids(): readonly number[] {
    const children = readFileSync(`/proc/${this.pid}/task/${this.pid}/children`, 'utf8').trim().split(' ').filter(Boolean).map(Number);
    return children.filter((pid) => existsSync(`/proc/${pid}/exe`) && readlinkSync(`/proc/${pid}/exe`).endsWith('/token-host'));
  }

  log(): string {
    return this.#log;
  }

  cli(...words: string[]): Promise<CliResult> {
    return runCli([...words, '--data', this.dataDirectory]);
  }

  async restart(end: 'stop' | 'kill'): Promise<void> {
    await this.#end(end === 'stop' ? 'SIGTERM' : 'SIGKILL');
    await this.start();
  }

  async kill(): Promise<void> {
    await this.#end('SIGKILL');
  }

  end(): Promise<number | null> {
    return this.#end('SIGTERM');
  }

  async stop(): Promise<number | null> {
    const code = await this.#end('SIGTERM');
    for (const remove of this.#removals) remove();
    return code;
  }

  async #end(signal: NodeJS.Signals): Promise<number | null> {
    this.#process?.kill(signal);
    const overdue = setTimeout(() => this.#process?.kill('SIGKILL'), endMsMax);
    const code = await this.#ended;
    clearTimeout(overdue);
    return code;
  }
}

function tokenOf(dataDirectory: string): RunningDaemon['token'] {
  const { tokens } = parse(readFileSync(join(dataDirectory, 'config.yaml'), 'utf8')) as { tokens?: readonly TokenText[] };
  const [token] = tokens ?? [];
  if (token === undefined) return undefined;
  const pinFile = token.pin.file.startsWith('/') ? token.pin.file : join(dataDirectory, token.pin.file);
  return { module: token.module ?? '/usr/lib/softhsm/libsofthsm2.so', label: token.label, environment: token.environment ?? {}, pinFile };
}

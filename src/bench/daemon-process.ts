/** A real daemon as a process of its own: started from a configuration file, ended with the benchmark. */
import { type ChildProcess, spawn } from 'node:child_process';
import { extname } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { ProbeReply, ProbeRequest } from './daemon-probe.ts';

const READY_TIMEOUT_MS = 60_000;
const PROBE_TIMEOUT_MS = 10_000;
const END_TIMEOUT_MS = 15_000;
const COMPLAINT_CHARACTERS_MAX = 4_000;
const READY_LINE = /^hsm-kms listening on https?:\/\/(.+):(\d+)$/m;

/** The command line's program: TypeScript beside TypeScript, JavaScript beside JavaScript. */
const extension = extname(import.meta.url);
const program = fileURLToPath(new URL(`../cli/main${extension}`, import.meta.url));
const probe = new URL(`./daemon-probe${extension}`, import.meta.url).href;

export class DaemonProcess {
  readonly #process: ChildProcess;
  readonly host: string;
  readonly port: number;

  private constructor(daemon: ChildProcess, host: string, port: number) {
    this.#process = daemon;
    this.host = host;
    this.port = port;
  }

  get pid(): number {
    return this.#process.pid ?? 0;
  }

  /** Starts `hsm-kms serve` and resolves when it says that it is ready. Rejects with what it wrote to standard error. */
  static async start(configFile: string): Promise<DaemonProcess> {
    const args = [...process.execArgv, '--import', probe, program, 'serve', '--config', configFile];
    const daemon = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe', 'ipc'] });
    try {
      const [, host = '', port = ''] = await readiness(daemon);
      return new DaemonProcess(daemon, host, Number(port));
    } catch (error) {
      daemon.kill('SIGKILL');
      throw error;
    }
  }

  /** Begins to measure the delay of the daemon's event loop. */
  watchEventLoop(): void {
    this.#process.send('start' satisfies ProbeRequest);
  }

  /** The delay since `watchEventLoop`, 99th percentile. */
  eventLoopDelayP99Ms(): Promise<number> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(
        () => reject(new Error(`The daemon did not tell its event loop delay within ${PROBE_TIMEOUT_MS} ms`)),
        PROBE_TIMEOUT_MS,
      );
      this.#process.once('message', (reply) => {
        clearTimeout(timer);
        resolve((reply as ProbeReply).loopDelayP99Ms);
      });
      this.#process.send('stop' satisfies ProbeRequest);
    });
  }

  /** Ends the daemon in order, or at once when it takes too long. */
  async stop(): Promise<void> {
    if (this.#process.exitCode !== null || this.#process.signalCode !== null) return;
    const ended = new Promise((resolve) => this.#process.once('exit', resolve));
    const overdue = setTimeout(() => this.#process.kill('SIGKILL'), END_TIMEOUT_MS);
    this.#process.kill('SIGTERM');
    await ended;
    clearTimeout(overdue);
  }
}

/** The ready line of the daemon, taken apart. */
function readiness(daemon: ChildProcess): Promise<RegExpExecArray> {
  return new Promise((resolve, reject) => {
    let output = '';
    let complaint = '';
    const fail = (why: string): void => {
      clearTimeout(timer);
      reject(new Error(`The daemon ${why}: ${complaint.trim() || 'it wrote nothing to standard error'}`));
    };
    const timer = setTimeout(() => fail(`was not ready within ${READY_TIMEOUT_MS} ms`), READY_TIMEOUT_MS);
    daemon.once('error', (error) => fail(`could not be started (${error.message})`));
    daemon.once('exit', () => fail('ended while it started'));
    daemon.stderr?.on('data', (chunk: Buffer) => {
      complaint = (complaint + chunk.toString('utf8')).slice(-COMPLAINT_CHARACTERS_MAX);
    });
    daemon.stdout?.on('data', (chunk: Buffer) => {
      output += chunk.toString('utf8');
      const ready = READY_LINE.exec(output);
      if (ready === null) return;
      clearTimeout(timer);
      resolve(ready);
    });
  });
}

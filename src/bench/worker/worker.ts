/** A worker process as the benchmark sees it: one request at a time, each answered in bounded time or the worker is ended. */
import { fork, type ChildProcess } from 'node:child_process';
import { extname } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Observation, Workload } from '../observation.ts';
import type { SubjectDescription, WorkerReply, WorkerRequest } from './messages.ts';

const OPEN_TIMEOUT_MS = 60_000;
const PREPARE_TIMEOUT_MS = 30_000;
/** Waiting for the last operations comes on top of the measured time. */
const MEASURE_SLACK_MS = 30_000;
/** Making or destroying a token object gets slower with their number. */
const KEY_TIMEOUT_MS = 200;
/** Writing a record gets slower with their number. */
const RECORD_TIMEOUT_MS = 5;
const CLOSE_TIMEOUT_MS = 10_000;

/** The worker's program: TypeScript beside TypeScript, JavaScript beside JavaScript. */
const program = fileURLToPath(new URL(`./main${extname(import.meta.url)}`, import.meta.url));

export class Worker {
  readonly #process: ChildProcess;
  #keySpecs: readonly string[] = [];

  private constructor(child: ChildProcess) {
    this.#process = child;
  }

  /** Starts a process and opens the subject in it. Rejects with what went wrong there. */
  static async open(subject: SubjectDescription): Promise<Worker> {
    const worker = new Worker(fork(program, [], { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] }));
    try {
      worker.#keySpecs = (await worker.#ask({ kind: 'open', subject }, OPEN_TIMEOUT_MS)).keySpecs ?? [];
      return worker;
    } catch (error) {
      worker.#process.kill('SIGKILL');
      throw error;
    }
  }

  /** KeySpecs of the key store, of a worker that uses keys. */
  get keySpecs(): readonly string[] {
    return this.#keySpecs;
  }

  /** Makes inputs and warms up: what `measure` is to measure. */
  async prepare(workload: Workload, outstanding: number): Promise<void> {
    await this.#ask({ kind: 'prepare', workload, outstanding }, PREPARE_TIMEOUT_MS);
  }

  async measure(durationMs: number): Promise<Observation> {
    const { observation } = await this.#ask({ kind: 'measure', durationMs }, durationMs + MEASURE_SLACK_MS);
    if (observation === undefined) throw new Error('The worker gave no observation');
    return observation;
  }

  /** Makes keys in the data directory and resolves to the id of the last one. */
  async createKeys(count: number): Promise<string> {
    const { keyId } = await this.#ask({ kind: 'create-keys', count }, OPEN_TIMEOUT_MS + count * KEY_TIMEOUT_MS);
    if (keyId === undefined) throw new Error('The worker named no key');
    return keyId;
  }

  /** Adds records that cannot be used until there are `count` keys. */
  async fillKeys(count: number): Promise<void> {
    await this.#ask({ kind: 'fill-keys', count }, OPEN_TIMEOUT_MS + count * RECORD_TIMEOUT_MS);
  }

  async destroyKeys(count: number): Promise<void> {
    await this.#ask({ kind: 'destroy-keys' }, OPEN_TIMEOUT_MS + count * KEY_TIMEOUT_MS);
  }

  /** Closes the subject and ends the process. */
  async close(): Promise<void> {
    try {
      await this.#ask({ kind: 'close' }, CLOSE_TIMEOUT_MS);
    } finally {
      this.#process.kill('SIGKILL');
    }
  }

  #ask(request: WorkerRequest, timeoutMs: number): Promise<WorkerReply> {
    return new Promise((resolve, reject) => {
      const worker = this.#process;
      const settle = (reply: WorkerReply): void => {
        clearTimeout(timer);
        worker.off('message', settle).off('exit', exited);
        if (reply.error === undefined) resolve(reply);
        else reject(new Error(reply.error));
      };
      const exited = (): void => settle({ error: 'A worker process of the benchmark ended unexpectedly' });
      const timer = setTimeout(() => {
        worker.kill('SIGKILL');
        settle({ error: `A worker process of the benchmark did not answer within ${timeoutMs} ms` });
      }, timeoutMs);
      worker.on('message', settle).on('exit', exited);
      if (!worker.connected) exited();
      else worker.send(request);
    });
  }
}

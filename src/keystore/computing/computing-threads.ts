/**
 * A few threads of this process that compute what would hold the event loop up. Threads start when they are first needed and stay. What
 * waits for them is bounded. Knows nothing of keys and stores.
 */
import { availableParallelism } from 'node:os';
import type { Worker } from 'node:worker_threads';
import { type Encapsulated, encryptWithPublicKey } from '../../keys/public-key-encryption.ts';
import type { PublicKeyUses } from '../../keys/public-key-uses.ts';
import { isSignatureValid, isVerifiedQuickly, type SignedMessage } from '../../keys/verify-signature.ts';
import { startThread } from '../../start-thread.ts';
import { KeyStoreError } from '../keystore.ts';
import type { ArgumentOf, Computations, ResultOf } from './computations.ts';
import { type ComputingReply, type ComputingRequest, ownBytes, withOwnBuffers } from './messages.ts';

const threadsMaxDefault = 4;
const waitingMaxDefault = 1_000;

export interface ComputingThreadsOptions {
  /** As many as there are CPUs, at most 4, when absent. */
  readonly threadsMax?: number;
  /** Computations that wait for a thread; 1,000 when absent. */
  readonly waitingMax?: number;
  /** Tests put their own in between. */
  readonly startThread?: () => Worker;
}

interface Job {
  readonly request: ComputingRequest;
  readonly buffers: readonly ArrayBuffer[];
  resolve(value: unknown): void;
  reject(error: Error): void;
}

const noSecret: Uint8Array = new Uint8Array();

export class ComputingThreads implements PublicKeyUses {
  readonly #threadsMax: number;
  readonly #waitingMax: number;
  readonly #startThread: () => Worker;
  readonly #idle: Worker[] = [];
  readonly #running = new Map<Worker, Job>();
  readonly #waiting: Job[] = [];
  #closed = false;
  #lastEnded: (() => void) | undefined;

  constructor(options: ComputingThreadsOptions = {}) {
    this.#threadsMax = options.threadsMax ?? Math.min(threadsMaxDefault, availableParallelism());
    this.#waitingMax = options.waitingMax ?? waitingMaxDefault;
    this.#startThread = options.startThread ?? ((): Worker => startThread('computing', './computing-thread', import.meta.url));
  }

  /**
   * Computes in a thread. `secret` is copied at once, and the copy wiped after use. Rejects with the KeyStoreError of the
   * computation, or with one of kind `unavailable` when too many wait, when the thread ends, and after `close`.
   */
  async compute<Name extends keyof Computations>(
    name: Name,
    argument: ArgumentOf<Name>,
    secret: Uint8Array = noSecret,
  ): Promise<ResultOf<Name>> {
    if (this.#closed) throw closedError();
    if (this.#waiting.length >= this.#waitingMax) {
      throw new KeyStoreError('unavailable', `${this.#waitingMax} computations wait for a thread already; try again`);
    }
    const buffers: ArrayBuffer[] = [];
    const request = { name, argument: withOwnBuffers(argument, buffers), secret: ownBytes(secret, buffers) };
    return new Promise<ResultOf<Name>>((resolve, reject) => {
      this.#waiting.push({ request, buffers, resolve, reject });
      this.#dispatch();
    });
  }

  isSignatureValid(signed: SignedMessage, signature: Uint8Array): Promise<boolean> {
    if (isVerifiedQuickly(signed)) return isSignatureValid(signed, signature);
    return this.compute('isSignatureValid', { signed, signature });
  }

  encapsulateTo(publicKey: Uint8Array, keySpec: string): Promise<Encapsulated> {
    return this.compute('encapsulateTo', { publicKey, keySpec });
  }

  /** RSA takes less time than the way to a thread. */
  async encryptTo(publicKey: Uint8Array, algorithm: string, plaintext: Uint8Array): Promise<Uint8Array> {
    if (algorithm !== 'SM2PKE') return encryptWithPublicKey(publicKey, algorithm, plaintext);
    return this.compute('encryptSm2', { publicKey }, plaintext);
  }

  /** Refuses what waits, lets what runs end, then ends the threads. */
  async close(): Promise<void> {
    this.#closed = true;
    for (const job of this.#waiting.splice(0)) {
      job.request.secret.fill(0);
      job.reject(closedError());
    }
    if (this.#running.size > 0) await new Promise<void>((resolve) => (this.#lastEnded = resolve));
    await Promise.all(this.#idle.splice(0).map((thread) => thread.terminate()));
  }

  #dispatch(): void {
    while (this.#waiting.length > 0) {
      const thread = this.#idle.pop() ?? (this.#running.size < this.#threadsMax ? this.#start() : undefined);
      if (thread === undefined) return;
      const job = this.#waiting.shift()!;
      this.#running.set(thread, job);
      thread.ref();
      thread.postMessage(job.request, job.buffers);
    }
  }

  #start(): Worker {
    const thread = this.#startThread();
    thread.on('message', (reply: ComputingReply) => this.#answered(thread, reply));
    thread.on('error', (error) => this.#ended(thread, error));
    thread.on('exit', () => this.#ended(thread, undefined));
    return thread;
  }

  #answered(thread: Worker, reply: ComputingReply): void {
    const job = this.#take(thread);
    // An idle thread does not keep the process alive.
    thread.unref();
    this.#idle.push(thread);
    if ('value' in reply) job?.resolve(reply.value);
    else job?.reject(new KeyStoreError(reply.failure.kind, reply.failure.message));
    this.#next();
  }

  /** A thread that ended takes its computation with it; the next one gets a new thread. */
  #ended(thread: Worker, cause: Error | undefined): void {
    const index = this.#idle.indexOf(thread);
    if (index >= 0) this.#idle.splice(index, 1);
    this.#take(thread)?.reject(new KeyStoreError('unavailable', 'The thread that computed ended; try again', { cause }));
    this.#next();
  }

  #take(thread: Worker): Job | undefined {
    const job = this.#running.get(thread);
    this.#running.delete(thread);
    return job;
  }

  #next(): void {
    this.#dispatch();
    if (this.#running.size === 0) this.#lastEnded?.();
  }
}

function closedError(): KeyStoreError {
  return new KeyStoreError('unavailable', 'The threads that compute have ended with the service');
}

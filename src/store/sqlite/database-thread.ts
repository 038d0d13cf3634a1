/** The service's side of the database thread: sends one call at a time and notices when the thread dies. */
import type { Worker } from 'node:worker_threads';
import type { CallMessage, DatabaseCalls, ReplyMessage } from './database-calls.ts';
import { DatabaseFailure } from './database-failure.ts';

/** The thread ended before it answered. */
export class ThreadDiedError extends Error {
  override readonly name = 'ThreadDiedError';
}

interface PendingCall {
  resolve(value: unknown): void;
  reject(error: Error): void;
}

export class DatabaseThread {
  readonly #worker: Worker;
  #pending: PendingCall | undefined;
  #death: ThreadDiedError | undefined;

  constructor(worker: Worker) {
    this.#worker = worker;
    worker.on('message', (reply: ReplyMessage) => this.#answered(reply));
    worker.on('error', (error) => this.#died(new ThreadDiedError(`the database thread failed: ${error.message}`, { cause: error })));
    worker.on('exit', (code) => this.#died(new ThreadDiedError(`the database thread ended with exit code ${code}`)));
  }

  get alive(): boolean {
    return this.#death === undefined;
  }

  /** Rejects with DatabaseFailure, or with ThreadDiedError when the thread is dead or dies. */
  async call<Method extends keyof DatabaseCalls>(
    method: Method,
    argument: Parameters<DatabaseCalls[Method]>[0],
  ): Promise<ReturnType<DatabaseCalls[Method]>> {
    if (this.#pending !== undefined) throw new Error('the database thread takes one call at a time');
    const message: CallMessage = { method, argument };
    return new Promise((resolve, reject) => {
      if (this.#death !== undefined) return reject(this.#death);
      this.#pending = { resolve: resolve, reject };
      this.#worker.postMessage(message, []);
    });
  }

  async terminate(): Promise<void> {
    await this.#worker.terminate();
  }

  #answered(reply: ReplyMessage): void {
    const call = this.#pending;
    this.#pending = undefined;
    if ('failure' in reply) call?.reject(new DatabaseFailure(reply.failure.code, reply.failure.message));
    else call?.resolve(reply.value);
  }

  #died(error: ThreadDiedError): void {
    this.#death ??= error;
    this.#pending?.reject(this.#death);
    this.#pending = undefined;
  }
}

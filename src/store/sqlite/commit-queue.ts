/**
 * Group commit: transactions that wait while the disk is busy are written together, with one flush, and each gets its own outcome.
 * Decides what callers are told when the disk or the thread fails. Knows no SQL.
 */
import type { Log } from '../../log.ts';
import { StoreConflictError, StoreUnavailableError } from '../store.ts';
import type { Outcome, WriteStep } from '../write-step.ts';
import type { Batch, DatabaseState } from './database-calls.ts';
import { ThreadDiedError, type DatabaseThread } from './database-thread.ts';

const transactionsPerBatchMax = 512;
const transactionsWaitingMax = 10_000;

export type Committed = Extract<Outcome, { readonly kind: 'committed' }>;

/** A new thread with the database open. */
export interface Connection {
  readonly thread: DatabaseThread;
  readonly state: DatabaseState;
}

export interface CommitQueueParts {
  readonly connection: Connection;
  /** Opens the database again after the thread died. Rejects with StoreUnavailableError. */
  connect(): Promise<Connection>;
  /** Called for each batch that is on disk, before anyone is told: makes it visible. */
  committed(batch: Batch, outcomes: readonly Outcome[]): void;
  readonly log: Log;
  /** After this long without an answer the disk counts as stalled, and callers are no longer kept waiting. */
  readonly commitTimeoutMs: number;
}

interface Waiting {
  readonly steps: readonly WriteStep[];
  resolve(outcome: Committed): void;
  reject(error: Error): void;
}

export class CommitQueue {
  readonly #parts: CommitQueueParts;
  #thread: DatabaseThread;
  #generation: number;
  #waiting: Waiting[] = [];
  #draining: Promise<void> | undefined;
  /** A batch whose thread died at work: a new thread tells whether it was committed. */
  #unsettled: Batch | undefined;
  #stalled = false;
  #closed = false;

  constructor(parts: CommitQueueParts) {
    this.#parts = parts;
    this.#thread = parts.connection.thread;
    this.#generation = parts.connection.state.generation;
  }

  /** Resolves when the transaction is on disk and visible. Rejects with StoreConflictError, StoreUnavailableError or RangeError. */
  async submit(steps: readonly WriteStep[]): Promise<Committed> {
    if (this.#closed) throw new StoreUnavailableError('the store is closed');
    if (this.#stalled) throw new StoreUnavailableError('the disk of the store does not answer; writing resumes when it does');
    if (this.#waiting.length >= transactionsWaitingMax)
      throw new StoreUnavailableError('too many transactions wait for the disk; try again');
    return new Promise((resolve, reject) => {
      this.#waiting.push({ steps, resolve, reject });
      this.#draining ??= this.#drain();
    });
  }

  /** Writes what waits, refuses what comes, ends the thread. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    await this.#draining;
    if (this.#thread.alive) await this.#thread.call('close', undefined);
  }

  async #drain(): Promise<void> {
    // Whoever submits in the same turn of the event loop goes into the same batch.
    await Promise.resolve();
    while (this.#waiting.length > 0) await this.#write(this.#waiting.splice(0, transactionsPerBatchMax));
    this.#draining = undefined;
  }

  async #write(callers: readonly Waiting[]): Promise<void> {
    const deadline = setTimeout(() => this.#stall(callers), this.#parts.commitTimeoutMs);
    try {
      if (!this.#thread.alive) await this.#reconnect();
      const outcomes = await this.#commit({ generation: this.#generation + 1, transactions: callers.map((caller) => caller.steps) });
      callers.forEach((caller, index) => settle(caller, outcomes[index]));
    } catch (error) {
      const unavailable = toUnavailable(error);
      this.#parts.log.error({ err: unavailable, transactions: callers.length }, 'the store could not write');
      for (const caller of callers) caller.reject(unavailable);
    } finally {
      clearTimeout(deadline);
      this.#stalled = false;
    }
  }

  async #commit(batch: Batch): Promise<readonly Outcome[]> {
    try {
      const outcomes = await this.#thread.call('write', batch);
      this.#publish(batch, outcomes);
      return outcomes;
    } catch (error) {
      if (!(error instanceof ThreadDiedError)) throw error;
      this.#unsettled = batch;
      return this.#outcomesAfterDeath(error);
    }
  }

  async #outcomesAfterDeath(death: ThreadDiedError): Promise<readonly Outcome[]> {
    let outcomes: readonly Outcome[] | undefined;
    try {
      outcomes = await this.#reconnect();
    } catch (error) {
      const message = `${death.message}, and the database cannot be opened again: ${(error as Error).message}`;
      throw new StoreUnavailableError(message, { cause: error, mayHaveApplied: true });
    }
    if (outcomes === undefined) throw new StoreUnavailableError(`${death.message}; nothing was written, try again`, { cause: death });
    return outcomes;
  }

  /** Starts a new thread. Resolves to the outcomes of the unsettled batch if that was committed, after making it visible. */
  async #reconnect(): Promise<readonly Outcome[] | undefined> {
    const { thread, state } = await this.#parts.connect();
    const batch = this.#unsettled;
    const wasCommitted = batch !== undefined && state.generation === batch.generation;
    if (!wasCommitted && state.generation !== this.#generation) {
      await thread.terminate();
      throw new StoreUnavailableError('another program changed the database; restart the service so that it reads it again');
    }
    this.#thread = thread;
    this.#unsettled = undefined;
    this.#parts.log.warn({ generation: state.generation, wasCommitted }, 'the database thread was started again');
    if (!wasCommitted) return undefined;
    this.#publish(batch, state.outcomes);
    return state.outcomes;
  }

  #publish(batch: Batch, outcomes: readonly Outcome[]): void {
    if (!outcomes.some((outcome) => outcome.kind === 'committed')) return;
    this.#generation = batch.generation;
    this.#parts.committed(batch, outcomes);
  }

  /** The disk hangs. A call in the kernel cannot be cancelled: its callers are let go, and the batch is made visible if it ends well. */
  #stall(callers: readonly Waiting[]): void {
    this.#stalled = true;
    const message = `the disk of the store did not answer for ${this.#parts.commitTimeoutMs} ms`;
    for (const caller of callers) caller.reject(new StoreUnavailableError(message, { mayHaveApplied: true }));
    for (const caller of this.#waiting.splice(0)) caller.reject(new StoreUnavailableError(message));
  }
}

function settle(caller: Waiting, outcome: Outcome | undefined): void {
  if (outcome?.kind === 'committed') caller.resolve(outcome);
  else if (outcome?.kind === 'conflict') caller.reject(new StoreConflictError(outcome.reason));
  else caller.reject(new RangeError(`the store does not take this transaction: ${outcome?.reason ?? 'no outcome'}`));
}

function toUnavailable(error: unknown): StoreUnavailableError {
  if (error instanceof StoreUnavailableError) return error;
  return new StoreUnavailableError((error as Error).message, { cause: error });
}

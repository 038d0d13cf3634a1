/**
 * The embedded store: reads from the snapshot (`snapshot-reads.ts`), writes through the commit queue to a database thread. Knows no SQL.
 * `openSqliteStore` is the only way to one.
 */
import type { Worker } from 'node:worker_threads';
import type { Clock } from '../../clock.ts';
import type { Log } from '../../log.ts';
import { checkedStep, frozenIntent } from '../checked-step.ts';
import { SnapshotReads } from '../snapshot-reads.ts';
import type { Snapshot } from '../snapshot.ts';
import { StoreUnavailableError, type Change, type IntentRecord, type Store } from '../store.ts';
import { Transactor, type Decision } from '../transact.ts';
import type { Outcome, WriteStep } from '../write-step.ts';
import { CommitQueue, type Committed, type Connection } from './commit-queue.ts';
import { existingDatabaseFile, lockDataDirectory, prepareDataDirectory, type DirectoryLock } from './data-directory.ts';
import type { Batch } from './database-calls.ts';
import { DatabaseThread } from './database-thread.ts';
import { loadSnapshot } from './load-snapshot.ts';
import { startWriterThread } from './start-writer-thread.ts';

const commitTimeoutMsDefault = 30_000;
const stepsPerTransactionMax = 1_000;

export interface SqliteStoreOptions {
  /** Made with mode 0700 if it does not exist. Holds kms.db, its write-ahead log, and the lock. */
  readonly directory: string;
  readonly clock: Clock;
  readonly log: Log;
  /** Reads beside a running service, as of now: takes no lock, and every write is refused. */
  readonly readOnly?: boolean;
  readonly commitTimeoutMs?: number;
  /** Starts the database thread; tests put their own in between. */
  readonly startThread?: () => Worker;
}

/**
 * Opens the store in a data directory, making it if needed, and loads it. Rejects with StoreUnavailableError that says what to do:
 * in use by another process, writable by others, damaged, of a newer release, not writable.
 */
export async function openSqliteStore(options: SqliteStoreOptions): Promise<Store> {
  const file = options.readOnly === true ? existingDatabaseFile(options.directory) : prepareDataDirectory(options.directory);
  const lock = options.readOnly === true ? undefined : lockDataDirectory(options.directory);
  const connect = async (): Promise<Connection> => connectThread(file, options);
  try {
    const startedMs = options.clock.monotonicMs();
    const connection = await connect();
    const snapshot = await loaded(connection);
    options.log.info({ file, generation: snapshot.generation, tookMs: options.clock.monotonicMs() - startedMs }, 'store loaded');
    return new SqliteStore(snapshot, connection, connect, lock, options);
  } catch (error) {
    lock?.release();
    throw error;
  }
}

async function loaded({ thread, state }: Connection): Promise<Snapshot> {
  try {
    return await loadSnapshot(thread, state.generation);
  } catch (error) {
    await thread.terminate();
    throw new StoreUnavailableError((error as Error).message, { cause: error });
  }
}

async function connectThread(file: string, options: SqliteStoreOptions): Promise<Connection> {
  const thread = new DatabaseThread((options.startThread ?? startWriterThread)());
  try {
    const state = await thread.call('open', { file, nowMs: options.clock.nowMs(), readOnly: options.readOnly ?? false });
    return { thread, state };
  } catch (error) {
    await thread.terminate();
    throw new StoreUnavailableError((error as Error).message, { cause: error });
  }
}

class SqliteStore extends SnapshotReads implements Store {
  readonly #queue: CommitQueue;
  readonly #lock: DirectoryLock | undefined;
  readonly #readOnly: boolean;
  readonly #transactor: Transactor;

  constructor(
    snapshot: Snapshot,
    connection: Connection,
    connect: () => Promise<Connection>,
    lock: DirectoryLock | undefined,
    options: SqliteStoreOptions,
  ) {
    super(snapshot);
    this.#lock = lock;
    this.#readOnly = options.readOnly ?? false;
    this.#transactor = new Transactor(this);
    this.#queue = new CommitQueue({
      connection,
      connect,
      committed: (batch, outcomes) => publish(snapshot, batch, outcomes),
      log: options.log,
      commitTimeoutMs: options.commitTimeoutMs ?? commitTimeoutMsDefault,
    });
  }

  async commit(changes: readonly Change[]): Promise<void> {
    if (changes.length > 0) await this.#write(changes);
  }

  async transact<T>(decide: (store: Store) => Decision<T>): Promise<T> {
    return this.#transactor.transact(decide);
  }

  async takeOverIntents(owner: string, nowMs: number, leaseUntilMs: number): Promise<readonly IntentRecord[]> {
    const { intents } = await this.#write([{ kind: 'take-over-intents', owner, nowMs, leaseUntilMs }]);
    return (intents ?? []).map(frozenIntent);
  }

  async leaseUses(materialId: string, count: number): Promise<number> {
    const { uses } = await this.#write([{ kind: 'add-uses', materialId, count }]);
    return uses as number;
  }

  async setMark(name: string, value: string | undefined): Promise<void> {
    await this.#write([{ kind: 'set-mark', name, value }]);
  }

  async close(): Promise<void> {
    await this.#queue.close();
    this.#lock?.release();
  }

  async #write(steps: readonly WriteStep[]): Promise<Committed> {
    if (this.#readOnly) throw new StoreUnavailableError('the store was opened for reading only');
    if (steps.length > stepsPerTransactionMax) throw new RangeError(`a transaction has at most ${stepsPerTransactionMax} changes`);
    return this.#queue.submit(steps.map(checkedStep));
  }
}

function publish(snapshot: Snapshot, batch: Batch, outcomes: readonly Outcome[]): void {
  outcomes.forEach((outcome, index) => {
    if (outcome.kind !== 'committed') return;
    for (const step of batch.transactions[index] ?? []) {
      if (step.kind !== 'add-uses' && step.kind !== 'take-over-intents') snapshot.apply(step);
    }
    for (const record of outcome.intents ?? []) snapshot.apply({ kind: 'put-intent', record: frozenIntent(record) });
  });
  snapshot.generation = batch.generation;
}

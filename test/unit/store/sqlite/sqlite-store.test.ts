/** What the contract suite cannot see: what one flush carries, and what happens when the thread dies or the disk stalls. */
import { EventEmitter } from 'node:events';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Worker } from 'node:worker_threads';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { KeyRecord } from '../../../../src/keys/key-record.ts';
import type { CallMessage } from '../../../../src/store/sqlite/database-calls.ts';
import { startWriterThread } from '../../../../src/store/sqlite/start-writer-thread.ts';
import { StoreConflictError, StoreUnavailableError, type Store } from '../../../../src/store/store.ts';
import { keyIdOf, keyOf, scopeA } from '../../../support/store-records.ts';
import { newSqlitePlace, type SqlitePlace } from '../../../support/sqlite-place.ts';

let place: SqlitePlace;

beforeEach(async () => {
  place = await newSqlitePlace();
});
afterEach(async () => {
  await place.remove();
});

describe('a deleted key', () => {
  test('leaves nothing of its material in the files of a store that was closed', async () => {
    const records = Array.from({ length: 40 }, (_none, number) => keyOf(number));
    const store = await place.open();
    await store.commit(records.map((record) => ({ kind: 'put-key', record, replacesVersion: 0 })));
    await store.commit(records.slice(1).map((record) => ({ kind: 'delete-key', record })));
    await store.close();
    const files = await Promise.all((await readdir(place.directory)).map((name) => readFile(join(place.directory, name))));
    const onDisk = (record: KeyRecord): boolean =>
      files.some((bytes) => bytes.includes(Buffer.from(record.materials[0]!.reference.subarray(0, 32))));
    expect(records.map(onDisk)).toEqual(records.map((_record, number) => number === 0));
  });
});

describe('values that no store can hold', () => {
  test.each([
    ['a lone surrogate', keyOf(1, { description: '\ud800' })],
    ['a colon in a Region', keyOf(1, { region: 'eu:1' })],
    ['an empty account', keyOf(1, { account: '' })],
  ])('%s is refused before it reaches the disk', async (_what, record) => {
    const store = await place.open();
    await expect(store.commit([{ kind: 'put-key', record, replacesVersion: 0 }])).rejects.toBeInstanceOf(RangeError);
    await store.close();
  });

  test('a transaction that the database refuses fails alone; those of the same flush succeed', async () => {
    const store = await place.open();
    const bad = keyOf(1, { createdAtMs: 1.5 });
    const outcomes = await Promise.allSettled([
      store.commit([{ kind: 'put-key', record: keyOf(2), replacesVersion: 0 }]),
      store.commit([{ kind: 'put-key', record: bad, replacesVersion: 0 }]),
      store.commit([{ kind: 'put-key', record: keyOf(3), replacesVersion: 0 }]),
    ]);
    expect(outcomes.map((outcome) => outcome.status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
    expect((outcomes[1] as PromiseRejectedResult).reason).toBeInstanceOf(RangeError);
    expect(store.generation).toBe(1);
    await store.close();
  });
});

/** A thread whose messages can be counted, swallowed or answered by its death. */
class TappedThread extends EventEmitter {
  readonly writes: number[] = [];
  readonly #worker = startWriterThread();
  #held: (() => void)[] = [];
  mode: 'pass' | 'die-before-write' | 'die-after-write' | 'hold-answers' = 'pass';

  constructor() {
    super();
    for (const event of ['error', 'exit']) this.#worker.on(event, (value) => this.emit(event, value));
    this.#worker.on('message', (reply) => {
      const deliver = (): boolean => this.emit('message', reply);
      if (this.mode === 'die-after-write') void this.#worker.terminate();
      else if (this.mode === 'hold-answers') this.#held.push(deliver);
      else deliver();
    });
  }

  postMessage(call: CallMessage): void {
    if (call.method === 'write') this.writes.push((call.argument as { transactions: unknown[] }).transactions.length);
    if (call.method === 'write' && this.mode === 'die-before-write') void this.#worker.terminate();
    else this.#worker.postMessage(call, []);
  }

  release(): void {
    this.mode = 'pass';
    for (const deliver of this.#held.splice(0)) deliver();
  }

  async terminate(): Promise<number> {
    return this.#worker.terminate();
  }
}

describe('the database thread', () => {
  const threads: TappedThread[] = [];
  let store: Store;
  const open = async (options: { commitTimeoutMs?: number } = {}): Promise<void> => {
    threads.length = 0;
    const startThread = (): Worker => {
      const thread = new TappedThread();
      threads.push(thread);
      return thread as unknown as Worker;
    };
    store = await place.open({ startThread, ...options });
  };
  const create = async (number: number): Promise<void> => store.commit([{ kind: 'put-key', record: keyOf(number), replacesVersion: 0 }]);
  const present = (): number[] => [1, 2, 3, 4].filter((number) => store.key(scopeA, keyIdOf(number)) !== undefined);

  afterEach(async () => {
    await store.close();
  });

  test('transactions that wait for the disk go into one flush', async () => {
    await open();
    const all = Array.from({ length: 100 }, async (_, number) => create(number));
    const late = all[0]!.then(async () => Promise.all([create(200), create(201)]));
    await Promise.all([...all, late]);
    expect(threads[0]!.writes).toEqual([100, 2]);
  });

  test('a change is not visible before it is on disk', async () => {
    await open();
    threads[0]!.mode = 'hold-answers';
    const writing = create(1);
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(present()).toEqual([]);
    threads[0]!.release();
    await writing;
    expect(present()).toEqual([1]);
  });

  test('dies before it wrote: the caller is told so, nothing happened, and the next write works in a new thread', async () => {
    await open();
    await create(1);
    threads[0]!.mode = 'die-before-write';
    await expect(create(2)).rejects.toMatchObject({ name: 'StoreUnavailableError', mayHaveApplied: false });
    expect(present()).toEqual([1]);
    await create(3);
    expect(present()).toEqual([1, 3]);
    expect(threads).toHaveLength(2);
  });

  test('dies after it wrote: the database tells each caller the true outcome', async () => {
    await open();
    await create(1);
    threads[0]!.mode = 'die-after-write';
    const outcomes = await Promise.allSettled([create(2), create(1), store.leaseUses('m', 5)]);
    expect(outcomes[0]).toMatchObject({ status: 'fulfilled' });
    expect((outcomes[1] as PromiseRejectedResult).reason).toBeInstanceOf(StoreConflictError);
    expect(outcomes[2]).toMatchObject({ status: 'fulfilled', value: 5 });
    expect(present()).toEqual([1, 2]);
    await create(3);
    expect(present()).toEqual([1, 2, 3]);
  });

  test('dies while idle: the next write starts a new one', async () => {
    await open();
    await threads[0]!.terminate();
    await create(1);
    expect(present()).toEqual([1]);
  });

  test('a disk that does not answer in time: callers are let go, reads go on, and the write shows when it ends', async () => {
    await open({ commitTimeoutMs: 150 });
    threads[0]!.mode = 'hold-answers';
    await expect(create(1)).rejects.toMatchObject({ name: 'StoreUnavailableError', mayHaveApplied: true });
    await expect(create(2)).rejects.toMatchObject({ name: 'StoreUnavailableError', mayHaveApplied: false });
    expect(present()).toEqual([]);
    threads[0]!.release();
    await expect.poll(present).toEqual([1]);
    await create(3);
    expect(present()).toEqual([1, 3]);
  });

  test('a queue that is full refuses more, and says to try again', async () => {
    await open();
    const outcomes = await Promise.allSettled(Array.from({ length: 10_001 }, async (_, number) => store.setMark(`m${number}`, 'x')));
    const refused = outcomes.filter((outcome) => outcome.status === 'rejected');
    expect(refused).toHaveLength(1);
    expect(refused[0]!.reason).toBeInstanceOf(StoreUnavailableError);
    expect(store.mark('m9999')).toBe('x');
  });
});

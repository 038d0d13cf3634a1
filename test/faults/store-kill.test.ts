/** kill -9 at random moments: what was acknowledged is there, and nothing is half there. HSM_KMS_KILLS sets how often, HSM_KMS_SEED the moments. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { env, execPath } from 'node:process';
import { expect, test } from 'vitest';
import { scopeA, keyIdOf, keyOf, intentOf } from '../support/store-records.ts';
import { newSqlitePlace } from '../support/sqlite-place.ts';
import type { Store } from '../../src/store/store.ts';

const kills = Number(env['HSM_KMS_KILLS'] ?? (env['HSM_KMS_TEST_FULL'] === undefined ? 30 : 200));
const seed = Number(env['HSM_KMS_SEED'] ?? 20_261_123);
const writer = new URL('../support/store-writer-process.ts', import.meta.url).pathname;

/** Uniform in [0, 1), the same for the same seed (mulberry32). */
function randomOf(state: number): () => number {
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Numbers that a writer acknowledged before it was killed, `afterMs` after it was ready. */
async function writeUntilKilled(directory: string, first: number, afterMs: number): Promise<number[]> {
  const child = spawn(execPath, ['--import', 'tsx', writer, directory, String(first)], { stdio: ['ignore', 'pipe', 'inherit'] });
  const exit = once(child, 'exit');
  const acknowledged: number[] = [];
  for await (const line of createInterface({ input: child.stdout })) {
    if (line === 'ready') setTimeout(() => child.kill('SIGKILL'), afterMs);
    else if (line.endsWith(' done')) acknowledged.push(Number.parseInt(line, 10));
    else throw new Error(`the writer could not write: ${line}`);
  }
  expect(await exit).toEqual([null, 'SIGKILL']);
  return acknowledged;
}

function expectWhole(store: Store, number: number): void {
  expect(store.key(scopeA, keyIdOf(number))).toStrictEqual(keyOf(number));
  expect(store.alias(scopeA, `alias/${number}`)?.targetKeyId).toBe(keyIdOf(number));
}

test(
  `${kills} kills lose no acknowledged transaction and leave no half of one (seed ${seed})`,
  { timeout: 60_000 + kills * 5_000 },
  async () => {
    const place = await newSqlitePlace();
    const random = randomOf(seed);
    const acknowledged = new Set<number>();
    let first = 0;
    try {
      for (let kill = 0; kill < kills; kill++) {
        for (const number of await writeUntilKilled(place.directory, first, random() * 80)) acknowledged.add(number);
        const store = await place.open();
        const present = [...store.allKeys()].map((key) => Number.parseInt(key.description.slice('key '.length), 10));
        for (const number of acknowledged) expect(store.key(scopeA, keyIdOf(number)), `acknowledged ${number}`).toBeDefined();
        for (const number of present.filter((number) => number >= first)) expectWhole(store, number);
        const intents = store.intents().map((intent) => intent.intentId);
        expect(intents.toSorted()).toEqual(present.map((number) => intentOf(number).intentId).toSorted());
        expect(store.listAliases(scopeA, undefined, undefined, present.length + 1).items).toHaveLength(present.length);
        first = Math.max(first, ...present.map((number) => number + 1));
        await store.close();
      }
      console.log(`${kills} kills, ${acknowledged.size} acknowledged transactions, all there`);
      expect(acknowledged.size).toBeGreaterThan(kills);
    } finally {
      await place.remove();
    }
  },
);

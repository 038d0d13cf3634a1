/**
 * A process that commits to a SQLite store as fast as it can, eight writers at once, and writes one line for each act:
 * `ready`, then `<number> done` or `<number> <error>`. Transaction <number> makes a key, its alias and an
 * intent, so that a half of it would show. Arguments: data directory, first number, how many (0 = until killed).
 */
import { writeSync } from 'node:fs';
import { argv } from 'node:process';
import { systemClock } from '../../src/clock.ts';
import { silentLog } from '../../src/log.ts';
import { openSqliteStore } from '../../src/store/sqlite/sqlite-store.ts';
import { aliasOf, intentOf, keyIdOf, keyOf } from './store-records.ts';

const [directory = '', first = '0', count = '0'] = argv.slice(2);
const store = await openSqliteStore({ directory, clock: systemClock, log: silentLog });
const say = (line: string): void => void writeSync(1, `${line}\n`);
const end = count === '0' ? Infinity : Number(first) + Number(count);
let next = Number(first);

async function write(): Promise<void> {
  while (next < end) {
    const number = next++;
    try {
      await store.commit([
        { kind: 'put-key', record: keyOf(number), replacesVersion: 0 },
        { kind: 'put-alias', record: aliasOf(`alias/${number}`, keyIdOf(number)), replacesVersion: 0 },
        { kind: 'put-intent', record: intentOf(number) },
      ]);
      say(`${number} done`);
    } catch (error) {
      say(`${number} ${(error as Error).name}: ${(error as Error).message}`);
    }
  }
}

say('ready');
await Promise.all(Array.from({ length: 8 }, write));
await store.close();

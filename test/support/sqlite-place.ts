/** A throw-away data directory with a SQLite store in it. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock } from '../../src/clock.ts';
import { silentLog } from '../../src/log.ts';
import { openSqliteStore, type SqliteStoreOptions } from '../../src/store/sqlite/sqlite-store.ts';
import type { Store } from '../../src/store/store.ts';
import type { StorePlace } from '../contract/store-contract.ts';

export interface SqlitePlace extends StorePlace {
  readonly directory: string;
  open(options?: Partial<SqliteStoreOptions>): Promise<Store>;
}

export async function newSqlitePlace(): Promise<SqlitePlace> {
  const directory = join(await mkdtemp(join(tmpdir(), 'hsm-kms-store-')), 'data');
  return {
    directory,
    durable: true,
    open: async (options = {}) => openSqliteStore({ directory, clock: systemClock, log: silentLog, ...options }),
    remove: async () => rm(join(directory, '..'), { recursive: true, force: true }),
  };
}

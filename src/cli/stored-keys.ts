/** The store as operators' commands read it, beside a running daemon: without asking it, and without locking the data directory. */
import type { Command } from 'commander';
import { systemClock } from '../clock.ts';
import { loadConfig } from '../config/load-config.ts';
import { keyArn } from '../keys/arn.ts';
import type { KeyRecord } from '../keys/key-record.ts';
import { silentLog } from '../log.ts';
import { openSqliteStore } from '../store/sqlite/sqlite-store.ts';
import type { Store } from '../store/store.ts';
import { configFlags } from './options.ts';
import { CommandError } from './terminal.ts';

/** Lends the store of the command's data directory to `use`. */
export async function withStore<T>(command: Command, use: (store: Store) => T): Promise<T> {
  const { dataDirectory } = loadConfig(configFlags(command));
  const store = await openSqliteStore({ directory: dataDirectory, clock: systemClock, log: silentLog, readOnly: true });
  try {
    return use(store);
  } finally {
    await store.close();
  }
}

/** All keys of that id, ARN or alias: replicas share an id, and accounts may share an alias. Throws CommandError when there is none. */
export function keysNamed(store: Store, name: string): readonly KeyRecord[] {
  const found = [...store.allKeys()].filter((key) => isNamed(store, key, name));
  if (found.length === 0) throw new CommandError(`no key '${name}' is known here`, { hints: ['hsm-kms keys list shows all of them'] });
  return found;
}

function isNamed(store: Store, key: KeyRecord, name: string): boolean {
  return name === key.keyId || name === keyArn(key) || store.alias(key, name)?.targetKeyId === key.keyId;
}

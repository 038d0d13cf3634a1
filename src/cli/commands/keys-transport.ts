/** `hsm-kms keys transport`: the keys by which key stores know each other when they exchange materials of multi-Region keys. */
import { Command } from 'commander';
import { toBase64 } from '../../bytes.ts';
import { systemClock } from '../../clock.ts';
import { loadConfig } from '../../config/load-config.ts';
import { openKeyStore } from '../../daemon/open-key-store.ts';
import { ComputingThreads } from '../../keystore/computing/computing-threads.ts';
import { transportFingerprint } from '../../keystore/pinned-peers.ts';
import { silentLog } from '../../log.ts';
import { openSqliteStore } from '../../store/sqlite/sqlite-store.ts';
import { askSecret } from '../ask-secret.ts';
import { configFlags, withConfigOptions } from '../options.ts';
import { columns, CommandError, printData, printJson } from '../terminal.ts';
import type { Config, KeyStoreConfig } from '../../config/config.ts';
import type { Store } from '../../store/store.ts';

interface TransportKey {
  readonly keyStore: string;
  readonly fingerprint: string;
  /** DER SubjectPublicKeyInfo in base64. */
  readonly publicKey: string;
}

export function transportCommand(): Command {
  return withConfigOptions(new Command('transport'))
    .description('show the transport keys of the software key stores, whose fingerprints the other stores pin')
    .option('--json', 'print JSON')
    .action(async (options: { json?: boolean }, command: Command) => {
      const keys = await transportKeys(loadConfig(configFlags(command)));
      if (options.json === true) return printJson(keys);
      const rows = keys.map(({ keyStore, fingerprint, publicKey }) => [keyStore, fingerprint, publicKey]);
      return printData(columns([['KEY STORE', 'FINGERPRINT', 'PUBLIC KEY'], ...rows]));
    });
}

async function transportKeys(config: Config): Promise<readonly TransportKey[]> {
  const store = await openSqliteStore({ directory: config.dataDirectory, clock: systemClock, log: silentLog, readOnly: true });
  try {
    const software = config.keyStores.filter(({ kind }) => kind === 'software');
    return await Promise.all(software.map((keyStore) => transportKeyOf(keyStore, store)));
  } finally {
    await store.close();
  }
}

async function transportKeyOf(config: KeyStoreConfig, store: Store): Promise<TransportKey> {
  if (config.kind === 'software' && config.rootKey.kind === 'token') {
    throw new CommandError(`the root key of ${config.name} is in a token, which this command does not open`, {
      hints: ['the running service writes the fingerprint into its log when it opens the key store'],
    });
  }
  const threads = new ComputingThreads();
  const secrets = { environment: process.env, prompt: askSecret };
  const parts = { clock: systemClock, log: silentLog, secrets, store, threads, tokens: new Map(), findKeyStore: () => undefined };
  const keyStore = await openKeyStore(config, parts);
  try {
    const publicKey = (await keyStore.transportPublicKey?.()) ?? new Uint8Array(0);
    return { keyStore: config.name, fingerprint: transportFingerprint(publicKey), publicKey: toBase64(publicKey) };
  } finally {
    await keyStore.close();
    await threads.close();
  }
}

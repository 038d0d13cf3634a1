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
import { columns, CommandError, printData, printJson, say } from '../terminal.ts';
import type { Config, KeyStoreConfig } from '../../config/config.ts';
import type { Store } from '../../store/store.ts';

interface TransportKey {
  readonly keyStore: string;
  readonly fingerprint: string;
  /** DER SubjectPublicKeyInfo in base64. */
  readonly publicKey: string;
}

/** A key store whose transport key cannot be shown, and why. */
interface Unopened {
  readonly keyStore: string;
  readonly reason: string;
}

export function transportCommand(): Command {
  return withConfigOptions(new Command('transport'))
    .description('show the transport keys of the software key stores, whose fingerprints the other stores pin')
    .option('--json', 'print JSON')
    .action(async (options: { json?: boolean }, command: Command) => {
      const asked = await transportKeys(loadConfig(configFlags(command)));
      const keys = asked.filter((answer) => 'fingerprint' in answer);
      for (const answer of asked) if ('reason' in answer) say(`the transport key of ${answer.keyStore} is not shown: ${answer.reason}`);
      if (keys.length === 0) throw new CommandError('no software key store has shown a transport key');
      if (options.json === true) return printJson(keys);
      const rows = keys.map(({ keyStore, fingerprint, publicKey }) => [keyStore, fingerprint, publicKey]);
      return printData(columns([['KEY STORE', 'FINGERPRINT', 'PUBLIC KEY'], ...rows]));
    });
}

async function transportKeys(config: Config): Promise<readonly (TransportKey | Unopened)[]> {
  const store = await openSqliteStore({ directory: config.dataDirectory, clock: systemClock, log: silentLog, readOnly: true });
  try {
    const software = config.keyStores.filter(({ kind }) => kind === 'software');
    return await Promise.all(software.map((keyStore) => transportKeyOf(keyStore, store)));
  } finally {
    await store.close();
  }
}

/** One store that does not open says nothing about the others. */
async function transportKeyOf(config: KeyStoreConfig, store: Store): Promise<TransportKey | Unopened> {
  const { name: keyStore } = config;
  if (config.kind === 'software' && config.rootKey.kind === 'token') {
    const reason = 'its root key is in a token, which this command does not open; the service writes the fingerprint into its log at start';
    return { keyStore, reason };
  }
  try {
    const publicKey = await transportPublicKeyOf(config, store);
    return { keyStore, fingerprint: transportFingerprint(publicKey), publicKey: toBase64(publicKey) };
  } catch (error) {
    return { keyStore, reason: error instanceof Error ? error.message : String(error) };
  }
}

async function transportPublicKeyOf(config: KeyStoreConfig, store: Store): Promise<Uint8Array> {
  const threads = new ComputingThreads();
  const secrets = { environment: process.env, prompt: askSecret };
  const parts = { clock: systemClock, log: silentLog, secrets, store, threads, tokens: new Map(), findKeyStore: () => undefined };
  try {
    const keyStore = await openKeyStore(config, parts);
    try {
      const publicKey = await keyStore.transportPublicKey?.();
      if (publicKey === undefined) throw new Error('it has none');
      return publicKey;
    } finally {
      await keyStore.close();
    }
  } finally {
    await threads.close();
  }
}

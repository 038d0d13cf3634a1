/** `hsm-kms root-key backup|reseal`: what an operator needs so that a changed TPM does not cost the keys of a software key store. */
import { resolve } from 'node:path';
import { Command } from 'commander';
import { systemClock } from '../../clock.ts';
import type { Config, KeyStoreConfig, TpmReference } from '../../config/config.ts';
import { loadConfig } from '../../config/load-config.ts';
import { readRootKeyFile, writeRootKeyFile } from '../../keystore/software/root-key-file.ts';
import { proveRootKey } from '../../keystore/software/root-key-proof.ts';
import { openRootKey, resealRootKey } from '../../keystore/software/tpm-root-key.ts';
import { silentLog } from '../../log.ts';
import type { SecretBytes } from '../../secret-bytes.ts';
import { openSqliteStore } from '../../store/sqlite/sqlite-store.ts';
import { configFlags, withConfigOptions } from '../options.ts';
import { CommandError, say } from '../terminal.ts';

interface RootKeyOptions {
  readonly keyStore?: string;
}

type SealedStore = Extract<KeyStoreConfig, { kind: 'software' }> & { readonly rootKey: TpmReference };

export function rootKeyCommand(): Command {
  return new Command('root-key')
    .description('back up a root key that is sealed to a TPM, or seal it again')
    .addCommand(backupCommand())
    .addCommand(resealCommand());
}

function rootKeySubcommand(name: string): Command {
  return withConfigOptions(new Command(name)).option(
    '--key-store <name>',
    'name of the software key store (default: the only one with a TPM)',
  );
}

const backupExplanation = `
Without a copy, a TPM that is broken, cleared or replaced, or a firmware that is updated, costs every key of the store. Whoever has the
copy and the data directory has the keys: put it on a medium that is kept apart and offline, and remove it here.`;

function backupCommand(): Command {
  return rootKeySubcommand('backup')
    .description('write the root key, in clear, to a new file')
    .addHelpText('after', backupExplanation)
    .argument('<file>', 'file to write: 32 bytes, readable by this user only')
    .action(async (file: string, options: RootKeyOptions, command: Command) => {
      const store = chooseStore(loadConfig(configFlags(command)), options.keyStore);
      await withRootKey(openRootKey(store.rootKey), async (rootKey) => {
        if (!(await writeRootKeyFile(resolve(file), rootKey))) throw new CommandError(`${file} is there already; nothing was written`);
      });
      say(`wrote the root key of ${store.name} to ${file}, in clear`, ['move it to a medium that is kept offline, then remove it here']);
    });
}

const resealExplanation = `
With --from, the root key comes from its backup: for another TPM, or after an update of the firmware. It is taken only when it opens every
key of the store. Without, it comes from the TPM: before anything changes, or to seal it to other PCRs.`;

function resealCommand(): Command {
  return rootKeySubcommand('reseal')
    .description('seal the root key to the TPM as it is now, and to the PCRs of the configuration')
    .addHelpText('after', resealExplanation)
    .option('--from <backup>', 'file that hsm-kms root-key backup wrote')
    .action(async (options: RootKeyOptions & { from?: string }, command: Command) => {
      const config = loadConfig(configFlags(command));
      const store = chooseStore(config, options.keyStore);
      const source = options.from === undefined ? openRootKey(store.rootKey, { pcrsMustMatch: false }) : readBackup(options.from);
      await withRootKey(source, async (rootKey) => {
        const count = await proveOnKeys(config, store.name, rootKey);
        await resealRootKey(store.rootKey, rootKey);
        const pcrs = store.rootKey.pcrs.join(', ') || 'none';
        say(`sealed the root key of ${store.name} to PCR ${pcrs}; it opens all ${count} materials of the store`);
      });
    });
}

async function readBackup(file: string): Promise<SecretBytes> {
  const rootKey = await readRootKeyFile(resolve(file));
  if (rootKey === undefined) throw new CommandError(`there is no file ${file}`);
  return rootKey;
}

/** Beside a running daemon: reads the store, and does not lock it. */
async function proveOnKeys(config: Config, storeName: string, rootKey: SecretBytes): Promise<number> {
  const store = await openSqliteStore({ directory: config.dataDirectory, clock: systemClock, log: silentLog, readOnly: true });
  try {
    return proveRootKey(rootKey, store.allKeys(), storeName);
  } finally {
    await store.close();
  }
}

async function withRootKey(source: Promise<SecretBytes>, use: (rootKey: SecretBytes) => Promise<void>): Promise<void> {
  const rootKey = await source;
  try {
    await use(rootKey);
  } finally {
    rootKey.wipe();
  }
}

function chooseStore({ keyStores }: Config, name: string | undefined): SealedStore {
  const sealed = keyStores.filter((store): store is SealedStore => store.kind === 'software' && store.rootKey.kind === 'tpm');
  const [chosen, ...others] = name === undefined ? sealed : sealed.filter((store) => store.name === name);
  const names = sealed.map((store) => store.name).join(', ');
  if (chosen === undefined)
    throw new CommandError(
      name === undefined ? 'no key store has its root key sealed to a TPM' : `the root key of ${name} is not sealed to a TPM`,
    );
  if (others.length > 0)
    throw new CommandError('several key stores have a root key that is sealed to a TPM', {
      hints: [`choose one with --key-store: ${names}`],
    });
  return chosen;
}

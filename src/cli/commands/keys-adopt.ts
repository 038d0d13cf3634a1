/** `hsm-kms keys adopt`: a key that others made in a token becomes a KMS key, while the daemon is stopped. */
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { Command, InvalidArgumentError, Option } from 'commander';
import { toHex } from '../../bytes.ts';
import { systemClock } from '../../clock.ts';
import type { Config, KeyStoreConfig } from '../../config/config.ts';
import { loadConfig } from '../../config/load-config.ts';
import { pinLatchDirectory, pinSource } from '../../config/pin-source.ts';
import { CloseStack } from '../../daemon/close-stack.ts';
import { openKeyStore } from '../../daemon/open-key-store.ts';
import { KmsError } from '../../errors.ts';
import { keyArn } from '../../keys/arn.ts';
import type { Custody, KeyUsage } from '../../keys/key-record.ts';
import { partitionOf } from '../../keys/partition.ts';
import { ComputingThreads } from '../../keystore/computing/computing-threads.ts';
import { KeyStoreError } from '../../keystore/keystore.ts';
import type { KeyStore } from '../../keystore/keystore.ts';
import { silentLog } from '../../log.ts';
import { adoptKey } from '../../operations/adopt-key.ts';
import type { AdoptedKey, KeyAdoption } from '../../operations/adopt-key.ts';
import { openSqliteStore } from '../../store/sqlite/sqlite-store.ts';
import type { Store } from '../../store/store.ts';
import { openToken } from '../../token/open-token.ts';
import { FilePinLatch } from '../../token/pin-latch.ts';
import { askSecret } from '../ask-secret.ts';
import { configFlags, withConfigOptions } from '../options.ts';
import { CommandError, printData, printJson, say } from '../terminal.ts';

interface AdoptOptions {
  readonly keyStore: string;
  readonly label?: string;
  readonly id?: Uint8Array;
  readonly keySpec?: string;
  readonly keyUsage?: KeyUsage;
  readonly account: string;
  readonly region?: string;
  readonly alias?: string;
  readonly description: string;
  readonly custody: Custody;
  readonly dryRun?: boolean;
  readonly json?: boolean;
}

type TokenStoreConfig = Extract<KeyStoreConfig, { readonly kind: 'pkcs11' }>;

const usages: readonly KeyUsage[] = ['ENCRYPT_DECRYPT', 'SIGN_VERIFY', 'GENERATE_VERIFY_MAC', 'KEY_AGREEMENT'];

const explanation = `
Takes AES-256 keys, RSA, elliptic curve and Ed25519 private keys, and generic secret keys of an HMAC's length. The key stays as it is: no
attribute changes, and no copy is made. It is judged first: SENSITIVE, not EXTRACTABLE, PRIVATE, one CKA_ID of its own, and one use. An
AES key with ENCRYPT and DECRYPT is used with AES-GCM itself, one with DERIVE derives the keys that encrypt; one that permits more is
refused. Other shortcomings (MODIFIABLE, made or once readable outside of the token, flags besides the one use) are listed and refused,
unless --custody reduced accepts them, which the key then says wherever it is shown. The public half of a pair comes from the private key
or the public key object of the same CKA_ID, and both prove each other.

The daemon must be stopped, since it locks the data directory. From then on the object is the KMS key's: deleting the KMS key destroys it
in the token, for every program that uses it.`;

export function adoptCommand(): Command {
  return withConfigOptions(new Command('adopt'))
    .description('make a key that is in a token already a KMS key; the daemon must be stopped')
    .requiredOption('--key-store <name>', 'key store on the token, of residency "token"')
    .option('--label <label>', 'CKA_LABEL of the key')
    .option('--id <hex>', 'CKA_ID of the key', parseHex)
    .option('--key-spec <spec>', 'what the key is expected to be (default: found out)')
    .addOption(new Option('--key-usage <usage>', 'needed for private keys that permit two').choices(usages))
    .option('--account <id>', 'AWS account of the KMS key', parseAccount, '000000000000')
    .option('--region <region>', 'Region of the KMS key (default: the first that the key store serves)')
    .option('--alias <name>', 'alias to make, with its prefix alias/')
    .option('--description <text>', 'description of the KMS key', '')
    .addOption(
      new Option('--custody <custody>', 'reduced: accept the weaknesses that are listed').choices(['full', 'reduced']).default('full'),
    )
    .option('--dry-run', 'judge and prove the key, and change nothing')
    .option('--json', 'print JSON')
    .addHelpText('after', explanation)
    .action(async (options: AdoptOptions, command: Command) => {
      const config = loadConfig(configFlags(command));
      const adopted = await explained(() => adopt(config, options));
      report(adopted, options);
    });
}

async function adopt(config: Config, options: AdoptOptions): Promise<AdoptedKey> {
  if (options.label === undefined && options.id === undefined)
    throw new CommandError('which key?', { hints: ['name it with --label or --id'] });
  const entry = keyStoreOf(config, options.keyStore);
  const adoption = adoptionOf(config, options);
  const opened = new CloseStack(silentLog);
  try {
    const store = await openSqliteStore({ directory: config.dataDirectory, clock: systemClock, log: silentLog });
    opened.push('store', () => store.close());
    const keyStore = await openTokenStore(config, entry, store, opened);
    const sharing = config.keyStores.filter((other) => other.kind === 'pkcs11' && other.token === entry.token);
    return await adoptKey(adoption, keyStore, new Set(sharing.map(({ name }) => name)), { store, clock: systemClock, randomBytes });
  } finally {
    await opened.close();
  }
}

function keyStoreOf({ keyStores }: Config, name: string): TokenStoreConfig {
  const entry = keyStores.find((keyStore) => keyStore.name === name);
  if (entry?.kind === 'pkcs11') return entry;
  const names = keyStores.flatMap((keyStore) => (keyStore.kind === 'pkcs11' ? [keyStore.name] : []));
  throw new CommandError(entry === undefined ? `there is no key store '${name}'` : `the key store '${name}' is not in a token`, {
    hints: [`key stores on tokens: ${names.join(', ') || 'none'}`],
  });
}

function adoptionOf({ regions }: Config, options: AdoptOptions): KeyAdoption {
  const { label, id, keySpec, keyUsage, account, alias, description, custody, dryRun = false } = options;
  const region = options.region ?? regions.find(({ keyStore }) => keyStore === options.keyStore)?.region;
  if (region === undefined)
    throw new CommandError(`no Region has the key store '${options.keyStore}'`, { hints: ['name a Region with --region'] });
  return {
    scope: { partition: partitionOf(region), account, region },
    custody,
    description,
    dryRun,
    ...(label !== undefined && { label }),
    ...(id !== undefined && { objectId: id }),
    ...(keySpec !== undefined && { keySpec }),
    ...(keyUsage !== undefined && { keyUsage }),
    ...(alias !== undefined && { aliasName: alias }),
  };
}

/** The key store with its token, as the daemon opens them: a PIN that was refused before is not offered. */
async function openTokenStore(config: Config, entry: TokenStoreConfig, store: Store, opened: CloseStack): Promise<KeyStore> {
  const tokenConfig = config.tokens.find(({ name }) => name === entry.token);
  if (tokenConfig === undefined) throw new CommandError(`the configuration has no token '${entry.token}'`);
  const secrets = { environment: process.env, prompt: askSecret };
  const pinLatch = new FilePinLatch(join(config.dataDirectory, pinLatchDirectory));
  const token = await openToken(tokenConfig, { pin: pinSource(tokenConfig, secrets), pinLatch, clock: systemClock, log: silentLog });
  opened.push('token', () => token.close());
  const threads = new ComputingThreads();
  opened.push('computing threads', () => threads.close());
  const tokens = new Map([[entry.token, { token, epochKeysMax: tokenConfig.epochKeysMax }]]);
  const parts = { clock: systemClock, log: silentLog, secrets, store, threads, tokens, findKeyStore: () => undefined };
  const keyStore = await openKeyStore(entry, parts);
  opened.push('key store', () => keyStore.close());
  return keyStore;
}

/** What refuses the key, as words for a person. */
async function explained<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof KeyStoreError) && !(error instanceof KmsError)) throw error;
    const words = error.message.charAt(0).toLowerCase() + error.message.slice(1).replace(/\.$/, '');
    throw new CommandError(words, { hints: ['nothing was changed'], cause: error });
  }
}

function report({ record, weaknesses }: AdoptedKey, { dryRun, json }: AdoptOptions): void {
  const { keySpec, keyUsage, keyId } = record;
  const [material] = record.materials;
  const custody = material?.custody ?? 'full';
  const objectId = toHex(material?.reference ?? new Uint8Array());
  if (json === true) {
    const names = dryRun === true ? {} : { arn: keyArn(record), keyId };
    printJson({ ...names, keySpec, keyUsage, objectId, suite: material?.suite, custody, weaknesses });
  } else {
    printData(dryRun === true ? `${keySpec} ${keyUsage}` : keyArn(record));
  }
  say(`${dryRun === true ? 'can be adopted' : 'adopted'}: ${keySpec} for ${keyUsage}, custody ${custody}`, weaknesses);
  say('deleting this KMS key will destroy the object in the token, for every program that uses it');
  if (material?.suite === 'direct') {
    say('uses of the key outside of this service are not known', [
      'its ciphertexts are counted from here on; other programs that encrypt with it bring the limit of AES-GCM nearer: let none',
    ]);
  }
}

function parseHex(text: string): Uint8Array {
  if (/^([0-9a-f]{2})+$/i.test(text)) return Uint8Array.from(Buffer.from(text, 'hex'));
  throw new InvalidArgumentError('Hexadecimal digits are needed, two for each byte.');
}

function parseAccount(text: string): string {
  if (/^\d{12}$/.test(text)) return text;
  throw new InvalidArgumentError('An account has 12 digits.');
}

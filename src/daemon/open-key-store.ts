/** One entry of `keyStores:` as an open key store. */
import type { Clock } from '../clock.ts';
import type { KeyStoreConfig, RootKeyReference } from '../config/config.ts';
import { readSecret, type SecretSources } from '../config/secret-source.ts';
import type { KeyStore } from '../keystore/keystore.ts';
import type { ComputingThreads } from '../keystore/computing/computing-threads.ts';
import { pinnedPeers } from '../keystore/pinned-peers.ts';
import { openPkcs11KeyStore } from '../keystore/pkcs11/key-store.ts';
import { tokenRootKey } from '../keystore/pkcs11/token-root-key.ts';
import { openSoftwareKeyStore } from '../keystore/software/key-store.ts';
import { loadRootKey } from '../keystore/software/root-key-file.ts';
import { tpmRootKey } from '../keystore/software/tpm-root-key.ts';
import type { Log } from '../log.ts';
import { leasesNotingWear } from '../operations/sweeps/worn-materials.ts';
import { SecretBytes } from '../secret-bytes.ts';
import type { Store } from '../store/store.ts';
import type { Token } from '../token/token.ts';

const rootKeyBytes = 32;

export interface KeyStoreParts {
  readonly clock: Clock;
  readonly log: Log;
  readonly secrets: SecretSources;
  readonly store: Store;
  readonly threads: ComputingThreads;
  /** Open tokens by name, with what their configuration allows for epoch keys. */
  readonly tokens: ReadonlyMap<string, { readonly token: Token; readonly epochKeysMax: number }>;
  /** Another key store, once all are open. */
  readonly findKeyStore: (name: string) => KeyStore | undefined;
}

/** Opens a key store. Rejects with an Error that says what to do. */
export async function openKeyStore(config: KeyStoreConfig, parts: KeyStoreParts): Promise<KeyStore> {
  const { clock, store, threads } = parts;
  const log = parts.log.child({ keyStore: config.name });
  const leases = leasesNotingWear(store);
  if (config.kind === 'software') {
    const { name, transport } = config;
    const transportPeers = pinnedPeers({ name, protection: 'SOFTWARE' }, transport?.pins ?? [], parts.findKeyStore);
    return openSoftwareKeyStore(config, { clock, log, leases, threads, transportPeers, rootKey: await rootKeyOf(config, parts) });
  }
  const open = openTokenOf(config.name, config.token, parts);
  const transportPeers = pinnedPeers({ name: config.name, protection: 'HSM' }, config.transport?.pins ?? [], parts.findKeyStore);
  return openPkcs11KeyStore(config, open.token, { clock, log, leases, transportPeers, epochKeysMax: open.epochKeysMax });
}

function openTokenOf(keyStore: string, token: string, { tokens }: KeyStoreParts): { readonly token: Token; readonly epochKeysMax: number } {
  const open = tokens.get(token);
  if (open === undefined) throw new Error(`the key store ${keyStore} needs the token ${token}, which is not open`);
  return open;
}

/** A root key is made only while no key is sealed under it: a new root key would open none of them. */
async function rootKeyOf(
  config: { readonly name: string; readonly rootKey: RootKeyReference },
  parts: KeyStoreParts,
): Promise<SecretBytes> {
  const whenMissing = holdsKeys(parts.store, config.name) ? 'refuse' : 'create';
  if (config.rootKey.kind === 'file') return loadRootKey(config.rootKey.path, whenMissing);
  if (config.rootKey.kind === 'tpm') {
    const { file } = config.rootKey;
    // From the first key on it is too late to say so.
    if (whenMissing === 'create')
      parts.log.warn({ keyStore: config.name, file }, 'only its TPM opens this root key: keep a backup, made with hsm-kms root-key backup');
    return tpmRootKey(config.rootKey, whenMissing);
  }
  if (config.rootKey.kind === 'token')
    return tokenRootKey(openTokenOf(config.name, config.rootKey.token, parts).token, config.name, whenMissing);
  const what = `root key of key store ${config.name}`;
  const hex = await readSecret(config.rootKey, what, parts.secrets);
  const bytes = hex.expose((text) => Buffer.from(Buffer.from(text).toString('latin1'), 'hex'));
  hex.wipe();
  if (bytes.length !== rootKeyBytes) throw new Error(`the ${what} must be ${2 * rootKeyBytes} hexadecimal digits`);
  return new SecretBytes(bytes);
}

function holdsKeys(store: Store, name: string): boolean {
  for (const key of store.allKeys()) if (key.materials.some((material) => material.keyStore === name)) return true;
  return false;
}

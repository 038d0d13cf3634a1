/** The service of a configuration in this process, without HTTP: its parts, `perform`, and the keys that a benchmark needs. */
import { randomBytes, randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { systemClock } from '../../clock.ts';
import type { Config, TokenConfig } from '../../config/config.ts';
import { pinLatchDirectory, pinSource } from '../../config/pin-source.ts';
import { configuredKeyStores } from '../../daemon/configured-key-stores.ts';
import { openKeyStore } from '../../daemon/open-key-store.ts';
import type { KeyRecord } from '../../keys/key-record.ts';
import { ComputingThreads } from '../../keystore/computing/computing-threads.ts';
import type { KeyStore } from '../../keystore/keystore.ts';
import { type Caller, type Kms, openKms } from '../../kms.ts';
import type { Log } from '../../log.ts';
import { openLog } from '../../log.ts';
import { LastUses } from '../../operations/last-uses.ts';
import { openSqliteStore } from '../../store/sqlite/sqlite-store.ts';
import type { Change, Store } from '../../store/store.ts';
import { openToken } from '../../token/open-token.ts';
import { FilePinLatch } from '../../token/pin-latch.ts';
import type { Token } from '../../token/token.ts';
import { benchAccount, benchPrincipalArn } from '../access-key.ts';
import { unattendedSecrets } from './unattended-secrets.ts';

/** Marks the records that have no material of their own. */
const fillerDescription = 'fills the store of a benchmark';
const fillersPerTransaction = 500;

interface Parts {
  readonly store: Store;
  /** Undefined where the key store needs none. */
  readonly token: Token | undefined;
  readonly keyStore: KeyStore;
  readonly threads: ComputingThreads;
}

export class KmsService {
  readonly store: Store;
  readonly keyStore: KeyStore;
  readonly #parts: Parts;
  readonly #kms: Kms;
  readonly #caller: Caller;

  private constructor(parts: Parts, kms: Kms, region: string) {
    this.store = parts.store;
    this.keyStore = parts.keyStore;
    this.#parts = parts;
    this.#kms = kms;
    this.#caller = callerIn(region);
  }

  /** Opens the first key store of the configuration, and the first token if there is one. */
  static async open(config: Config): Promise<KmsService> {
    const [keyStoreConfig] = config.keyStores;
    if (keyStoreConfig === undefined) throw new Error('The configuration names no key store');
    const log = openLog(config.log.level);
    const store = await openSqliteStore({ directory: config.dataDirectory, clock: systemClock, log });
    const [tokenConfig] = config.tokens;
    const token = tokenConfig && (await openTokenOf(tokenConfig, config.dataDirectory, log));
    const tokens = new Map(token && [[tokenConfig.name, { token, epochKeysMax: tokenConfig.epochKeysMax }]]);
    const threads = new ComputingThreads();
    const surroundings = { clock: systemClock, log, secrets: unattendedSecrets, store, threads, tokens };
    const keyStore = await openKeyStore(keyStoreConfig, { ...surroundings, findKeyStore: () => undefined });
    const keyStores = configuredKeyStores([keyStore], config.regions, config.anyRegion);
    const lastUses = new LastUses(systemClock.nowMs());
    const kms = openKms({ store, keyStores, publicKeys: threads, clock: systemClock, log, randomBytes, ownerId: randomUUID(), lastUses });
    return new KmsService({ store, token, keyStore, threads }, kms, config.regions[0]?.region ?? '');
  }

  async perform(operation: string, input: unknown): Promise<Readonly<Record<string, unknown>>> {
    return (await this.#kms.perform(operation, input, this.#caller)) ?? {};
  }

  /** Makes a key and resolves to its record. */
  async createKey(input: object = {}): Promise<KeyRecord> {
    const { KeyMetadata } = (await this.perform('CreateKey', input)) as { KeyMetadata: { KeyId: string } };
    const record = this.store.key(this.#caller, KeyMetadata.KeyId);
    if (record === undefined) throw new Error('The key that was just made is not in the store');
    return record;
  }

  /** Ids of the keys that can be used. */
  keyIds(): readonly string[] {
    return [...this.store.allKeys()].filter((key) => key.description !== fillerDescription).map((key) => key.keyId);
  }

  /** Closes the key's material and drops its epochs: the next use opens it again. */
  async forget(keyId: string): Promise<void> {
    for (const { materialId } of this.store.key(this.#caller, keyId)?.materials ?? []) await this.keyStore.forget(materialId);
  }

  /**
   * Gives every key an alias and adds records, with aliases, until there are `count` keys. The records are copies of a real key's record under other ids, whose binding does
   * not fit: they are listed and loaded like keys, and cannot be used.
   */
  async fillKeys(count: number): Promise<void> {
    const [model] = this.store.allKeys();
    if (model === undefined) throw new Error('A store is filled with copies of a key, and has none');
    await this.#addAliases();
    for (let missing = count - this.store.countKeys(model); missing > 0; missing -= fillersPerTransaction) {
      await this.store.commit(Array.from({ length: Math.min(missing, fillersPerTransaction) }, () => filler(model)).flat());
    }
  }

  async #addAliases(): Promise<void> {
    for (const key of this.store.allKeys()) if (this.store.countAliases(key, key.keyId) === 0) await this.store.commit([aliasOf(key)]);
  }

  /** Destroys the material of every key, without the waiting period: these keys protect nothing. */
  async destroyKeys(): Promise<void> {
    for (const key of this.store.allKeys()) {
      if (key.description === fillerDescription) continue;
      for (const material of key.materials) await this.keyStore.destroyMaterial({ key, material });
    }
  }

  async close(): Promise<void> {
    await this.keyStore.close();
    await this.#parts.token?.close();
    await this.#parts.threads.close();
    await this.store.close();
  }
}

function openTokenOf(token: TokenConfig, dataDirectory: string, log: Log): Promise<Token> {
  const pinLatch = new FilePinLatch(join(dataDirectory, pinLatchDirectory));
  return openToken(token, { pin: pinSource(token, unattendedSecrets), pinLatch, clock: systemClock, log });
}

function filler(model: KeyRecord): readonly Change[] {
  const keyId = randomUUID();
  const materialId = randomBytes(32).toString('hex');
  const record: KeyRecord = {
    ...model,
    keyId,
    version: 1,
    description: fillerDescription,
    materials: model.materials.map((material) => ({ ...material, materialId })),
    currentMaterialId: materialId,
  };
  return [{ kind: 'put-key', record, replacesVersion: 0 }, aliasOf(record)];
}

function aliasOf({ partition, account, region, keyId, createdAtMs }: KeyRecord): Change {
  const scope = { partition, account, region };
  const record = { ...scope, aliasName: `alias/${keyId}`, targetKeyId: keyId, createdAtMs, updatedAtMs: createdAtMs, version: 1 };
  return { kind: 'put-alias', record, replacesVersion: 0 };
}

function callerIn(region: string): Caller {
  return {
    principalArn: benchPrincipalArn,
    accessKeyId: 'bench',
    partition: 'aws',
    account: benchAccount,
    region,
    sourceAddress: undefined,
    userAgent: undefined,
    secureTransport: false,
    requestId: randomUUID(),
  };
}

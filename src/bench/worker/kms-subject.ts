/** The service as a function, without HTTP: `perform` on a key of its own, over the token and the store of a configuration. */
import { randomBytes, randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { systemClock } from '../../clock.ts';
import type { Config } from '../../config/config.ts';
import { pinLatchDirectory, pinSource } from '../../config/pin-source.ts';
import { configuredKeyStores } from '../../daemon/configured-key-stores.ts';
import { openKeyStore } from '../../daemon/open-key-store.ts';
import { ComputingThreads } from '../../keystore/computing/computing-threads.ts';
import type { KeyStore } from '../../keystore/keystore.ts';
import { type Caller, type Kms, openKms } from '../../kms.ts';
import { openLog } from '../../log.ts';
import { LastUses } from '../../operations/last-uses.ts';
import { openSqliteStore } from '../../store/sqlite/sqlite-store.ts';
import type { Store } from '../../store/store.ts';
import { openToken } from '../../token/open-token.ts';
import { FilePinLatch } from '../../token/pin-latch.ts';
import type { Token } from '../../token/token.ts';
import { benchAccount, benchPrincipalArn } from '../access-key.ts';
import type { MeasuredOperation } from '../closed-loop.ts';
import { requestBodies } from '../load/request-bodies.ts';
import type { Workload } from '../observation.ts';
import { childPids } from '../process-usage.ts';
import type { Subject } from './subject.ts';
import { unattendedSecrets } from './unattended-secrets.ts';

/** Different bodies that a run goes through. */
const PREPARED_BODIES = 1024;

interface Parts {
  readonly store: Store;
  readonly token: Token;
  readonly keyStore: KeyStore;
  readonly threads: ComputingThreads;
}

export class KmsSubject implements Subject {
  readonly role = 'service';
  readonly processes: Subject['processes'];
  readonly #parts: Parts;
  readonly #kms: Kms;
  readonly #caller: Caller;
  #keyId: string;

  private constructor(parts: Parts, kms: Kms, region: string, keyId: string) {
    this.#keyId = keyId;
    this.#parts = parts;
    this.#kms = kms;
    this.#caller = callerIn(region);
    const host = childPids(process.pid)[0];
    this.processes = host === undefined ? {} : { 'token host': host };
  }

  /** Opens the first token and key store of the configuration. Without a key id, `createKeys` makes a key. */
  static async open(config: Config, keyId = ''): Promise<KmsSubject> {
    const [tokenConfig] = config.tokens;
    const [keyStoreConfig] = config.keyStores;
    if (tokenConfig === undefined || keyStoreConfig === undefined) throw new Error('The configuration names no token or no key store');
    const log = openLog(config.log.level);
    const store = await openSqliteStore({ directory: config.dataDirectory, clock: systemClock, log });
    const pinLatch = new FilePinLatch(join(config.dataDirectory, pinLatchDirectory));
    const token = await openToken(tokenConfig, { pin: pinSource(tokenConfig, unattendedSecrets), pinLatch, clock: systemClock, log });
    const tokens = new Map([[tokenConfig.name, { token, epochKeysMax: tokenConfig.epochKeysMax }]]);
    const threads = new ComputingThreads();
    const keyStore = await openKeyStore(keyStoreConfig, { clock: systemClock, log, secrets: unattendedSecrets, store, threads, tokens });
    const keyStores = configuredKeyStores([keyStore], config.regions, config.anyRegion);
    const lastUses = new LastUses(systemClock.nowMs());
    const kms = openKms({ store, keyStores, publicKeys: threads, clock: systemClock, log, randomBytes, ownerId: randomUUID(), lastUses });
    return new KmsSubject({ store, token, keyStore, threads }, kms, config.regions[0]?.region ?? '', keyId);
  }

  /** Makes `count` keys, of which the last is used, and resolves to its id. */
  async createKeys(count: number): Promise<string> {
    for (let made = 0; made < count; made++) {
      const { KeyMetadata } = (await this.#perform('CreateKey', {})) as { KeyMetadata: { KeyId: string } };
      this.#keyId = KeyMetadata.KeyId;
    }
    return this.#keyId;
  }

  /** Destroys the material of every key, without the waiting period: these keys protect nothing. */
  async destroyKeys(): Promise<void> {
    for (const key of this.#parts.store.allKeys()) {
      for (const material of key.materials) await this.#parts.keyStore.destroyMaterial({ key, material });
    }
  }

  async prepare(workload: Workload): Promise<MeasuredOperation> {
    const nextBody = await requestBodies(workload, this.#keyId, async (plaintext) => {
      const { CiphertextBlob } = (await this.#perform('Encrypt', { KeyId: this.#keyId, Plaintext: plaintext })) as {
        CiphertextBlob: Uint8Array;
      };
      return Buffer.from(CiphertextBlob).toString('base64');
    });
    // Made beforehand: what a client does to make a request is no part of the service.
    const bodies = Array.from({ length: PREPARED_BODIES }, nextBody);
    let next = 0;
    return () => this.#perform(workload.operation, bodies[next++ % PREPARED_BODIES]);
  }

  async close(): Promise<void> {
    await this.#parts.keyStore.close();
    await this.#parts.token.close();
    await this.#parts.threads.close();
    await this.#parts.store.close();
  }

  #perform(operation: string, input: unknown): Promise<unknown> {
    return this.#kms.perform(operation, input, this.#caller);
  }
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

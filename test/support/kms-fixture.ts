/** A whole KMS over fakes: store and key store in memory, a clock that the test moves, a caller of a fresh account. */
import { randomBytes } from 'node:crypto';
import { KmsError } from '../../src/errors.ts';
import { silentLog } from '../../src/log.ts';
import { publicKeysOnThisThread } from '../../src/keys/public-key-uses.ts';
import { openKms } from '../../src/kms.ts';
import { LastUses } from '../../src/operations/last-uses.ts';
import { checkedKms } from './checked-kms.ts';
import { FakeKeyStore } from './fake-key-store.ts';
import { MemoryStore } from './memory-store.ts';
import type { Clock } from '../../src/clock.ts';
import type { Kms } from '../../src/kms.ts';
import type { KeyStore } from '../../src/keystore/keystore.ts';
import type { Caller, ServiceParts } from '../../src/operations/operation.ts';
import type { Store } from '../../src/store/store.ts';

/** A clock that moves only when told to; both of its times, or one of them. */
export class MovedClock implements Clock {
  wallMs = 1_800_000_000_000;
  runningMs = 5_000;

  nowMs(): number {
    return this.wallMs;
  }
  monotonicMs(): number {
    return this.runningMs;
  }
  advance(ms: number): void {
    this.wallMs += ms;
    this.runningMs += ms;
  }
}

export const account = '111122223333';
export const region = 'eu-central-1';

export function callerOf(changes: Partial<Caller> = {}): Caller {
  const caller = {
    accessKeyId: 'AKIDEXAMPLE',
    partition: 'aws',
    account,
    region,
    sourceAddress: '127.0.0.1',
    userAgent: undefined,
    secureTransport: false,
    requestId: '7a1c9a3e-5b0f-4d53-9f0c-2f7d2b1f6c01',
    ...changes,
  };
  return { principalArn: `arn:aws:iam::${caller.account}:user/alice`, ...caller };
}

/** Parts over one key store that serves every Region in `regions`. */
export function partsOver(
  store: Store,
  keyStore: KeyStore,
  clock: Clock,
  regions: readonly string[] = [region, 'us-east-1'],
): ServiceParts {
  return {
    store,
    keyStores: {
      forNewKeys: (name) => (regions.includes(name) ? keyStore : undefined),
      fallbackForNewKeys: () => undefined,
      byName: (name) => {
        if (name !== keyStore.name) throw new KmsError('KeyUnavailableException', `no key store ${name}`);
        return keyStore;
      },
      all: () => [keyStore],
    },
    publicKeys: publicKeysOnThisThread,
    clock,
    log: silentLog,
    randomBytes: (lengthBytes) => Uint8Array.from(randomBytes(lengthBytes)),
    ownerId: 'process-1',
    lastUses: new LastUses(clock.nowMs()),
  };
}

export interface KmsFixture {
  readonly kms: Kms;
  readonly store: MemoryStore;
  readonly keyStore: FakeKeyStore;
  readonly clock: MovedClock;
  readonly parts: ServiceParts;
  readonly caller: Caller;
  /** Performs as the fixture's caller. Members of the reply are untyped on purpose: the test states what it expects of them. */
  // oxlint-disable-next-line typescript/no-explicit-any
  readonly perform: (operation: string, input?: object, caller?: Partial<Caller>) => Promise<any>;
  /** Makes a key and gives its metadata. */
  // oxlint-disable-next-line typescript/no-explicit-any
  readonly createKey: (input?: object) => Promise<any>;
}

export function openFixture(): KmsFixture {
  const store = new MemoryStore();
  const keyStore = new FakeKeyStore();
  const clock = new MovedClock();
  const parts = partsOver(store, keyStore, clock);
  const kms = checkedKms(openKms(parts));
  const perform: KmsFixture['perform'] = async (operation, input = {}, caller = {}) => kms.perform(operation, input, callerOf(caller));
  const createKey: KmsFixture['createKey'] = async (input = {}) => (await perform('CreateKey', input)).KeyMetadata;
  return { kms, store, keyStore, clock, parts, caller: callerOf(), perform, createKey };
}

/** Base64 of text or bytes, as requests carry blobs. */
export function base64(content: string | Uint8Array): string {
  return Buffer.from(content as string).toString('base64');
}

/** What `toMatchObject` needs to see in a refusal. */
export function refusal(code: string, publicMessage: string | undefined): object {
  return { name: 'KmsError', code, publicMessage };
}

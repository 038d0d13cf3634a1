/** A whole KMS of three Regions: two on one software key store, the third on another, and what is between them pinned. */
import { randomBytes } from 'node:crypto';
import { silentLog } from '../../src/log.ts';
import { openKms } from '../../src/kms.ts';
import { pinnedPeers, transportFingerprint, transportsMaterial } from '../../src/keystore/pinned-peers.ts';
import { openSoftwareKeyStore } from '../../src/keystore/software/key-store.ts';
import { configuredKeyStores } from '../../src/daemon/configured-key-stores.ts';
import { BackgroundWork } from '../../src/operations/background-work.ts';
import { SecretBytes } from '../../src/secret-bytes.ts';
import { checkedKms } from './checked-kms.ts';
import { callerOf, MovedClock, partsOver } from './kms-fixture.ts';
import { MemoryLeases } from './key-store-parts.ts';
import { MemoryStore } from './memory-store.ts';
import type { KeyStore } from '../../src/keystore/keystore.ts';
import type { TransportPin } from '../../src/keystore/pinned-peers.ts';
import type { ServiceParts } from '../../src/operations/operation.ts';

export const home = 'eu-central-1';
/** On the key store of `home`. */
export const near = 'eu-west-1';
/** On a key store of its own. */
export const far = 'us-east-1';

export interface MultiRegionFixture {
  readonly store: MemoryStore;
  readonly clock: MovedClock;
  readonly parts: ServiceParts;
  readonly keyStores: readonly KeyStore[];
  /** Performs in a Region, and waits for what goes on in the background. Members of the reply are untyped on purpose. */
  // oxlint-disable-next-line typescript/no-explicit-any
  readonly perform: (region: string, operation: string, input?: object) => Promise<any>;
  // oxlint-disable-next-line typescript/no-explicit-any
  readonly describe: (region: string, KeyId: string) => Promise<any>;
}

/** Software key stores that have pinned each other; with `isPinned` false they have not. */
export async function pinnedStores(names: readonly string[], isPinned = true): Promise<readonly KeyStore[]> {
  const stores: KeyStore[] = [];
  const pins: TransportPin[] = [];
  const find = (name: string): KeyStore | undefined => stores.find((store) => store.name === name);
  for (const name of names) {
    stores.push(
      openSoftwareKeyStore(
        { name },
        {
          clock: new MovedClock(),
          log: silentLog,
          leases: new MemoryLeases(),
          rootKey: new SecretBytes(randomBytes(32)),
          transportPeers: pinnedPeers({ name, protection: 'SOFTWARE' }, pins, find),
        },
      ),
    );
  }
  for (const store of stores) {
    const publicKey = isPinned && transportsMaterial(store) ? await store.transportPublicKey() : undefined;
    if (publicKey !== undefined) pins.push({ keyStore: store.name, fingerprint: transportFingerprint(publicKey) });
  }
  return stores;
}

export interface MultiRegionOptions {
  readonly isPinned?: boolean;
  /** Named `eu` and `us`; software key stores that have pinned each other when absent. */
  readonly keyStores?: readonly KeyStore[];
}

export async function openMultiRegionFixture(options: MultiRegionOptions = {}): Promise<MultiRegionFixture> {
  const store = new MemoryStore();
  const clock = new MovedClock();
  const keyStores = options.keyStores ?? (await pinnedStores(['eu', 'us'], options.isPinned));
  const regions = [
    { region: home, keyStore: 'eu' },
    { region: near, keyStore: 'eu' },
    { region: far, keyStore: 'us' },
  ];
  const background = new BackgroundWork();
  const [first] = keyStores as [KeyStore];
  const parts = { ...partsOver(store, first, clock), keyStores: configuredKeyStores(keyStores, regions, false), background };
  const kms = checkedKms(openKms(parts));
  const perform: MultiRegionFixture['perform'] = async (region, operation, input = {}) => {
    const reply = await kms.perform(operation, input, callerOf({ region }));
    await background.settled();
    return reply;
  };
  const describe: MultiRegionFixture['describe'] = async (region, KeyId) => (await perform(region, 'DescribeKey', { KeyId })).KeyMetadata;
  return { store, clock, parts, keyStores, perform, describe };
}

/** Throw-away SoftHSM tokens that have been through the ceremony of the transport keys, and key stores on them that pin each other. */
import { transportFingerprint } from '../../src/keystore/pinned-peers.ts';
import { pinnedPeers } from '../../src/keystore/pinned-peers.ts';
import type { TransportPin } from '../../src/keystore/pinned-peers.ts';
import type { KeyStore } from '../../src/keystore/keystore.ts';
import { openPkcs11KeyStore } from '../../src/keystore/pkcs11/key-store.ts';
import { silentLog } from '../../src/log.ts';
import { provisionTransportKeys } from '../../src/token/transport-keys.ts';
import { testParts } from './key-store-parts.ts';
import { configOf, copyOf, memoryLatch, openRealToken } from './real-tokens.ts';
import type { RealToken } from './real-tokens.ts';
import { provisionSoftHsm } from './softhsm.ts';
import type { ProvisionedToken } from './softhsm.ts';

export interface TransportTokens {
  readonly provisioned: readonly ProvisionedToken[];
  /** What the ceremony says that the tokens have in common. */
  readonly identity: Uint8Array;
  /** A key store on each token. */
  readonly stores: readonly KeyStore[];
  close(): Promise<void>;
}

export function ceremony(tokens: readonly ProvisionedToken[]): Promise<Uint8Array> {
  return provisionTransportKeys(
    tokens.map((token) => ({
      config: configOf(token, 'process'),
      log: silentLog,
      pin: () => copyOf(token.pin),
      soPin: () => copyOf(token.soPin),
      pinLatch: memoryLatch(),
    })),
  );
}

export async function openTransportTokens(labels: readonly string[], residency: 'token' | 'wrapped' = 'token'): Promise<TransportTokens> {
  const provisioned = labels.map((label) => provisionSoftHsm(label));
  const identity = await ceremony(provisioned);
  const opened: RealToken[] = [];
  const stores: KeyStore[] = [];
  const pins: TransportPin[] = labels.map((keyStore) => ({ keyStore, fingerprint: transportFingerprint(identity) }));
  const find = (name: string): KeyStore | undefined => stores.find((store) => store.name === name);
  for (const token of provisioned) {
    const real = await openRealToken(token, true);
    opened.push(real);
    const config = { name: token.label, residency, suite: 'measured', custody: 'full' } as const;
    const transportPeers = pinnedPeers({ name: token.label, protection: 'HSM' }, pins, find);
    stores.push(await openPkcs11KeyStore(config, real.token, { ...testParts(), transportPeers }));
  }
  return {
    provisioned,
    identity,
    stores,
    close: async () => {
      for (const store of stores) await store.close();
      for (const real of opened) await real.close();
    },
  };
}

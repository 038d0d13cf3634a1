/**
 * A whole KMS over fakes, in which an account has two related clusters and an unrelated one: see `kms-fixture.ts`. Made for tests of custom
 * key stores.
 */
import { expect } from 'vitest';
import { isPasswordOf } from '../../src/keys/password-verifier.ts';
import { openKms } from '../../src/kms.ts';
import { checkedKms } from './checked-kms.ts';
import { FakeKeyStore } from './fake-key-store.ts';
import { account, callerOf, MovedClock, partsOver, region } from './kms-fixture.ts';
import { MemoryStore } from './memory-store.ts';
import type { KeyStoreCluster } from '../../src/operations/key-store-clusters.ts';
import type { ServiceParts } from '../../src/operations/operation.ts';

export const PASSWORD = 'kmsuser-password';
export const ANCHOR = 'the certificate of the cluster';
export const clusterId = 'cluster-2a34b5cdefg';
export const relatedId = 'cluster-2a34b5cdefh';
export const unrelatedId = 'cluster-2a34b5cdefi';
export const cluster = {
  CustomKeyStoreName: 'hsm',
  CloudHsmClusterId: clusterId,
  TrustAnchorCertificate: ANCHOR,
  KeyStorePassword: PASSWORD,
};
export const proxy = {
  CustomKeyStoreName: 'external',
  CustomKeyStoreType: 'EXTERNAL_KEY_STORE',
  XksProxyUriEndpoint: 'https://proxy.example.com',
  XksProxyUriPath: '/kms/xks/v1',
  XksProxyAuthenticationCredential: { AccessKeyId: 'ABCDEFGHIJKLMNOPQRST', RawSecretAccessKey: 'x'.repeat(43) },
  XksProxyConnectivity: 'VPC_ENDPOINT_SERVICE',
  XksProxyVpcEndpointServiceName: 'com.amazonaws.vpce.eu-central-1.vpce-svc-0123456789abcdef0',
};

export interface CustomKeyStoreFixture {
  readonly store: MemoryStore;
  readonly keyStore: FakeKeyStore;
  readonly clock: MovedClock;
  readonly parts: ServiceParts;
  // oxlint-disable-next-line typescript/no-explicit-any
  readonly perform: (operation: string, input?: object, caller?: { account?: string; region?: string }) => Promise<any>;
  /** The entry of the store once its connection is not under way any more. */
  // oxlint-disable-next-line typescript/no-explicit-any
  readonly settled: (CustomKeyStoreId: string) => Promise<any>;
  readonly connected: () => Promise<string>;
}

export function openCustomKeyStoreFixture(): CustomKeyStoreFixture {
  const store = new MemoryStore();
  const [keyStore, other] = [new FakeKeyStore('cloud'), new FakeKeyStore('other')];
  const clock = new MovedClock();
  const clusters = new Map(
    [clusterOf(clusterId, keyStore), clusterOf(relatedId, keyStore), clusterOf(unrelatedId, other)].map((one) => [one.clusterId, one]),
  );
  const mine = { cluster: (scope: object, id: string) => (scopeIsMine(scope) ? clusters.get(id) : undefined) };
  const parts: ServiceParts = { ...partsOver(store, keyStore, clock), clusters: mine };
  const kms = checkedKms(openKms(parts));
  const perform: CustomKeyStoreFixture['perform'] = async (operation, input = {}, caller = {}) =>
    kms.perform(operation, input, callerOf(caller));
  const settled: CustomKeyStoreFixture['settled'] = async (CustomKeyStoreId) => {
    for (;;) {
      const { CustomKeyStores } = await perform('DescribeCustomKeyStores', { CustomKeyStoreId });
      if (!CustomKeyStores[0].ConnectionState.endsWith('ING')) return CustomKeyStores[0];
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
  };
  const connected = async (): Promise<string> => {
    const { CustomKeyStoreId } = await perform('CreateCustomKeyStore', cluster);
    await perform('ConnectCustomKeyStore', { CustomKeyStoreId });
    expect(await settled(CustomKeyStoreId)).toMatchObject({ ConnectionState: 'CONNECTED' });
    return CustomKeyStoreId;
  };
  return { store, keyStore, clock, parts, perform, settled, connected };
}

function clusterOf(id: string, keyStore: FakeKeyStore): KeyStoreCluster {
  return {
    clusterId: id,
    keyStore,
    isTrustAnchor: (certificate) => certificate === ANCHOR,
    isPassword: (verifier) => isPasswordOf(verifier, Buffer.from(PASSWORD)),
  };
}

/** Lets the next probes of the key store wait: `begun` resolves when one does, `proceed` ends them. */
export function holdProbes(keyStore: FakeKeyStore): { readonly begun: Promise<void>; readonly proceed: () => void } {
  let begin: (() => void) | undefined;
  let proceed: (() => void) | undefined;
  const begun = new Promise<void>((resolve) => {
    begin = resolve;
  });
  const over = new Promise<void>((resolve) => {
    proceed = resolve;
  });
  keyStore.probe = () => {
    begin?.();
    return over;
  };
  return { begun, proceed: () => proceed?.() };
}

function scopeIsMine(scope: object): boolean {
  return 'account' in scope && scope.account === account && 'region' in scope && scope.region === region;
}

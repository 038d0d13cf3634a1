/** The clusters that custom key stores may name, as the operations see them: key stores that the configuration lends to an account. */
import type { PasswordVerifier } from '../keys/custom-key-store-record.ts';
import type { KeyStore } from '../keystore/keystore.ts';
import type { Scope } from '../store/store.ts';

export interface KeyStoreCluster {
  readonly clusterId: string;
  readonly keyStore: KeyStore;
  /** True when `certificate` (PEM) is the trust anchor that the configuration has for the cluster. */
  isTrustAnchor(certificate: string): boolean;
  /** True when the password that `verifier` was made from is the one that the configuration refers to now. */
  isPassword(verifier: PasswordVerifier): Promise<boolean>;
}

export interface KeyStoreClusters {
  /** Undefined when the configuration gives the account no such cluster in the Region. */
  cluster(scope: Scope, clusterId: string): KeyStoreCluster | undefined;
}

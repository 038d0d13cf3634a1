/** The clusters of the configuration: key stores that accounts may have as custom key stores of type AWS_CLOUDHSM. */
import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { CustomKeyStoreConfig } from '../config/config.ts';
import { readSecret, type SecretSources } from '../config/secret-source.ts';
import type { PasswordVerifier } from '../keys/custom-key-store-record.ts';
import { isPasswordOf } from '../keys/password-verifier.ts';
import type { KeyStore } from '../keystore/keystore.ts';
import type { KeyStoreCluster, KeyStoreClusters } from '../operations/key-store-clusters.ts';

/**
 * The clusters over the open key stores. A password is read from its reference at every check, and wiped. Throws an Error that says what to
 * do when a trust anchor cannot be read.
 */
export function configuredClusters(
  entries: readonly CustomKeyStoreConfig[],
  keyStores: readonly KeyStore[],
  secrets: SecretSources,
): KeyStoreClusters {
  const clusters = new Map(entries.map((entry) => [clusterName(entry, entry.clusterId), clusterOf(entry, keyStores, secrets)]));
  return { cluster: (scope, clusterId) => clusters.get(clusterName(scope, clusterId)) };
}

function clusterOf(entry: CustomKeyStoreConfig, keyStores: readonly KeyStore[], secrets: SecretSources): KeyStoreCluster {
  const keyStore = keyStores.find(({ name }) => name === entry.keyStore);
  if (keyStore === undefined) throw new Error(`the cluster ${entry.clusterId} needs the key store ${entry.keyStore}, which is not open`);
  const trustAnchor = trustAnchorOf(entry);
  return {
    clusterId: entry.clusterId,
    keyStore,
    isTrustAnchor: (certificate) => certificateBytes(certificate)?.equals(trustAnchor) === true,
    isPassword: (verifier) => isPassword(verifier, entry, secrets),
  };
}

async function isPassword(verifier: PasswordVerifier, entry: CustomKeyStoreConfig, secrets: SecretSources): Promise<boolean> {
  const password = await readSecret(entry.password, `password of cluster ${entry.clusterId}`, secrets);
  try {
    return await password.expose((bytes) => isPasswordOf(verifier, bytes));
  } finally {
    password.wipe();
  }
}

function trustAnchorOf({ clusterId, trustAnchorFile }: CustomKeyStoreConfig): Buffer {
  try {
    return new X509Certificate(readFileSync(trustAnchorFile)).raw;
  } catch (error) {
    const reason = `cannot be used: ${(error as Error).message}; set trustAnchorFile to a PEM file`;
    throw new Error(`the trust anchor of cluster ${clusterId}, ${trustAnchorFile}, ${reason}`, { cause: error });
  }
}

/** DER of a certificate in PEM; undefined for anything else. */
function certificateBytes(pem: string): Buffer | undefined {
  try {
    return new X509Certificate(pem).raw;
  } catch {
    return undefined;
  }
}

function clusterName({ account, region }: { readonly account: string; readonly region: string }, clusterId: string): string {
  return `${account}:${region}:${clusterId}`;
}

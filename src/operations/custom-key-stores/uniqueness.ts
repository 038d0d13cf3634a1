/** What only one custom key store of an account and Region may have: its name, its cluster, its place at a proxy (kms-api.md 6.1). */
import { KmsError } from '../../errors.ts';
import { customKeyStores, customKeyStoresMax } from './custom-key-store-items.ts';
import type { CustomKeyStoreRecord, ProxyConnection } from '../../keys/custom-key-store-record.ts';
import type { Scope, Store } from '../../store/store.ts';

/** Throws KmsError LimitExceededException when the account has no room for a further custom key store. */
export function assertCustomKeyStoreQuota(store: Store, scope: Scope): void {
  if (customKeyStores(store, scope).items.length >= customKeyStoresMax) {
    throw new KmsError('LimitExceededException', `An account can have at most ${customKeyStoresMax} custom key stores in a Region.`);
  }
}

/** Throws the KmsError that says what of `record` another custom key store of the scope has; its name is looked at first. */
export function assertUnique(record: CustomKeyStoreRecord, store: Store, scope: Scope): void {
  const others = customKeyStores(store, scope).items.filter((other) => other.customKeyStoreId !== record.customKeyStoreId);
  const namesake = others.find((other) => other.name === record.name);
  if (namesake !== undefined) {
    throw new KmsError(
      'CustomKeyStoreNameInUseException',
      `The name ${record.name} belongs to custom key store ${namesake.customKeyStoreId}.`,
    );
  }
  for (const other of others) {
    if (record.cluster !== undefined && other.cluster !== undefined) assertOtherCluster(record.cluster, other);
    if (record.proxy !== undefined && other.proxy !== undefined) assertOtherProxy(record.proxy, other.proxy);
  }
}

/** Clusters that the configuration maps to one key store count as clusters that share a backup history. */
function assertOtherCluster(cluster: NonNullable<CustomKeyStoreRecord['cluster']>, other: CustomKeyStoreRecord): void {
  if (other.cluster?.clusterId === cluster.clusterId || other.cluster?.keyStore === cluster.keyStore) {
    throw new KmsError(
      'CloudHsmClusterInUseException',
      `Cluster ${cluster.clusterId}, or one with the same keys, belongs to custom key store ${other.customKeyStoreId}.`,
    );
  }
}

function assertOtherProxy(proxy: ProxyConnection, other: ProxyConnection): void {
  const { uriEndpoint, uriPath, vpcEndpointServiceName } = proxy;
  if (uriEndpoint === other.uriEndpoint && uriPath === other.uriPath) {
    throw new KmsError('XksProxyUriInUseException', `${uriEndpoint}${uriPath} belongs to another external key store.`);
  }
  const isPrivate = [proxy, other].some(({ connectivity }) => connectivity === 'VPC_ENDPOINT_SERVICE');
  if (uriEndpoint === other.uriEndpoint && isPrivate) {
    throw new KmsError('XksProxyUriEndpointInUseException', `${uriEndpoint} belongs to another external key store.`);
  }
  if (vpcEndpointServiceName !== undefined && vpcEndpointServiceName === other.vpcEndpointServiceName) {
    throw new KmsError('XksProxyVpcEndpointServiceInUseException', `${vpcEndpointServiceName} belongs to another external key store.`);
  }
}

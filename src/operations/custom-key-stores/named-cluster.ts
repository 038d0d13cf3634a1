/** The cluster that a request names, as far as a custom key store can be put on it. */
import { KmsError } from '../../errors.ts';
import type { OperationContext } from '../operation.ts';
import type { KeyStoreCluster } from '../key-store-clusters.ts';

/**
 * Throws KmsError: CloudHsmClusterNotFoundException, CloudHsmClusterNotActiveException while its key store is away,
 * CloudHsmClusterInvalidConfigurationException when it can hold no symmetric keys.
 */
export function namedCluster(clusterId: string, { parts, scope }: OperationContext): KeyStoreCluster {
  const cluster = parts.clusters?.cluster(scope, clusterId);
  if (cluster === undefined) {
    throw new KmsError(
      'CloudHsmClusterNotFoundException',
      `The configuration of the service gives account ${scope.account} no cluster ${clusterId} in ${scope.region}.`,
    );
  }
  if (cluster.keyStore.health() === 'unavailable') {
    throw new KmsError('CloudHsmClusterNotActiveException', `The key store of cluster ${clusterId} is not available.`);
  }
  if (cluster.keyStore.describe().suite === undefined) {
    throw new KmsError('CloudHsmClusterInvalidConfigurationException', `The key store of cluster ${clusterId} can hold no symmetric keys.`);
  }
  return cluster;
}

/** DescribeCustomKeyStores: those of the caller's account and Region in order of id, or the one with that id or name. */
import { invalid } from '../api/violations.ts';
import { decodeMarker, pageMembers } from '../keys/pagination.ts';
import { customKeyStores } from './custom-key-stores/custom-key-store-items.ts';
import { customKeyStoreNotFound, namedCustomKeyStore } from './custom-key-stores/named-custom-key-store.ts';
import { defineOperation } from './operation.ts';
import type { CustomKeyStoreRecord, ProxyConnection } from '../keys/custom-key-store-record.ts';
import type { Page } from '../store/store.ts';
import type { Operation, OperationContext } from './operation.ts';

interface DescribeCustomKeyStoresInput {
  readonly CustomKeyStoreId?: string;
  readonly CustomKeyStoreName?: string;
  readonly Limit?: number;
  readonly Marker?: string;
}

const LIMIT_DEFAULT = 100;

export const describeCustomKeyStores: Operation = defineOperation<DescribeCustomKeyStoresInput>({
  name: 'DescribeCustomKeyStores',
  action: 'DescribeCustomKeyStores',
  keys: [],
  validate: (input) => {
    if (input.CustomKeyStoreId !== undefined && input.CustomKeyStoreName !== undefined) {
      throw invalid('You can specify either CustomKeyStoreId or CustomKeyStoreName, but not both.');
    }
  },
  perform: (input, context) => {
    const { partition, account, region } = context.scope;
    const listing = ['DescribeCustomKeyStores', partition, account, region];
    const page = selected(input, decodeMarker(listing, input.Marker), context);
    return { CustomKeyStores: page.items.map(listEntry), ...pageMembers(listing, page.next) };
  },
});

function selected(
  { CustomKeyStoreId: id, CustomKeyStoreName: name, Limit: limit = LIMIT_DEFAULT }: DescribeCustomKeyStoresInput,
  after: string | undefined,
  { parts, scope }: OperationContext,
): Page<CustomKeyStoreRecord> {
  if (id !== undefined) return { items: [namedCustomKeyStore(parts.store, scope, id)], next: undefined };
  if (name === undefined) return customKeyStores(parts.store, scope, after, limit);
  const items = customKeyStores(parts.store, scope).items.filter((record) => record.name === name);
  if (items.length === 0) throw customKeyStoreNotFound(name);
  return { items, next: undefined };
}

/** CustomKeyStoresListEntry; neither password nor secret access key is part of it. */
function listEntry({ customKeyStoreId, name, createdAtMs, connection, cluster, proxy }: CustomKeyStoreRecord): object {
  return {
    CustomKeyStoreId: customKeyStoreId,
    CustomKeyStoreName: name,
    ...(cluster !== undefined && { CloudHsmClusterId: cluster.clusterId, TrustAnchorCertificate: cluster.trustAnchorCertificate }),
    ConnectionState: connection.state,
    ...(connection.errorCode !== undefined && { ConnectionErrorCode: connection.errorCode }),
    CreationDate: new Date(createdAtMs),
    CustomKeyStoreType: proxy === undefined ? 'AWS_CLOUDHSM' : 'EXTERNAL_KEY_STORE',
    ...(proxy !== undefined && { XksProxyConfiguration: proxyMembers(proxy) }),
  };
}

function proxyMembers({ connectivity, accessKeyId, uriEndpoint, uriPath, ...vpc }: ProxyConnection): object {
  return {
    Connectivity: connectivity,
    AccessKeyId: accessKeyId,
    UriEndpoint: uriEndpoint,
    UriPath: uriPath,
    ...(vpc.vpcEndpointServiceName !== undefined && { VpcEndpointServiceName: vpc.vpcEndpointServiceName }),
    ...(vpc.vpcEndpointServiceOwner !== undefined && { VpcEndpointServiceOwner: vpc.vpcEndpointServiceOwner }),
  };
}

/** CreateCustomKeyStore: registers a cluster of the configuration, or an external key manager. It is connected by a request of its own. */
import { toHex } from '../bytes.ts';
import { KmsError } from '../errors.ts';
import { passwordVerifier } from '../keys/password-verifier.ts';
import { customKeyStorePut, editionRaised } from './custom-key-stores/custom-key-store-items.ts';
import { isProxyInput, validateCreateCustomKeyStore } from './custom-key-stores/custom-key-store-input.ts';
import { namedCluster } from './custom-key-stores/named-cluster.ts';
import { proxyUnreachable } from './custom-key-stores/proxy-probe.ts';
import { assertCustomKeyStoreQuota, assertUnique } from './custom-key-stores/uniqueness.ts';
import { defineOperation } from './operation.ts';
import type { ClusterConnection, CustomKeyStoreRecord, ProxyConnection } from '../keys/custom-key-store-record.ts';
import type { Scope, Store } from '../store/store.ts';
import type { ClusterInput, CreateCustomKeyStoreInput, ProxyInput } from './custom-key-stores/custom-key-store-input.ts';
import type { Operation, OperationContext } from './operation.ts';

const ID_HEX_DIGITS = 17;

export const createCustomKeyStore: Operation = defineOperation<CreateCustomKeyStoreInput>({
  name: 'CreateCustomKeyStore',
  action: 'CreateCustomKeyStore',
  keys: [],
  validate: validateCreateCustomKeyStore,
  perform: async (input, context) => {
    const { parts, scope } = context;
    const record = await newCustomKeyStore(input, context);
    assertRoomFor(record, parts.store, scope);
    if (record.proxy?.connectivity === 'PUBLIC_ENDPOINT') throw proxyUnreachable(record.proxy);
    await parts.store.transact((store) => {
      assertRoomFor(record, store, scope);
      return { changes: [customKeyStorePut(scope, record, 0), editionRaised(store, scope)], result: undefined };
    });
    return { CustomKeyStoreId: record.customKeyStoreId };
  },
});

async function newCustomKeyStore(input: CreateCustomKeyStoreInput, context: OperationContext): Promise<CustomKeyStoreRecord> {
  const { clock, randomBytes } = context.parts;
  return {
    customKeyStoreId: `cks-${toHex(randomBytes(ID_HEX_DIGITS)).slice(0, ID_HEX_DIGITS)}`,
    version: 1,
    name: input.CustomKeyStoreName,
    createdAtMs: clock.nowMs(),
    connection: { state: 'DISCONNECTED' },
    // Members are there: validate has seen to it.
    ...(isProxyInput(input) ? { proxy: newProxy(input, context.scope) } : { cluster: await newCluster(input as ClusterInput, context) }),
  };
}

async function newCluster(input: ClusterInput, context: OperationContext): Promise<ClusterConnection> {
  const cluster = namedCluster(input.CloudHsmClusterId, context);
  if (!cluster.isTrustAnchor(input.TrustAnchorCertificate)) {
    throw new KmsError(
      'IncorrectTrustAnchorException',
      `The trust anchor certificate in the request is not the one of cluster ${cluster.clusterId}.`,
    );
  }
  return {
    clusterId: cluster.clusterId,
    keyStore: cluster.keyStore.name,
    trustAnchorCertificate: input.TrustAnchorCertificate,
    password: await passwordVerifier(Buffer.from(input.KeyStorePassword), context.parts.randomBytes),
  };
}

function newProxy(input: ProxyInput, scope: Scope): ProxyConnection {
  const { XksProxyVpcEndpointServiceName: serviceName, XksProxyVpcEndpointServiceOwner: owner = scope.account } = input;
  return {
    connectivity: input.XksProxyConnectivity,
    uriEndpoint: input.XksProxyUriEndpoint,
    uriPath: input.XksProxyUriPath,
    accessKeyId: input.XksProxyAuthenticationCredential.AccessKeyId,
    ...(serviceName !== undefined && { vpcEndpointServiceName: serviceName, vpcEndpointServiceOwner: owner }),
  };
}

function assertRoomFor(record: CustomKeyStoreRecord, store: Store, scope: Scope): void {
  assertUnique(record, store, scope);
  assertCustomKeyStoreQuota(store, scope);
}

/** UpdateCustomKeyStore: another name, password, related cluster, or another place of the proxy. */
import { KmsError } from '../errors.ts';
import { passwordVerifier } from '../keys/password-verifier.ts';
import { checkMembersOfType, updatedProxy } from './custom-key-stores/custom-key-store-input.ts';
import { customKeyStorePut, editionRaised } from './custom-key-stores/custom-key-store-items.ts';
import { namedCluster } from './custom-key-stores/named-cluster.ts';
import { namedCustomKeyStore, wrongConnectionState } from './custom-key-stores/named-custom-key-store.ts';
import { proxyUnreachable } from './custom-key-stores/proxy-probe.ts';
import { assertUnique } from './custom-key-stores/uniqueness.ts';
import { defineOperation } from './operation.ts';
import type { ClusterConnection, CustomKeyStoreRecord, PasswordVerifier } from '../keys/custom-key-store-record.ts';
import type { UpdateCustomKeyStoreInput } from './custom-key-stores/custom-key-store-input.ts';
import type { Operation, OperationContext } from './operation.ts';

/** What may change while the store is connected (kms-api.md 6.2). */
const CHANGEABLE_CONNECTED = new Set(['CustomKeyStoreId', 'NewCustomKeyStoreName', 'XksProxyAuthenticationCredential', 'XksProxyUriPath']);

export const updateCustomKeyStore: Operation = defineOperation<UpdateCustomKeyStoreInput>({
  name: 'UpdateCustomKeyStore',
  action: 'UpdateCustomKeyStore',
  keys: [],
  perform: async (input, context) => {
    const { parts, scope } = context;
    const { KeyStorePassword: text } = input;
    assertChangeable(namedCustomKeyStore(parts.store, scope, input.CustomKeyStoreId), input);
    const password = text === undefined ? undefined : await passwordVerifier(Buffer.from(text), parts.randomBytes);
    await parts.store.transact((store) => {
      const current = namedCustomKeyStore(store, scope, input.CustomKeyStoreId);
      assertChangeable(current, input);
      const record = updated(current, input, password, context);
      assertUnique(record, store, scope);
      if (record.proxy?.connectivity === 'PUBLIC_ENDPOINT' && record.proxy !== current.proxy) throw proxyUnreachable(record.proxy);
      return { changes: [customKeyStorePut(scope, record, current.version), editionRaised(store, scope)], result: undefined };
    });
    return {};
  },
});

/** Throws KmsError: ValidationException, CustomKeyStoreInvalidStateException. */
function assertChangeable(record: CustomKeyStoreRecord, input: UpdateCustomKeyStoreInput): void {
  checkMembersOfType(input, record);
  const { state } = record.connection;
  const isSmall = Object.keys(input).every((member) => CHANGEABLE_CONNECTED.has(member));
  if (state !== 'DISCONNECTED' && !(isSmall && state === 'CONNECTED')) throw wrongConnectionState(record, 'DISCONNECTED');
}

function updated(
  current: CustomKeyStoreRecord,
  input: UpdateCustomKeyStoreInput,
  password: PasswordVerifier | undefined,
  context: OperationContext,
): CustomKeyStoreRecord {
  const { cluster, proxy } = current;
  return {
    ...current,
    version: current.version + 1,
    name: input.NewCustomKeyStoreName ?? current.name,
    ...(cluster !== undefined && {
      cluster: {
        ...cluster,
        ...(input.CloudHsmClusterId !== undefined && { clusterId: relatedCluster(cluster, input.CloudHsmClusterId, context) }),
        ...(password !== undefined && { password }),
      },
    }),
    ...(proxy !== undefined && changesProxy(input) && { proxy: updatedProxy(proxy, input) }),
  };
}

function changesProxy(input: UpdateCustomKeyStoreInput): boolean {
  return Object.keys(input).some((member) => member.startsWith('Xks'));
}

/** Only a cluster that the configuration maps to the same key store has the keys of this one. */
function relatedCluster(cluster: ClusterConnection, clusterId: string, context: OperationContext): string {
  if (namedCluster(clusterId, context).keyStore.name !== cluster.keyStore) {
    throw new KmsError(
      'CloudHsmClusterNotRelatedException',
      `Cluster ${clusterId} does not hold the keys of cluster ${cluster.clusterId}.`,
    );
  }
  return clusterId;
}

/** The custom key store that a request names, and whether it can be used now (kms-api.md 6.2). */
import { KmsError } from '../../errors.ts';
import { customKeyStore } from './custom-key-store-items.ts';
import type { CustomKeyStoreRecord } from '../../keys/custom-key-store-record.ts';
import type { KeyRecord } from '../../keys/key-record.ts';
import type { KeyStore } from '../../keystore/keystore.ts';
import type { Scope, Store } from '../../store/store.ts';
import type { OperationContext } from '../operation.ts';

/** Input of the operations that take nothing else. */
export interface NamedCustomKeyStoreInput {
  readonly CustomKeyStoreId: string;
}

/** Throws KmsError CustomKeyStoreNotFoundException. */
export function namedCustomKeyStore(store: Store, scope: Scope, customKeyStoreId: string): CustomKeyStoreRecord {
  const record = customKeyStore(store, scope, customKeyStoreId);
  if (record === undefined) throw customKeyStoreNotFound(customKeyStoreId);
  return record;
}

/** `name`: the id or the name by which it was looked for. */
export function customKeyStoreNotFound(name: string): KmsError {
  return new KmsError('CustomKeyStoreNotFoundException', `Custom key store ${name} does not exist.`);
}

/** The refusal of what the connection state does not allow. */
export function wrongConnectionState({ customKeyStoreId, connection }: CustomKeyStoreRecord, needed: string): KmsError {
  return new KmsError(
    'CustomKeyStoreInvalidStateException',
    `Custom key store ${customKeyStoreId} is ${connection.state}. This operation needs it to be ${needed}.`,
  );
}

/** Throws KmsError CustomKeyStoreInvalidStateException unless it is connected. */
export function assertConnected(record: CustomKeyStoreRecord): void {
  if (record.connection.state !== 'CONNECTED') throw wrongConnectionState(record, 'CONNECTED');
}

/**
 * The key store behind a connected custom key store of type AWS_CLOUDHSM. Throws KmsError: CustomKeyStoreInvalidStateException,
 * CloudHsmClusterInvalidConfigurationException when the configuration no longer has the cluster.
 */
export function connectedKeyStore(record: CustomKeyStoreRecord, { parts, scope }: OperationContext): KeyStore {
  assertConnected(record);
  const cluster = record.cluster && parts.clusters?.cluster(scope, record.cluster.clusterId);
  if (cluster === undefined || cluster.keyStore.name !== record.cluster?.keyStore) {
    throw new KmsError(
      'CloudHsmClusterInvalidConfigurationException',
      `The configuration of the service no longer has the cluster of custom key store ${record.customKeyStoreId}.`,
    );
  }
  return cluster.keyStore;
}

/**
 * The record as it counts now: a key whose custom key store is not connected is Unavailable, and is again what it was when it is. A key
 * that is pending deletion stays so (kms-api.md section 4, note 13).
 */
export function availableKey(key: KeyRecord, store: Store): KeyRecord {
  if (key.customKeyStoreId === undefined || (key.state !== 'Enabled' && key.state !== 'Disabled')) return key;
  const isConnected = customKeyStore(store, key, key.customKeyStoreId)?.connection.state === 'CONNECTED';
  return isConnected ? key : { ...key, state: 'Unavailable' };
}

/** Members of KeyMetadata that tell of the custom key store. */
export function customKeyStoreMembers(key: KeyRecord, store: Store): object {
  if (key.customKeyStoreId === undefined) return {};
  const cluster = customKeyStore(store, key, key.customKeyStoreId)?.cluster;
  return {
    CustomKeyStoreId: key.customKeyStoreId,
    ...(cluster !== undefined && { CloudHsmClusterId: cluster.clusterId }),
    ...(key.xksKeyId !== undefined && { XksKeyConfiguration: { Id: key.xksKeyId } }),
  };
}

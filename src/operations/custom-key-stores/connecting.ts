/**
 * Connecting and disconnecting custom key stores. The request records that it began; this finishes it in the background, and the sweeps
 * finish what a restart interrupted. Who finishes late, after another request changed the record, changes nothing.
 */
import { KeyStoreError } from '../../keystore/keystore.ts';
import { forgetMaterials } from '../key-change.ts';
import { allCustomKeyStores, customKeyStore, customKeyStorePut, keyIdsOf } from './custom-key-store-items.ts';
import type { Connection, ConnectionErrorCode, CustomKeyStoreRecord } from '../../keys/custom-key-store-record.ts';
import type { Scope } from '../../store/store.ts';
import type { ServiceParts } from '../operation.ts';
import type { OwnedCustomKeyStore } from './custom-key-store-items.ts';

const KEYS_PER_PAGE = 100;

/** Starts to finish what `record` says is under way. Never rejects: what fails is logged, and repeated by the sweeps. */
export async function finishInBackground(scope: Scope, record: CustomKeyStoreRecord, parts: ServiceParts): Promise<void> {
  try {
    await finish({ scope, record }, parts);
  } catch (error) {
    parts.log.warn(
      { customKeyStoreId: record.customKeyStoreId, state: record.connection.state, err: error },
      'the change of a custom key store’s connection is not finished and will be repeated',
    );
  }
}

/** Finishes every connection that is under way. */
export async function sweepConnections(parts: ServiceParts): Promise<void> {
  for (const { scope, record } of allCustomKeyStores(parts.store)) await finishInBackground(scope, record, parts);
}

async function finish(owned: OwnedCustomKeyStore, parts: ServiceParts): Promise<void> {
  const { state } = owned.record.connection;
  if (state === 'CONNECTING') {
    const errorCode = await connectionFailure(owned, parts);
    await settle(owned, errorCode === undefined ? { state: 'CONNECTED' } : { state: 'FAILED', errorCode }, parts);
  } else if (state === 'DISCONNECTING') {
    await forgetKeys(owned, parts);
    await settle(owned, { state: 'DISCONNECTED' }, parts);
  }
}

/** Why the store cannot be connected; undefined when it can. */
async function connectionFailure({ scope, record }: OwnedCustomKeyStore, parts: ServiceParts): Promise<ConnectionErrorCode | undefined> {
  // No client for external key store proxies exists here, so none is ever reached.
  if (record.cluster === undefined) return 'XKS_PROXY_NOT_REACHABLE';
  const cluster = parts.clusters?.cluster(scope, record.cluster.clusterId);
  if (cluster === undefined || cluster.keyStore.name !== record.cluster.keyStore) return 'CLUSTER_NOT_FOUND';
  try {
    if (!(await cluster.isPassword(record.cluster.password))) return 'INVALID_CREDENTIALS';
    await cluster.keyStore.probe();
    return undefined;
  } catch (error) {
    parts.log.warn({ customKeyStoreId: record.customKeyStoreId, err: error }, 'a custom key store cannot be connected');
    return errorCodeOf(error);
  }
}

function errorCodeOf(error: unknown): ConnectionErrorCode {
  if (!(error instanceof KeyStoreError)) return 'INTERNAL_ERROR';
  if (error.kind === 'unavailable') return 'INSUFFICIENT_CLOUDHSM_HSMS';
  return error.kind === 'timeout' ? 'NETWORK_ERRORS' : 'INTERNAL_ERROR';
}

/** What no host acknowledges now is left: the keys' state already keeps requests from them. */
async function forgetKeys({ scope, record }: OwnedCustomKeyStore, parts: ServiceParts): Promise<void> {
  let after: string | undefined;
  do {
    const page = keyIdsOf(parts.store, scope, record.customKeyStoreId, after, KEYS_PER_PAGE);
    for (const keyId of page.items) {
      const key = parts.store.key(scope, keyId);
      if (key !== undefined) await forgetMaterials(key, parts).catch((error: unknown) => logUnforgotten(keyId, error, parts));
    }
    after = page.next;
  } while (after !== undefined);
}

function logUnforgotten(keyId: string, error: unknown, { log }: ServiceParts): void {
  log.warn({ keyId, err: error }, 'a key store did not acknowledge that it forgot a key whose custom key store is disconnected');
}

async function settle({ scope, record }: OwnedCustomKeyStore, connection: Connection, parts: ServiceParts): Promise<void> {
  const isSettled = await parts.store.transact((store) => {
    const current = customKeyStore(store, scope, record.customKeyStoreId);
    if (current?.version !== record.version) return { changes: [], result: false };
    const settled = { ...current, connection, version: current.version + 1 };
    return { changes: [customKeyStorePut(scope, settled, current.version)], result: true };
  });
  if (isSettled)
    parts.log.info({ customKeyStoreId: record.customKeyStoreId, ...connection }, 'the connection of a custom key store changed');
}

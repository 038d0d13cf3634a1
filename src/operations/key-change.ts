/** Changing what is remembered of a key: read again, judge again, commit; a change that somebody else made in between is never lost. */
import { KmsError } from '../errors.ts';
import { keyArn } from '../keys/arn.ts';
import { keyAt } from '../keys/imported-materials.ts';
import { keyStateCheck } from '../keys/key-states.ts';
import { availableKey } from './custom-key-stores/named-custom-key-store.ts';
import { putShared } from './multi-region/key-family.ts';
import type { KeyRecord } from '../keys/key-record.ts';
import type { Change, Store } from '../store/store.ts';
import type { OperationContext, ResolvedKey, ServiceParts } from './operation.ts';

/** Computes the changed record from the newest one; `version` is set by `changeKey`. Throws KmsError to refuse. */
export type KeyEdit = (current: KeyRecord, store: Store) => KeyRecord;

/** Checks the state of the newest record for `operation`, edits it and what other Regions share of it, commits. Resolves to the record now in force. */
export function changeKey(operation: string, { record }: ResolvedKey, context: OperationContext, edit: KeyEdit): Promise<KeyRecord> {
  const checkState = keyStateCheck(operation);
  return context.parts.store.transact((store) => {
    const current = currentKey(store, record);
    checkState(current);
    const { record: changed, changes } = putShared(store, edit(current, store));
    return { changes, result: changed };
  });
}

/** Commits with a change of what belongs to the key, so that of all who judged the same state of it only one comes through: see `transact`. */
export function touchKey(key: KeyRecord): Change {
  return { kind: 'put-key', record: { ...key, version: key.version + 1 }, replacesVersion: key.version };
}

/** The newest record of a key that was resolved a moment ago. Throws KmsError NotFoundException. */
export function currentKey(store: Store, key: KeyRecord): KeyRecord {
  const current = store.key(key, key.keyId);
  if (current === undefined) throw new KmsError('NotFoundException', `Key '${keyArn(key)}' does not exist`);
  return current;
}

/** The key as it counts now: imported material is refused from the moment at which it expires, and keys of a custom key store while it is not connected. */
export function keyNow(record: KeyRecord, { clock, store }: Pick<ServiceParts, 'clock' | 'store'>): KeyRecord {
  if (record.origin === 'AWS_KMS') return record;
  return record.origin === 'EXTERNAL' ? keyAt(record, clock.nowMs()) : availableKey(record, store);
}

/**
 * The newest record of a key that was checked for `operation` before something else was awaited. A key that was disabled, expired or
 * became unavailable meanwhile is refused: what its key store has forgotten must not be opened again. Throws KmsError.
 */
export function recheckedKey(operation: string, key: KeyRecord, { parts }: OperationContext): KeyRecord {
  const current = keyNow(currentKey(parts.store, key), parts);
  if (current !== key) keyStateCheck(operation)(current);
  return current;
}

/** Has every host destroy its session objects of the key's materials; resolves when all of it is acknowledged. */
export async function forgetMaterials(key: KeyRecord, parts: ServiceParts): Promise<void> {
  await Promise.all(key.materials.map((material) => parts.keyStores.byName(material.keyStore).forget(material.materialId)));
}

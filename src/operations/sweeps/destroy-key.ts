/**
 * The destruction of a key whose waiting period is over: intents on disk, session objects forgotten, materials destroyed, grants
 * removed, record and aliases gone together with the intents. Every step may be repeated; the record goes last.
 */
import { keyLeavesCustomKeyStore } from '../custom-key-stores/custom-key-store-items.ts';
import { removeGrants } from '../grants/grant-items.ts';
import { lastUseRemoved } from '../last-uses.ts';
import { isPresent } from '../../keys/key-record.ts';
import { newIntent, noObjectId, objectIdOf } from '../intents.ts';
import { replicaRemoved } from '../multi-region/replica-removal.ts';
import type { KeyIdentity, KeyRecord } from '../../keys/key-record.ts';
import type { Change, IntentRecord, Store } from '../../store/store.ts';
import type { ServiceParts } from '../operation.ts';

/** Store mark that pauses destruction: the wall clock jumped. Its value says when and by how much. */
export const clockJumpMark = 'clock-jump';

/** In the intent for a key that has nothing in any key store. */
const noKeyStore = '';

/** True when both the wall clock and the observed running time of the waiting period are over. */
export function isDue(key: KeyRecord, nowMs: number): boolean {
  return (
    key.state === 'PendingDeletion' &&
    key.deletionAtMs !== undefined &&
    key.deletionAtMs <= nowMs &&
    (key.deletionRunningMsLeft ?? Number.POSITIVE_INFINITY) <= 0
  );
}

/** True once destruction has begun: the deletion can no longer be cancelled. */
export function isBeingDestroyed(key: KeyIdentity, store: Store): boolean {
  return intentsToDestroy(key, store).length > 0;
}

/**
 * Begins and finishes the destruction of a due key. Resolves to false when it is not due any more, or already being destroyed.
 * Rejects when key store or store fail; the intents stay, and `finishDestruction` is repeated once their lease is over.
 */
export async function destroyKey(key: KeyRecord, parts: ServiceParts): Promise<boolean> {
  const begun = await parts.store.transact((store) => {
    const current = store.key(key, key.keyId);
    if (current === undefined || !isDue(current, parts.clock.nowMs()) || isBeingDestroyed(current, store)) {
      return { changes: [], result: undefined };
    }
    const intents = intentsFor(current, parts);
    // The version rises with the intents, so that a cancellation that read neither meets a conflict.
    const record = { ...current, version: current.version + 1 };
    const changes: Change[] = [{ kind: 'put-key', record, replacesVersion: current.version }];
    return { changes: [...changes, ...intents.map((intent): Change => ({ kind: 'put-intent', record: intent }))], result: record };
  });
  if (begun === undefined) return false;
  await finishDestruction(begun, parts);
  return true;
}

/** Destroys all materials, then forgets the key. For a key whose destruction has begun. */
export async function finishDestruction(key: KeyRecord, parts: ServiceParts): Promise<void> {
  for (let left: KeyRecord | undefined = key; left !== undefined; left = await removeDestroyed(left, parts)) {
    await destroyMaterials(left, parts);
    await removeGrants(left, parts.store);
  }
  parts.log.info({ keyId: key.keyId, account: key.account, region: key.region }, 'key deleted');
}

async function destroyMaterials(key: KeyRecord, { keyStores }: ServiceParts): Promise<void> {
  for (const material of key.materials.filter(isPresent)) {
    const keyStore = keyStores.byName(material.keyStore);
    await keyStore.forget(material.materialId);
    await keyStore.destroyMaterial({ key, material });
  }
}

/** Resolves to the key when it has more materials than were destroyed: the rotation of its primary gives a replica one at any time. */
function removeDestroyed(destroyed: KeyRecord, { store, clock }: ServiceParts): Promise<KeyRecord | undefined> {
  return store.transact((newest) => {
    const current = newest.key(destroyed, destroyed.keyId);
    if (current !== undefined && current.materials.length > destroyed.materials.length) return { changes: [], result: current };
    return { changes: removal(destroyed, newest, clock.nowMs()), result: undefined };
  });
}

/** At least one, so that a key whose imported material is gone is held to its destruction too. */
function intentsFor(key: KeyRecord, parts: ServiceParts): readonly IntentRecord[] {
  const present = key.materials.filter(isPresent);
  if (present.length === 0) return [newIntent('destroy-material', key, noKeyStore, noObjectId, parts)];
  return present.map((material) => newIntent('destroy-material', key, material.keyStore, objectIdOf(material), parts));
}

function removal(key: KeyRecord, store: Store, nowMs: number): readonly Change[] {
  const current = store.key(key, key.keyId);
  const aliases = store.listAliases(key, key.keyId, undefined, store.countAliases(key, key.keyId)).items;
  return [
    ...(current === undefined ? [] : [{ kind: 'delete-key', record: current } as const]),
    ...lastUseRemoved(store, key),
    ...(current === undefined ? [] : keyLeavesCustomKeyStore(current)),
    ...(current === undefined ? [] : replicaRemoved(current, store, nowMs)),
    ...aliases.map((record) => ({ kind: 'delete-alias', record }) as const),
    ...intentsToDestroy(key, store).map(({ intentId, fence }) => ({ kind: 'delete-intent', intentId, fence }) as const),
  ];
}

function intentsToDestroy(key: KeyIdentity, store: Store): readonly IntentRecord[] {
  return store
    .intents()
    .filter(
      ({ kind, keyId, scope }) =>
        kind === 'destroy-material' &&
        keyId === key.keyId &&
        scope.partition === key.partition &&
        scope.account === key.account &&
        scope.region === key.region,
    );
}

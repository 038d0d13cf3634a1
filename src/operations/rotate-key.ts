/**
 * The rotation of a key to a material that is made now: intent, key store, one commit that adds the material and makes it the current one.
 * What is encrypted from that commit on is encrypted under it. The material of a multi-Region key is in all Regions by then. Knows no
 * request and no schedule.
 */
import { KmsError } from '../errors.ts';
import { rotatedTo } from '../keys/rotation.ts';
import { currentKey } from './key-change.ts';
import { keyFamily, putShared } from './multi-region/key-family.ts';
import { makeCopies } from './multi-region/material-copies.ts';
import { makeObject } from './make-object.ts';
import { assertReachable } from './region-key-store.ts';
import type { KeyRecord, MaterialRecord, MaterialRotation } from '../keys/key-record.ts';
import type { Change, Store } from '../store/store.ts';
import type { ServiceParts } from './operation.ts';

export interface RotationRequest {
  readonly key: KeyRecord;
  readonly type: MaterialRotation['type'];
  /** Judges the newest record when the material has been made. Throws KmsError to refuse: the material is destroyed again. */
  readonly judge: (current: KeyRecord) => void;
}

/**
 * Makes a material of the same kind, in the key store of the one before, and makes it the current one. Resolves to the record now in
 * force. Rejects with what `judge` throws, with KmsError NotFoundException, or with an error of key store or store.
 */
export async function rotateToNewMaterial({ key, type, judge }: RotationRequest, parts: ServiceParts): Promise<KeyRecord> {
  const former = formerMaterial(key);
  const keyStore = parts.keyStores.byName(former.keyStore);
  assertReachable(keyStore);
  const { keySpec, keyUsage, multiRegion } = key;
  const rotated = await makeObject(
    {
      kind: 'create-material',
      key,
      keyStore,
      make: (objectId) => keyStore.createMaterial({ key, keySpec, keyUsage, objectId, ...(multiRegion && { multiRegion }) }),
      record: (material, endIntent) => {
        const replicas = replicasOf(key, parts.store);
        return makeCopies(
          key,
          replicas.map((to) => ({ material, to })),
          (copies, ends) =>
            parts.store.transact((store) => {
              const current = currentKey(store, key);
              judge(current);
              const others = withCopies(replicasOf(current, store), replicas, copies);
              const { record, changes } = becomeCurrent(store, current, material, { type, atMs: parts.clock.nowMs() }, others);
              return { changes: [...changes, ...ends, endIntent], result: { result: record, isKept: true } };
            }),
          parts,
        );
      },
    },
    parts,
  );
  await endEncryption(former, key, parts);
  return rotated;
}

/**
 * The changes by which `material`, a new one or one that was pending, becomes the current one of `key` in all its Regions. `replicas` are
 * those that got a copy of it.
 */
export function becomeCurrent(
  store: Store,
  key: KeyRecord,
  material: MaterialRecord,
  rotation: MaterialRotation,
  replicas: readonly KeyRecord[] = [],
): { readonly record: KeyRecord; readonly changes: readonly Change[] } {
  return putShared(store, rotatedTo(key, material, rotation), { others: replicas });
}

function replicasOf(key: KeyRecord, store: Store): readonly KeyRecord[] {
  return keyFamily(store, key)?.replicas ?? [];
}

/** The replicas as they are now, each with its copy. Throws KmsError ConflictException when they are not those that got one. */
function withCopies(current: readonly KeyRecord[], copied: readonly KeyRecord[], copies: readonly MaterialRecord[]): readonly KeyRecord[] {
  const copyOf = new Map(copied.map(({ region }, index) => [region, copies[index]]));
  const received = current.flatMap((replica) => {
    const copy = copyOf.get(replica.region);
    return copy === undefined ? [] : [{ ...replica, materials: [...replica.materials, copy] }];
  });
  if (received.length === current.length && current.length === copied.length) return received;
  throw new KmsError('ConflictException', 'The replicas of the key changed while it was rotated. You can retry the request.');
}

/**
 * Ends the epochs of a material that is no longer the current one. Nothing encrypts under it since the commit; a key store that cannot
 * forget it now keeps an epoch that nobody asks for, so that is no failure of the rotation.
 */
export async function endEncryption(former: MaterialRecord, key: KeyRecord, { keyStores, log }: ServiceParts): Promise<void> {
  try {
    await keyStores.byName(former.keyStore).forget(former.materialId);
  } catch (error) {
    log.warn({ keyId: key.keyId, materialId: former.materialId, err: error }, 'the epochs of a rotated material are not ended yet');
  }
}

/** The material that a rotation replaces. */
export function formerMaterial(key: KeyRecord): MaterialRecord {
  const material = key.materials.find(({ materialId }) => materialId === key.currentMaterialId);
  if (material === undefined) throw new Error(`key ${key.keyId} is ${key.state} without a current material`);
  return material;
}

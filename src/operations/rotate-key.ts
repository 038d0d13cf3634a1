/**
 * The rotation of a key to a material that is made now: intent, key store, one commit that adds the material and makes it the current one.
 * What is encrypted from that commit on is encrypted under it. Knows no request and no schedule.
 */
import { rotatedTo } from '../keys/rotation.ts';
import { currentKey } from './key-change.ts';
import { makeObject } from './make-object.ts';
import { assertReachable } from './region-key-store.ts';
import type { KeyRecord, MaterialRecord, MaterialRotation } from '../keys/key-record.ts';
import type { Change } from '../store/store.ts';
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
      record: (material, endIntent) =>
        parts.store.transact((store) => {
          const current = currentKey(store, key);
          judge(current);
          const { record, changes } = becomeCurrent(current, material, { type, atMs: parts.clock.nowMs() });
          return { changes: [...changes, endIntent], result: { result: record, isKept: true } };
        }),
    },
    parts,
  );
  await endEncryption(former, key, parts);
  return rotated;
}

/** The changes by which `material`, a new one or one that was pending, becomes the current one of `key`. */
export function becomeCurrent(
  key: KeyRecord,
  material: MaterialRecord,
  rotation: MaterialRotation,
): { readonly record: KeyRecord; readonly changes: readonly Change[] } {
  const record = { ...rotatedTo(key, material, rotation), version: key.version + 1 };
  return { record, changes: [{ kind: 'put-key', record, replacesVersion: key.version }] };
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

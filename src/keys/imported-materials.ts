/** What deletion and expiry of imported materials make of a key: its record, its state (kms-api.md sections 4 and 5.2). */
import { isPresent } from './key-record.ts';
import type { KeyRecord, KeyState, MaterialRecord } from './key-record.ts';

/** True when everything that was ever encrypted with the key can be decrypted: all its materials are there, pending ones aside. */
export function isComplete({ materials }: KeyRecord): boolean {
  const permanent = materials.filter((material) => material.pending === undefined);
  return permanent.length > 0 && permanent.every(isPresent);
}

/** `key` in the state that its materials allow, if it is in one that depends on them. */
export function inStateOfMaterials(key: KeyRecord): KeyRecord {
  const state = stateOfMaterials(key);
  return state === key.state ? key : { ...key, state };
}

/** The state of a key whose deletion is cancelled. */
export function stateAfterCancellation(key: KeyRecord): KeyState {
  return key.origin === 'EXTERNAL' && !isComplete(key) ? 'PendingImport' : 'Disabled';
}

/** True for an imported material whose time is over, whether it was destroyed already or not. */
export function isExpired({ import: imported }: MaterialRecord, nowMs: number): boolean {
  return imported?.state === 'IMPORTED' && imported.validToMs !== undefined && imported.validToMs <= nowMs;
}

/**
 * The key without the imported materials that `isGone` picks: a material that belongs to the key for good stays on record, so that only
 * the same one is taken again; one that is pending leaves no trace.
 */
export function withoutMaterials(key: KeyRecord, isGone: (material: MaterialRecord) => boolean): KeyRecord {
  const materials = key.materials.flatMap((material) => {
    if (!isGone(material)) return [material];
    return material.pending === undefined ? [absent(material)] : [];
  });
  return inStateOfMaterials({ ...key, materials });
}

/** The key as it is at `nowMs`: a material whose time is over counts as gone from that moment on, before any sweep destroys it. */
export function keyAt(key: KeyRecord, nowMs: number): KeyRecord {
  if (!key.materials.some((material) => isExpired(material, nowMs))) return key;
  return withoutMaterials(key, (material) => isExpired(material, nowMs));
}

function absent(material: MaterialRecord): MaterialRecord {
  if (material.import === undefined) throw new RangeError(`material ${material.materialId} was not imported`);
  const { validToMs: _validTo, ...imported } = material.import;
  return { ...material, reference: new Uint8Array(0), import: { ...imported, state: 'PENDING_IMPORT' } };
}

function stateOfMaterials(key: KeyRecord): KeyState {
  if (key.state === 'PendingImport') return isComplete(key) ? 'Enabled' : key.state;
  return (key.state === 'Enabled' || key.state === 'Disabled') && !isComplete(key) ? 'PendingImport' : key.state;
}

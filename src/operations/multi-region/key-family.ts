/** Changes of a multi-Region key together with what its other Regions share of them, in one transaction. */
import { isDeepStrictEqual } from 'node:util';
import { familyOf, isReplica, synchronised } from '../../keys/multi-region.ts';
import { isPresent } from '../../keys/key-record.ts';
import type { KeyFamily } from '../../keys/multi-region.ts';
import type { KeyRecord, MaterialRecord } from '../../keys/key-record.ts';
import type { Change, Store } from '../../store/store.ts';

/** A material of a key. */
export interface OwnedMaterial {
  readonly key: KeyRecord;
  readonly material: MaterialRecord;
}

export interface SharedChange {
  /** The changed key as it is then in force. */
  readonly record: KeyRecord;
  readonly changes: readonly Change[];
  /** Materials of other Regions that no record names any more. */
  readonly dropped: readonly OwnedMaterial[];
}

/** The multi-Region key with its primary and replicas. Undefined for single-Region keys. */
export function keyFamily(store: Store, key: KeyRecord): KeyFamily | undefined {
  return key.multiRegion ? familyOf(key, store.keysById(key.keyId)) : undefined;
}

/** True for a primary that cannot be deleted yet. */
export function hasReplicas(key: KeyRecord, store: Store): boolean {
  const family = keyFamily(store, key);
  return family !== undefined && family.primary.region === key.region && family.replicas.length > 0;
}

/** What changes of a family besides one of its keys. */
export interface FurtherChanges {
  /** Records of its other Regions, in place of the versions that they name. */
  readonly others?: readonly KeyRecord[];
  /** The Region whose key goes. */
  readonly without?: string;
}

/**
 * Puts `changed` in place of the version that it names, a new one where that is 0, and with it whatever changes of its other Regions. The
 * primary is written in any case, so that of changes in two Regions at once one is judged with the other.
 */
export function putShared(store: Store, changed: KeyRecord, { others = [], without }: FurtherChanges = {}): SharedChange {
  if (!changed.multiRegion) return { record: raised(changed), changes: [put(changed)], dropped: [] };
  const given = [changed, ...others];
  const stored = store.keysById(changed.keyId).filter((key) => key.partition === changed.partition && key.account === changed.account);
  const before = (member: KeyRecord): KeyRecord | undefined => inRegion(stored, member.region);
  const untouched = stored.filter(({ region }) => region !== without && inRegion(given, region) === undefined);
  const family = familyOf(changed, [...given, ...untouched]);
  const members = family === undefined ? given : allOf(synchronised(family));
  const written = members.filter(
    (member) => inRegion(given, member.region) !== undefined || !isReplica(member) || !isDeepStrictEqual(member, before(member)),
  );
  return {
    record: raised(inRegion(written, changed.region) ?? changed),
    changes: written.map(put),
    dropped: written.filter(({ region }) => region !== changed.region).flatMap((member) => droppedOf(before(member), member)),
  };
}

function inRegion(keys: readonly KeyRecord[], region: string): KeyRecord | undefined {
  return keys.find((key) => key.region === region);
}

function allOf({ primary, replicas }: KeyFamily): readonly KeyRecord[] {
  return [primary, ...replicas];
}

function droppedOf(before: KeyRecord | undefined, after: KeyRecord): readonly OwnedMaterial[] {
  const kept = new Set(after.materials.map(({ materialId }) => materialId));
  const dropped = before?.materials.filter((material) => isPresent(material) && !kept.has(material.materialId)) ?? [];
  return dropped.map((material) => ({ key: after, material }));
}

function raised(record: KeyRecord): KeyRecord {
  return { ...record, version: record.version + 1 };
}

function put(record: KeyRecord): Change {
  return { kind: 'put-key', record: raised(record), replacesVersion: record.version };
}

/** Changes of a multi-Region key together with what its other Regions share of them, in one transaction. */
import { isDeepStrictEqual } from 'node:util';
import { familyOf, synchronised } from '../../keys/multi-region.ts';
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

/**
 * Puts `changed` in place of the version that it names, and with it whatever changes of its other Regions. `others` are records of those
 * that change besides.
 */
export function putShared(store: Store, changed: KeyRecord, others: readonly KeyRecord[] = []): SharedChange {
  if (!changed.multiRegion) return { record: raised(changed), changes: [put(changed)], dropped: [] };
  const given = [changed, ...others];
  const stored = store.keysById(changed.keyId);
  const family = familyOf(
    changed,
    stored.map((key) => given.find(({ region }) => region === key.region) ?? key),
  );
  const members = family === undefined ? [changed] : allOf(synchronised(family));
  const before = (member: KeyRecord): KeyRecord | undefined => stored.find(({ region }) => region === member.region);
  const written = members.filter((member) => member.region === changed.region || !isDeepStrictEqual(member, before(member)));
  return {
    record: raised(written.find(({ region }) => region === changed.region) ?? changed),
    changes: written.map(put),
    dropped: written.filter(({ region }) => region !== changed.region).flatMap((member) => droppedOf(before(member), member)),
  };
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

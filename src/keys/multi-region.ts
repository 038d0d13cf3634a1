/**
 * Multi-Region keys as records: a primary and its replicas, which have the same key id in other Regions, and what they share
 * (kms-api.md 5.3). Knows no store.
 */
import { keyArn } from './arn.ts';
import { inStateOfMaterials } from './imported-materials.ts';
import { isPresent } from './key-record.ts';
import type { KeyRecord, MaterialRecord, PendingMaterial } from './key-record.ts';

/** True for keys that follow their primary, in another Region. */
export function isReplica({ multiRegion, primaryRegion, region }: KeyRecord): boolean {
  return multiRegion && primaryRegion !== region;
}

/** A multi-Region key in all its Regions. */
export interface KeyFamily {
  readonly primary: KeyRecord;
  readonly replicas: readonly KeyRecord[];
}

/** The family of a multi-Region key, of all keys that have its key id. Undefined when its primary is not among them. */
export function familyOf({ partition, account }: KeyRecord, keysOfId: readonly KeyRecord[]): KeyFamily | undefined {
  const members = keysOfId.filter((key) => key.partition === partition && key.account === account);
  const primary = members.find((key) => !isReplica(key));
  return primary && { primary, replicas: members.filter((key) => key !== primary) };
}

/** MultiRegionConfiguration of KeyMetadata; nothing for single-Region keys. */
export function multiRegionMembers(key: KeyRecord, keysOfId: readonly KeyRecord[]): object {
  const family = key.multiRegion ? familyOf(key, keysOfId) : undefined;
  if (family === undefined) return {};
  const replicas = family.replicas.toSorted((a, b) => (a.region < b.region ? -1 : 1));
  return {
    MultiRegionConfiguration: {
      MultiRegionKeyType: isReplica(key) ? 'REPLICA' : 'PRIMARY',
      PrimaryKey: named(family.primary),
      ReplicaKeys: replicas.map(named),
    },
  };
}

function named(key: KeyRecord): object {
  return { Arn: keyArn(key), Region: key.region };
}

/**
 * The family with what it shares as the primary has it: the rotation settings, which material is the current one, how each became so,
 * and of imported ones which there are and whether every Region has the pending one.
 */
export function synchronised({ primary, replicas }: KeyFamily): KeyFamily {
  const pending = pendingOf([primary, ...replicas], primary);
  const settled =
    pending === undefined ? primary : { ...primary, materials: primary.materials.map((material) => inPending(material, pending)) };
  return { primary: settled, replicas: replicas.map((replica) => following(replica, settled)) };
}

/** A material of an imported key that its replica has still to import. */
function awaitedImport(material: MaterialRecord): MaterialRecord {
  const { import: imported } = material;
  if (imported === undefined) throw new RangeError(`material ${material.materialId} was not imported`);
  const { validToMs: _validTo, ...terms } = imported;
  return { ...material, reference: new Uint8Array(0), import: { ...terms, state: 'PENDING_IMPORT', throughSoftware: false } };
}

function following(replica: KeyRecord, primary: KeyRecord): KeyRecord {
  const materials = primary.materials.flatMap((material) => ownCopy(material, replica));
  const { rotationSchedule: _former, ...rest } = replica;
  const { rotationSchedule, currentMaterialId } = primary;
  return inStateOfMaterials({
    ...rest,
    materials,
    ...(currentMaterialId !== undefined && { currentMaterialId }),
    ...(rotationSchedule && { rotationSchedule }),
  });
}

function ownCopy(material: MaterialRecord, { materials, origin }: KeyRecord): readonly MaterialRecord[] {
  const own = materials.find(({ materialId }) => materialId === material.materialId);
  if (own === undefined) return origin === 'EXTERNAL' ? [awaitedImport(material)] : [];
  const { rotation: _rotation, pending: _pending, ...rest } = own;
  const { rotation, pending } = material;
  return [{ ...rest, ...(rotation && { rotation }), ...(pending && { pending }), ...importOf(own, material) }];
}

/** The description is shared; whether and for how long the material is there is each Region's own. */
function importOf({ import: own }: MaterialRecord, { import: ofPrimary }: MaterialRecord): Pick<MaterialRecord, 'import'> {
  if (own === undefined) return {};
  const { description: _former, ...terms } = own;
  const description = ofPrimary?.description;
  return { import: { ...terms, ...(description !== undefined && { description }) } };
}

/** What the pending material of the primary waits for; undefined when it has none. */
function pendingOf(members: readonly KeyRecord[], { materials }: KeyRecord): PendingMaterial | undefined {
  const pending = materials.find((material) => material.pending !== undefined);
  if (pending === undefined) return undefined;
  const isHeldBy = (key: KeyRecord): boolean => key.materials.some((own) => own.materialId === pending.materialId && isPresent(own));
  return members.every(isHeldBy) ? 'PENDING_ROTATION' : 'PENDING_MULTI_REGION_IMPORT_AND_ROTATION';
}

function inPending(material: MaterialRecord, pending: PendingMaterial): MaterialRecord {
  return material.pending === undefined || material.pending === pending ? material : { ...material, pending };
}

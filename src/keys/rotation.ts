/** Rotation of key material as a record shows it: which keys can rotate, when the next rotation is due, what has been rotated (kms-api.md 5.1). */
import { isPresent } from './key-record.ts';
import type { KeyRecord, MaterialRecord, MaterialRotation, RotationSchedule } from './key-record.ts';

export const rotationPeriodDaysDefault = 365;
/** In the life of a key. */
export const onDemandRotationsMax = 25;

const MS_PER_DAY = 86_400_000;

/** True for keys whose material this service makes anew on a schedule. */
export function canRotateAutomatically({ keySpec, origin }: KeyRecord): boolean {
  return keySpec === 'SYMMETRIC_DEFAULT' && origin === 'AWS_KMS';
}

/** True for keys that can have more than one material. */
export function canRotate({ keySpec, origin }: KeyRecord): boolean {
  return keySpec === 'SYMMETRIC_DEFAULT' && (origin === 'AWS_KMS' || origin === 'EXTERNAL');
}

/** A schedule whose clock starts now. */
export function rotationScheduleFrom(nowMs: number, periodDays: number): RotationSchedule {
  return { periodDays, nextAtMs: nowMs + periodDays * MS_PER_DAY };
}

/** True when the key is to be rotated now: a key that is not Enabled waits until it is. */
export function isRotationDue({ state, rotationSchedule }: KeyRecord, nowMs: number): boolean {
  return state === 'Enabled' && rotationSchedule !== undefined && rotationSchedule.nextAtMs <= nowMs;
}

/** The key with a further material that becomes the current one. An automatic rotation starts the clock of its schedule anew. */
export function rotatedTo(key: KeyRecord, material: MaterialRecord, rotation: MaterialRotation): KeyRecord {
  const { pending: _pending, ...rest } = material;
  const current: MaterialRecord = { ...rest, rotation };
  const isKnown = key.materials.some(({ materialId }) => materialId === current.materialId);
  const materials = isKnown
    ? key.materials.map((other) => (other.materialId === current.materialId ? current : other))
    : [...key.materials, current];
  const schedule = rotation.type === 'AUTOMATIC' ? key.rotationSchedule : undefined;
  return {
    ...key,
    materials,
    currentMaterialId: current.materialId,
    ...(schedule && { rotationSchedule: rotationScheduleFrom(rotation.atMs, schedule.periodDays) }),
  };
}

/** The imported material that the next rotation on demand makes the current one. */
export function materialPendingRotation({ materials }: KeyRecord): MaterialRecord | undefined {
  return materials.find((material) => material.pending === 'PENDING_ROTATION' && isPresent(material));
}

export function countOnDemandRotations({ materials }: KeyRecord): number {
  return materials.filter(({ rotation }) => rotation?.type === 'ON_DEMAND').length;
}

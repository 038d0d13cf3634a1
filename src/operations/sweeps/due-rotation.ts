/**
 * Automatic rotation: of keys whose schedule says so, and of keys whose material nears the end of its uses. A key that is not Enabled
 * waits; what fails is logged and repeated in a later round.
 */
import { isKmsError, KmsError } from '../../errors.ts';
import { isReplica } from '../../keys/multi-region.ts';
import { canRotateAutomatically, isRotationDue } from '../../keys/rotation.ts';
import { KeyStoreError } from '../../keystore/keystore.ts';
import { formerMaterial, rotateToNewMaterial } from '../rotate-key.ts';
import { clockJumpMark } from './destroy-key.ts';
import { takeWornKeys } from './worn-materials.ts';
import type { KeyRecord } from '../../keys/key-record.ts';
import type { ServiceParts } from '../operation.ts';

/** Attempts of one round, so that a round ends in bounded time. The longest overdue come first. */
const rotationsPerRoundMax = 100;

interface RotatingKey {
  readonly key: KeyRecord;
  /** Whatever its schedule says. */
  readonly isWorn: boolean;
}

/** Rotates what is due. Resolves to the number of keys rotated. While a jump of the wall clock is not confirmed no schedule counts. */
export async function sweepDueRotations(parts: ServiceParts): Promise<number> {
  const awayStores = new Set<string>();
  let rotated = 0;
  for (const rotating of (await rotatingKeys(parts)).slice(0, rotationsPerRoundMax)) {
    const keyStore = formerMaterial(rotating.key).keyStore;
    // Its keys would fail one like the other, each after the time that it takes.
    if (awayStores.has(keyStore)) continue;
    const outcome = await tryRotate(rotating, parts);
    if (outcome === 'rotated') rotated += 1;
    else if (outcome === 'key-store-away') awayStores.add(keyStore);
  }
  return rotated;
}

async function rotatingKeys({ store, clock }: ServiceParts): Promise<readonly RotatingKey[]> {
  const nowMs = clock.nowMs();
  const worn = (await takeWornKeys(store)).filter((key) => key.state === 'Enabled');
  const due = store.mark(clockJumpMark) === undefined ? store.scheduledKeys().filter((key) => isRotationDue(key, nowMs)) : [];
  return [
    ...worn.map((key) => ({ key, isWorn: true })),
    ...due.toSorted((a, b) => dueAtMs(a) - dueAtMs(b)).map((key) => ({ key, isWorn: false })),
  ].filter(({ key }) => canRotateAutomatically(key) && !isReplica(key));
}

function dueAtMs({ rotationSchedule }: KeyRecord): number {
  return rotationSchedule?.nextAtMs ?? 0;
}

async function tryRotate({ key, isWorn }: RotatingKey, parts: ServiceParts): Promise<'rotated' | 'not-due' | 'failed' | 'key-store-away'> {
  const names = { keyId: key.keyId, account: key.account, region: key.region };
  const judge = (current: KeyRecord): void => {
    const isSame = current.state === 'Enabled' && current.currentMaterialId === key.currentMaterialId;
    if (!isSame || !(isWorn || isRotationDue(current, parts.clock.nowMs()))) throw new KmsError('ConflictException', 'not due any more');
  };
  try {
    const { currentMaterialId } = await rotateToNewMaterial({ key, type: 'AUTOMATIC', judge }, parts);
    parts.log.info({ ...names, previousMaterialId: key.currentMaterialId, currentMaterialId }, 'key rotated');
    return 'rotated';
  } catch (error) {
    if (isKmsError(error, 'ConflictException') || isKmsError(error, 'NotFoundException')) return 'not-due';
    parts.log.warn({ ...names, err: error }, 'key rotation is not done and will be repeated');
    return error instanceof KeyStoreError && ['unavailable', 'timeout'].includes(error.kind) ? 'key-store-away' : 'failed';
  }
}

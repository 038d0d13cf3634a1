/** RotateKeyOnDemand: a new current material at once, made here, or imported before and pending. The automatic schedule stays as it is. */
import { KmsError } from '../errors.ts';
import { keyArn } from '../keys/arn.ts';
import { keyAt } from '../keys/imported-materials.ts';
import { keyStateCheck } from '../keys/key-states.ts';
import { canRotate, countOnDemandRotations, materialPendingRotation, onDemandRotationsMax } from '../keys/rotation.ts';
import { currentKey } from './key-change.ts';
import { managedKey } from './named-key.ts';
import { defineOperation } from './operation.ts';
import { becomeCurrent, endEncryption, formerMaterial, rotateToNewMaterial } from './rotate-key.ts';
import { assertPrimary } from './rotation-settings.ts';
import type { KeyRecord } from '../keys/key-record.ts';
import type { Operation, ServiceParts } from './operation.ts';

/** As long before an automatic rotation none on demand begins. */
const NOT_BEFORE_AUTOMATIC_MS = 1_200_000;

const checkState = keyStateCheck('RotateKeyOnDemand');

export const rotateKeyOnDemand: Operation = defineOperation<object, 'key'>({
  name: 'RotateKeyOnDemand',
  action: 'RotateKeyOnDemand',
  keys: managedKey,
  check: (_input, { keys, parts }) => assertRotatable(keys.key.record, parts.clock.nowMs()),
  perform: async (_input, { keys, parts }) => {
    const { record } = keys.key;
    if (record.origin === 'EXTERNAL') await rotateToPending(record, parts);
    else await rotateToNew(record, parts);
    return { KeyId: keyArn(record) };
  },
});

/** Throws KmsError: UnsupportedOperationException, LimitExceededException, ConflictException. */
function assertRotatable(key: KeyRecord, nowMs: number): void {
  // Recordings show no message here (kms-api.md 10.1, 2).
  if (!canRotate(key)) throw new KmsError('UnsupportedOperationException');
  assertPrimary(key);
  if (countOnDemandRotations(key) >= onDemandRotationsMax) {
    throw new KmsError(
      'LimitExceededException',
      `The on-demand rotations limit has been reached for the given keyId. No more on-demand rotations can be performed for this key: ${keyArn(key)}`,
    );
  }
  if (key.rotationSchedule !== undefined && key.rotationSchedule.nextAtMs <= nowMs + NOT_BEFORE_AUTOMATIC_MS) {
    throw new KmsError(
      'ConflictException',
      'The request was rejected because an automatic rotation of this key is currently in progress or scheduled to begin within the next 20 minutes.',
    );
  }
}

function rotateToNew(key: KeyRecord, parts: ServiceParts): Promise<KeyRecord> {
  const judge = (current: KeyRecord): void => {
    checkState(current);
    assertRotatable(current, parts.clock.nowMs());
    if (current.currentMaterialId !== key.currentMaterialId) {
      throw new KmsError(
        'ConflictException',
        `Another rotation of ${keyArn(key)} was in progress. Look at ListKeyRotations before you retry.`,
      );
    }
  };
  return rotateToNewMaterial({ key, type: 'ON_DEMAND', judge }, parts);
}

async function rotateToPending(key: KeyRecord, parts: ServiceParts): Promise<void> {
  const nowMs = parts.clock.nowMs();
  const former = await parts.store.transact((store) => {
    const current = currentKey(store, key);
    // A pending material whose time is over counts as gone, though no sweep has destroyed it.
    const now = keyAt(current, nowMs);
    checkState(now);
    assertRotatable(now, nowMs);
    const pending = materialPendingRotation(now);
    if (pending === undefined) {
      throw new KmsError('KMSInvalidStateException', `No available key material pending rotation for the key: ${keyArn(key)}.`);
    }
    const { changes } = becomeCurrent(store, current, pending, { type: 'ON_DEMAND', atMs: nowMs });
    return { changes, result: formerMaterial(current) };
  });
  await endEncryption(former, key, parts);
}

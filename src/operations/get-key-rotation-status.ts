/** GetKeyRotationStatus: whether and when a key rotates by itself, and since when a rotation on demand is in progress. */
import { keyArn } from '../keys/arn.ts';
import { canRotateAutomatically } from '../keys/rotation.ts';
import { intentLeaseMs } from './intents.ts';
import { permittedKey } from './named-key.ts';
import { defineOperation } from './operation.ts';
import type { KeyRecord } from '../keys/key-record.ts';
import type { Store } from '../store/store.ts';
import type { Operation } from './operation.ts';

export const getKeyRotationStatus: Operation = defineOperation<object, 'key'>({
  name: 'GetKeyRotationStatus',
  action: 'GetKeyRotationStatus',
  keys: permittedKey,
  perform: (_input, { keys, parts }) => {
    const { record } = keys.key;
    const startedAtMs = onDemandRotationStartMs(record, parts.store, parts.clock.nowMs());
    return {
      KeyId: keyArn(record),
      ...scheduleMembers(record),
      ...(startedAtMs !== undefined && { OnDemandRotationStartDate: new Date(startedAtMs) }),
    };
  },
});

/** A key that is pending deletion does not rotate; what was set is in force again when the deletion is cancelled. */
function scheduleMembers({ rotationSchedule, state }: KeyRecord): object {
  const isDeleted = state === 'PendingDeletion' || state === 'PendingReplicaDeletion';
  if (rotationSchedule === undefined || isDeleted) return { KeyRotationEnabled: false };
  const { periodDays, nextAtMs } = rotationSchedule;
  return { KeyRotationEnabled: true, RotationPeriodInDays: periodDays, NextRotationDate: new Date(nextAtMs) };
}

/** A material that is being made for a key that has one already is its rotation, and on demand unless an automatic one is due. */
function onDemandRotationStartMs(key: KeyRecord, store: Store, nowMs: number): number | undefined {
  const isAutomatic = key.rotationSchedule !== undefined && key.rotationSchedule.nextAtMs <= nowMs;
  if (!canRotateAutomatically(key) || isAutomatic) return undefined;
  const intent = store
    .intents()
    .find(
      ({ kind, keyId, scope, leaseUntilMs }) =>
        kind === 'create-material' &&
        keyId === key.keyId &&
        scope.partition === key.partition &&
        scope.account === key.account &&
        scope.region === key.region &&
        leaseUntilMs > nowMs,
    );
  return intent && intent.leaseUntilMs - intentLeaseMs;
}

/**
 * ScheduleKeyDeletion: the key stops working now, and is destroyed after a waiting period of 7 to 30 days. That of a primary with replicas
 * begins when the last of them is gone.
 */
import { outOfBounds } from '../api/violations.ts';
import { keyArn } from '../keys/arn.ts';
import { pendingDeletion } from './pending-deletion.ts';
import { changeKey, forgetMaterials } from './key-change.ts';
import { hasReplicas } from './multi-region/key-family.ts';
import { managedKey } from './named-key.ts';
import { defineOperation } from './operation.ts';
import type { Operation } from './operation.ts';

interface ScheduleKeyDeletionInput {
  readonly PendingWindowInDays?: number;
}

const DAYS_MIN = 7;
const DAYS_MAX = 30;

export const scheduleKeyDeletion: Operation = defineOperation<ScheduleKeyDeletionInput, 'key'>({
  name: 'ScheduleKeyDeletion',
  action: 'ScheduleKeyDeletion',
  keys: managedKey,
  validate: ({ PendingWindowInDays: days = DAYS_MAX }) => {
    if (days < DAYS_MIN) throw outOfBounds(days, 'pendingWindowInDays', `Member must have value greater than or equal to ${DAYS_MIN}`);
    if (days > DAYS_MAX) throw outOfBounds(days, 'pendingWindowInDays', `Member must have value less than or equal to ${DAYS_MAX}`);
  },
  perform: async ({ PendingWindowInDays: days = DAYS_MAX }, context) => {
    const nowMs = context.parts.clock.nowMs();
    const scheduled = await changeKey('ScheduleKeyDeletion', context.keys.key, context, (current, store) =>
      hasReplicas(current, store)
        ? { ...current, state: 'PendingReplicaDeletion', pendingWindowDays: days }
        : pendingDeletion(current, days, nowMs),
    );
    await forgetMaterials(scheduled, context.parts);
    return {
      KeyId: keyArn(scheduled),
      ...(scheduled.deletionAtMs !== undefined && { DeletionDate: new Date(scheduled.deletionAtMs) }),
      KeyState: scheduled.state,
      PendingWindowInDays: days,
    };
  },
});

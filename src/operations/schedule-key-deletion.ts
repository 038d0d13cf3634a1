/** ScheduleKeyDeletion: the key stops working now, and is destroyed after a waiting period of 7 to 30 days. */
import { outOfBounds } from '../api/violations.ts';
import { keyArn } from '../keys/arn.ts';
import { changeKey, forgetMaterials } from './key-change.ts';
import { managedKey } from './named-key.ts';
import { defineOperation } from './operation.ts';
import type { Operation } from './operation.ts';

interface ScheduleKeyDeletionInput {
  readonly PendingWindowInDays?: number;
}

const DAYS_MIN = 7;
const DAYS_MAX = 30;
const MS_PER_DAY = 86_400_000;

export const scheduleKeyDeletion: Operation = defineOperation<ScheduleKeyDeletionInput, 'key'>({
  name: 'ScheduleKeyDeletion',
  action: 'ScheduleKeyDeletion',
  keys: managedKey,
  validate: ({ PendingWindowInDays: days = DAYS_MAX }) => {
    if (days < DAYS_MIN) throw outOfBounds(days, 'pendingWindowInDays', `Member must have value greater than or equal to ${DAYS_MIN}`);
    if (days > DAYS_MAX) throw outOfBounds(days, 'pendingWindowInDays', `Member must have value less than or equal to ${DAYS_MAX}`);
  },
  perform: async ({ PendingWindowInDays: days = DAYS_MAX }, context) => {
    const windowMs = days * MS_PER_DAY;
    const deletionAtMs = context.parts.clock.nowMs() + windowMs;
    const scheduled = await changeKey('ScheduleKeyDeletion', context.keys.key, context, (current) => ({
      ...current,
      state: 'PendingDeletion',
      deletionAtMs,
      pendingWindowDays: days,
      deletionRunningMsLeft: windowMs,
    }));
    await forgetMaterials(scheduled, context.parts);
    return {
      KeyId: keyArn(scheduled),
      DeletionDate: new Date(deletionAtMs),
      KeyState: scheduled.state,
      PendingWindowInDays: days,
    };
  },
});

/** EnableKeyRotation: new key material every 90 to 2,560 days from now on. Called again it sets the period and starts the clock anew. */
import { rotationPeriodDaysDefault, rotationScheduleFrom } from '../keys/rotation.ts';
import { changeKey } from './key-change.ts';
import { managedKey } from './named-key.ts';
import { defineOperation } from './operation.ts';
import { assertRotationSettable } from './rotation-settings.ts';
import type { Operation } from './operation.ts';

interface EnableKeyRotationInput {
  readonly RotationPeriodInDays?: number;
}

export const enableKeyRotation: Operation = defineOperation<EnableKeyRotationInput, 'key'>({
  name: 'EnableKeyRotation',
  action: 'EnableKeyRotation',
  keys: managedKey,
  check: (_input, { keys }) => assertRotationSettable(keys.key.record),
  perform: async ({ RotationPeriodInDays: periodDays = rotationPeriodDaysDefault }, context) => {
    const rotationSchedule = rotationScheduleFrom(context.parts.clock.nowMs(), periodDays);
    await changeKey('EnableKeyRotation', context.keys.key, context, (current) => {
      assertRotationSettable(current);
      return { ...current, rotationSchedule };
    });
    return undefined;
  },
});

/** DisableKeyRotation: no further automatic rotation; when the next one was due is forgotten. */
import { changeKey } from './key-change.ts';
import { managedKey } from './named-key.ts';
import { defineOperation } from './operation.ts';
import { assertRotationSettable } from './rotation-settings.ts';
import type { Operation } from './operation.ts';

export const disableKeyRotation: Operation = defineOperation<object, 'key'>({
  name: 'DisableKeyRotation',
  action: 'DisableKeyRotation',
  keys: managedKey,
  check: (_input, { keys }) => assertRotationSettable(keys.key.record),
  perform: async (_input, context) => {
    await changeKey('DisableKeyRotation', context.keys.key, context, (current) => {
      assertRotationSettable(current);
      const { rotationSchedule: _schedule, ...rest } = current;
      return rest;
    });
    return undefined;
  },
});

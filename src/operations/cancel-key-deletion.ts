/** CancelKeyDeletion: the key stays, disabled, or pending import when imported material of it is gone. Too late once its destruction has begun. */
import { KmsError } from '../errors.ts';
import { keyArn } from '../keys/arn.ts';
import { stateAfterCancellation } from '../keys/imported-materials.ts';
import { changeKey } from './key-change.ts';
import { managedKey } from './named-key.ts';
import { defineOperation } from './operation.ts';
import { isBeingDestroyed } from './sweeps/destroy-key.ts';
import type { Operation } from './operation.ts';

export const cancelKeyDeletion: Operation = defineOperation<object, 'key'>({
  name: 'CancelKeyDeletion',
  action: 'CancelKeyDeletion',
  keys: managedKey,
  perform: async (_input, context) => {
    const kept = await changeKey('CancelKeyDeletion', context.keys.key, context, (current, store) => {
      if (isBeingDestroyed(current, store)) throw new KmsError('KMSInvalidStateException', `${keyArn(current)} is being deleted.`);
      const { deletionAtMs: _at, pendingWindowDays: _days, deletionRunningMsLeft: _left, ...rest } = current;
      return { ...rest, state: stateAfterCancellation(current) };
    });
    return { KeyId: keyArn(kept) };
  },
});

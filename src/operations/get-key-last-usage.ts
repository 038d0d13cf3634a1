/** GetKeyLastUsage: the last successful cryptographic operation on a key, as far as it was noted (`last-uses.ts`). */
import { managedKey } from './named-key.ts';
import { defineOperation } from './operation.ts';
import type { KeyUse } from './last-uses.ts';
import type { Operation } from './operation.ts';

export const getKeyLastUsage: Operation = defineOperation<object, 'key'>({
  name: 'GetKeyLastUsage',
  action: 'GetKeyLastUsage',
  keys: managedKey,
  perform: (_input, { parts, keys }) => {
    const { record } = keys.key;
    return {
      KeyId: record.keyId,
      KeyLastUsage: usageMembers(parts.lastUses.lastUse(record, parts.store)),
      TrackingStartDate: new Date(Math.max(parts.lastUses.trackedSinceMs(parts.store), record.createdAtMs)),
      KeyCreationDate: new Date(record.createdAtMs),
    };
  },
});

/** An empty object for a key that was never used. CloudTrailEventId is absent: this service writes no CloudTrail events. */
function usageMembers(use: KeyUse | undefined): object {
  return use === undefined ? {} : { Operation: use.operation, Timestamp: new Date(use.atMs), KmsRequestId: use.requestId };
}

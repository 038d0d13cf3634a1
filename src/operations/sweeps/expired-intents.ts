/**
 * Intents whose owner did not finish in time: taken over (which fences the former owner off), then undone or finished. Only an
 * object that such an intent names is ever destroyed.
 */
import { intentLeaseMs } from '../intents.ts';
import { equalConstantTime } from '../../bytes.ts';
import { clockJumpMark, finishDestruction, isDue } from './destroy-key.ts';
import type { KeyRecord } from '../../keys/key-record.ts';
import type { IntentRecord } from '../../store/store.ts';
import type { ServiceParts } from '../operation.ts';

/** Settles every intent whose lease is over. Resolves to how many were settled; the rest is repeated when the new lease is over. */
export async function sweepExpiredIntents(parts: ServiceParts): Promise<number> {
  const nowMs = parts.clock.nowMs();
  const intents = await parts.store.takeOverIntents(parts.ownerId, nowMs, nowMs + intentLeaseMs);
  let settled = 0;
  for (const intent of intents) {
    try {
      if (await settle(intent, parts)) settled += 1;
    } catch (error) {
      parts.log.warn({ intentId: intent.intentId, keyStore: intent.keyStore, err: error }, 'intent is not settled and will be repeated');
    }
  }
  return settled;
}

async function settle(intent: IntentRecord, parts: ServiceParts): Promise<boolean> {
  const { store, clock } = parts;
  // A key with several materials has several intents: settling the first one settles all.
  if (!store.intents().some((open) => open.intentId === intent.intentId)) return true;
  const key = store.key(intent.scope, intent.keyId);
  if (intent.kind === 'destroy-material' && key !== undefined) {
    // Part of its material may be gone: the intent stays until the rest may go, so that nobody can cancel the deletion.
    if (store.mark(clockJumpMark) !== undefined || !isDue(key, clock.nowMs())) return false;
    await finishDestruction(key, parts);
    return true;
  }
  if (intent.kind === 'create-material' && !isRecorded(intent, key)) {
    const found = await parts.keyStores.byName(intent.keyStore).destroyByObjectId(intent.objectId);
    parts.log.info(
      { intentId: intent.intentId, keyStore: intent.keyStore, found },
      'material that was never recorded is cleaned up',
    );
  }
  await store.commit([{ kind: 'delete-intent', intentId: intent.intentId, fence: intent.fence }]);
  return true;
}

/** True when the object that the intent was to make became a material of its key: the commit took effect, its intent is only a leftover. */
function isRecorded({ objectId }: IntentRecord, key: KeyRecord | undefined): boolean {
  return key?.materials.some(({ residency, reference }) => residency === 'token' && equalConstantTime(reference, objectId)) === true;
}

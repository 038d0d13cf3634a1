/**
 * Intents whose owner did not finish in time: taken over (which fences the former owner off), then undone or finished. Only an
 * object that such an intent names is ever destroyed.
 */
import { intentLeaseMs } from '../intents.ts';
import { equalConstantTime, toHex } from '../../bytes.ts';
import { keyArn } from '../../keys/arn.ts';
import { importParametersKind } from '../import-parameters.ts';
import { forgetMaterials } from '../key-change.ts';
import { clockJumpMark, finishDestruction, isDue } from './destroy-key.ts';
import type { KeyRecord } from '../../keys/key-record.ts';
import type { IntentRecord, Store } from '../../store/store.ts';
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
  if (intent.kind !== 'destroy-material' && !isRecorded(intent, key, store)) await cleanUp(intent, key, parts);
  await store.commit([{ kind: 'delete-intent', intentId: intent.intentId, fence: intent.fence }]);
  return true;
}

/**
 * Destroys the object of the intent. Of a material that was in use before, something may be cached, also when the same material is there
 * again: it is forgotten first.
 */
async function cleanUp(intent: IntentRecord, key: KeyRecord | undefined, parts: ServiceParts): Promise<void> {
  const keyStore = parts.keyStores.byName(intent.keyStore);
  if (intent.kind === 'discard-material' && key !== undefined) await forgetMaterials(key, parts);
  const found = await keyStore.destroyByObjectId(intent.objectId);
  parts.log.info({ intentId: intent.intentId, keyStore: intent.keyStore, found }, 'an object that no record names is cleaned up');
}

/** True when a record names the object of the intent: the commit took effect, the intent is only a leftover. */
function isRecorded({ kind, objectId }: IntentRecord, key: KeyRecord | undefined, store: Store): boolean {
  if (kind === 'create-import-key')
    return key !== undefined && store.item(importParametersKind, keyArn(key), toHex(objectId)) !== undefined;
  return key?.materials.some(({ residency, reference }) => residency === 'token' && equalConstantTime(reference, objectId)) === true;
}

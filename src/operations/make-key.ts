/**
 * The making of a key in the order that survives a crash at any point: intent on disk, material in the key store, record on disk
 * together with the end of the intent (DESIGN section 7). Knows no request.
 */
import { KeyStoreError } from '../keystore/keystore.ts';
import { StoreConflictError, StoreUnavailableError } from '../store/store.ts';
import { newIntent, newObjectId } from './intents.ts';
import type { KeyRecord, MaterialRecord } from '../keys/key-record.ts';
import type { KeyStore } from '../keystore/keystore.ts';
import type { IntentRecord } from '../store/store.ts';
import type { OperationContext, ServiceParts } from './operation.ts';

/** What a request decides about a new key. */
export type NewKey = Pick<
  KeyRecord,
  'partition' | 'account' | 'region' | 'keyId' | 'description' | 'keySpec' | 'keyUsage' | 'policy' | 'tags'
>;

/** Makes the key; it is Enabled, durable and visible when this resolves. Rejects with KmsError, KeyStoreError or a store's error. */
export async function makeKey(key: NewKey, keyStore: KeyStore, { parts, signal }: OperationContext): Promise<KeyRecord> {
  const intent = newIntent('create-material', key, keyStore.name, newObjectId(parts), parts);
  await parts.store.commit([{ kind: 'put-intent', record: intent }]);
  const material = await createMaterial(key, keyStore, intent, parts, signal);
  const record = recordOf(key, material, parts);
  try {
    await parts.store.commit([
      { kind: 'put-key', record, replacesVersion: 0 },
      { kind: 'delete-intent', intentId: intent.intentId, fence: intent.fence },
    ]);
  } catch (error) {
    // Only where the store promises that nothing took effect. Otherwise the intent stays, and the sweep looks before it destroys.
    if (surelyNotApplied(error)) await discardObject(keyStore, intent, parts);
    throw error;
  }
  return record;
}

function surelyNotApplied(error: unknown): boolean {
  return error instanceof StoreConflictError || (error instanceof StoreUnavailableError && !error.mayHaveApplied);
}

async function createMaterial(
  key: NewKey,
  keyStore: KeyStore,
  intent: IntentRecord,
  parts: ServiceParts,
  signal: AbortSignal | undefined,
): Promise<MaterialRecord> {
  try {
    return await keyStore.createMaterial({ key, keySpec: key.keySpec, keyUsage: key.keyUsage, objectId: intent.objectId }, signal);
  } catch (error) {
    // Refused before anything was made. After any other failure an object may exist, or come to exist: its intent stays.
    if (error instanceof KeyStoreError && (error.kind === 'unsupported' || error.kind === 'refused')) {
      await parts.store.commit([{ kind: 'delete-intent', intentId: intent.intentId, fence: intent.fence }]);
    }
    throw error;
  }
}

function recordOf(key: NewKey, material: MaterialRecord, parts: ServiceParts): KeyRecord {
  return {
    ...key,
    version: 1,
    origin: 'AWS_KMS',
    keyManager: 'CUSTOMER',
    state: 'Enabled',
    createdAtMs: parts.clock.nowMs(),
    multiRegion: false,
    materials: [material],
    currentMaterialId: material.materialId,
  };
}

async function discardObject(keyStore: KeyStore, intent: IntentRecord, { log }: ServiceParts): Promise<void> {
  try {
    await keyStore.destroyByObjectId(intent.objectId);
  } catch (error) {
    log.warn(
      { intentId: intent.intentId, keyStore: keyStore.name, err: error },
      'material of a key that was not recorded is left to the sweep',
    );
  }
}

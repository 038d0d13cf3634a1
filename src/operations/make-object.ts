/**
 * The making of an object in a key store in the order that survives a crash at any point: intent on disk, object in the key store, record
 * on disk together with the end of the intent (DESIGN section 7). Knows neither keys nor what the object is for.
 */
import { KmsError } from '../errors.ts';
import { KeyStoreError } from '../keystore/keystore.ts';
import { StoreConflictError, StoreUnavailableError } from '../store/store.ts';
import { newIntent, newObjectId } from './intents.ts';
import type { KeyIdentity } from '../keys/key-record.ts';
import type { KeyStore, KeyStoreErrorKind } from '../keystore/keystore.ts';
import type { Change, IntentRecord } from '../store/store.ts';
import type { ServiceParts } from './operation.ts';

/** An object that is to be made, and how it is recorded. */
export interface NewObject<Made, Result> {
  readonly kind: 'create-material' | 'create-import-key';
  readonly key: KeyIdentity;
  readonly keyStore: KeyStore;
  /** Makes the object with that CKA_ID. */
  readonly make: (objectId: Uint8Array) => Promise<Made>;
  /** One transaction with `endIntent` among its changes when the object is kept, and without it when it is not. */
  readonly record: (made: Made, endIntent: Change) => Promise<Recorded<Result>>;
}

export interface Recorded<Result> {
  readonly result: Result;
  readonly isKept: boolean;
}

/** Failures before which a key store makes nothing. After any other an object may exist, or come to exist: its intent stays. */
const nothingMade: ReadonlySet<KeyStoreErrorKind> = new Set([
  'unsupported',
  'refused',
  'invalid-ciphertext',
  'incorrect-material',
] as const);

/**
 * Makes and records an object; what is not recorded is destroyed, at once or by the sweep of intents. Rejects with what `make` or
 * `record` rejects with, or with an error of the store.
 */
export async function makeObject<Made, Result>(object: NewObject<Made, Result>, parts: ServiceParts): Promise<Result> {
  const intent = newIntent(object.kind, object.key, object.keyStore.name, newObjectId(parts), parts);
  await parts.store.commit([{ kind: 'put-intent', record: intent }]);
  const made = await makeUnder(intent, object, parts);
  const { result, isKept } = await recordOrDiscard(intent, object, made, parts);
  if (!isKept) await undo(intent, object.keyStore, parts);
  return result;
}

async function makeUnder<Made>(intent: IntentRecord, { make }: NewObject<Made, unknown>, parts: ServiceParts): Promise<Made> {
  try {
    return await make(intent.objectId);
  } catch (error) {
    if (error instanceof KeyStoreError && nothingMade.has(error.kind)) await parts.store.commit([endOf(intent)]);
    throw error;
  }
}

async function recordOrDiscard<Made, Result>(
  intent: IntentRecord,
  { keyStore, record }: NewObject<Made, Result>,
  made: Made,
  parts: ServiceParts,
): Promise<Recorded<Result>> {
  try {
    return await record(made, endOf(intent));
  } catch (error) {
    // Only where the store promises that nothing took effect. Otherwise the intent stays, and the sweep looks before it destroys.
    // Neither of the first two comes from a commit.
    if (error instanceof KmsError || error instanceof KeyStoreError) await undo(intent, keyStore, parts);
    else if (surelyNotApplied(error)) await discardObject(intent, keyStore, parts);
    throw error;
  }
}

function endOf({ intentId, fence }: IntentRecord): Change {
  return { kind: 'delete-intent', intentId, fence };
}

function surelyNotApplied(error: unknown): boolean {
  return error instanceof StoreConflictError || (error instanceof StoreUnavailableError && !error.mayHaveApplied);
}

/** Destroys the object and ends its intent. What fails of it is left to the sweep. */
async function undo(intent: IntentRecord, keyStore: KeyStore, parts: ServiceParts): Promise<void> {
  if (!(await discardObject(intent, keyStore, parts))) return;
  try {
    await parts.store.commit([endOf(intent)]);
  } catch (error) {
    parts.log.warn({ intentId: intent.intentId, err: error }, 'the intent of an object that was destroyed is left to the sweep');
  }
}

async function discardObject(intent: IntentRecord, keyStore: KeyStore, { log }: ServiceParts): Promise<boolean> {
  try {
    await keyStore.destroyByObjectId(intent.objectId);
    return true;
  } catch (error) {
    log.warn({ intentId: intent.intentId, keyStore: keyStore.name, err: error }, 'an object that was not recorded is left to the sweep');
    return false;
  }
}

/** Intents as this service writes them: what a crash must leave behind of an act on a token (DESIGN section 7). */
import { toHex } from '../bytes.ts';
import type { MaterialRecord, KeyIdentity } from '../keys/key-record.ts';
import type { IntentRecord } from '../store/store.ts';
import type { ServiceParts } from './operation.ts';

/** Longer than any key generation may take, so that no intent is taken over while its owner still works on it. */
export const intentLeaseMs = 600_000;

const INTENT_ID_BYTES = 16;
const OBJECT_ID_BYTES = 16;

/** A new intent of this process. `objectId` is the CKA_ID of the object that it is about. */
export function newIntent(
  kind: IntentRecord['kind'],
  key: KeyIdentity,
  keyStore: string,
  objectId: Uint8Array,
  parts: ServiceParts,
): IntentRecord {
  return {
    intentId: toHex(parts.randomBytes(INTENT_ID_BYTES)),
    kind,
    keyStore,
    scope: { partition: key.partition, account: key.account, region: key.region },
    keyId: key.keyId,
    objectId,
    owner: parts.ownerId,
    fence: 1,
    leaseUntilMs: parts.clock.nowMs() + intentLeaseMs,
  };
}

/** CKA_ID for an object that is about to be made: random, so never used before. */
export function newObjectId(parts: ServiceParts): Uint8Array {
  return parts.randomBytes(OBJECT_ID_BYTES);
}

/** Stands for a CKA_ID where there is no object. */
export const noObjectId: Uint8Array = new Uint8Array(OBJECT_ID_BYTES);

/** CKA_ID of a material's token object; zeros where no object stays in the token (wrapped, software). */
export function objectIdOf(material: MaterialRecord): Uint8Array {
  return material.residency === 'token' ? material.reference : noObjectId;
}

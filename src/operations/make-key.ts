/** The making of a key: with a material in the key store, or without one where the material is imported later. Knows no request. */
import { makeObject } from './make-object.ts';
import type { KeyRecord, MaterialRecord } from '../keys/key-record.ts';
import type { KeyStore } from '../keystore/keystore.ts';
import type { OperationContext, ServiceParts } from './operation.ts';

/** What a request decides about a new key. */
export type NewKey = Pick<
  KeyRecord,
  'partition' | 'account' | 'region' | 'keyId' | 'description' | 'keySpec' | 'keyUsage' | 'policy' | 'tags'
> & { readonly multiRegion?: boolean };

/** Makes the key; it is Enabled, durable and visible when this resolves. Rejects with KmsError, KeyStoreError or a store's error. */
export function makeKey(key: NewKey, keyStore: KeyStore, { parts, signal }: OperationContext): Promise<KeyRecord> {
  const { keySpec, keyUsage, multiRegion = false } = key;
  return makeObject(
    {
      kind: 'create-material',
      key,
      keyStore,
      make: (objectId) => keyStore.createMaterial({ key, keySpec, keyUsage, objectId, ...(multiRegion && { multiRegion }) }, signal),
      record: async (material, endIntent) => {
        const record: KeyRecord = { ...recordWithoutMaterial(key, parts), ...firstMaterial(material) };
        await parts.store.commit([{ kind: 'put-key', record, replacesVersion: 0 }, endIntent]);
        return { result: record, isKept: true };
      },
    },
    parts,
  );
}

/** Makes a key whose material is imported later: it is PendingImport until then. */
export async function makeKeyWithoutMaterial(key: NewKey, { parts }: OperationContext): Promise<KeyRecord> {
  const record: KeyRecord = { ...recordWithoutMaterial(key, parts), origin: 'EXTERNAL', state: 'PendingImport' };
  await parts.store.commit([{ kind: 'put-key', record, replacesVersion: 0 }]);
  return record;
}

/** The members of a key that come with its first material. */
export function firstMaterial(material: MaterialRecord): Pick<KeyRecord, 'materials' | 'currentMaterialId'> {
  return { materials: [material], currentMaterialId: material.materialId };
}

/** A new key as it is before it has a material. */
export function recordWithoutMaterial(key: NewKey, parts: Pick<ServiceParts, 'clock'>): KeyRecord {
  return {
    ...key,
    version: 1,
    origin: 'AWS_KMS',
    keyManager: 'CUSTOMER',
    state: 'Enabled',
    createdAtMs: parts.clock.nowMs(),
    multiRegion: key.multiRegion === true,
    ...(key.multiRegion === true && { primaryRegion: key.region }),
    materials: [],
  };
}

/** New keys of custom key stores: what a request may ask for, and their making in the key store behind the custom one (kms-api.md 6.1). */
import { invalid } from '../../api/violations.ts';
import { KmsError } from '../../errors.ts';
import { firstMaterial, recordWithoutMaterial } from '../make-key.ts';
import { makeObject } from '../make-object.ts';
import { customKeyStorePut, keyInCustomKeyStore } from './custom-key-store-items.ts';
import { assertConnected, connectedKeyStore, namedCustomKeyStore } from './named-custom-key-store.ts';
import type { KeyRecord } from '../../keys/key-record.ts';
import type { NewKey } from '../make-key.ts';
import type { OperationContext } from '../operation.ts';

/** Members of CreateKey that say where the key goes. */
export interface KeyPlaceInput {
  readonly Origin?: string;
  readonly CustomKeyStoreId?: string;
  readonly XksKeyId?: string;
  readonly MultiRegion?: boolean;
}

export type InCustomKeyStore = KeyPlaceInput & { readonly CustomKeyStoreId: string };

/** By the origin; `CustomKeyStoreId` is there once `validateKeyPlace` has passed. */
export function isInCustomKeyStore(input: KeyPlaceInput): input is InCustomKeyStore {
  return input.Origin === 'AWS_CLOUDHSM' || input.Origin === 'EXTERNAL_KEY_STORE';
}

/** Throws KmsError: ValidationException for members that do not go together, UnsupportedOperationException for keys that custom key stores do not hold. */
export function validateKeyPlace(input: KeyPlaceInput, keySpec: string): void {
  if (isInCustomKeyStore(input) !== (input.CustomKeyStoreId !== undefined)) {
    throw invalid('CustomKeyStoreId must be specified with the Origin AWS_CLOUDHSM or EXTERNAL_KEY_STORE, and only with these.');
  }
  if ((input.Origin === 'EXTERNAL_KEY_STORE') !== (input.XksKeyId !== undefined)) {
    throw invalid('XksKeyId must be specified with the Origin EXTERNAL_KEY_STORE, and only with it.');
  }
  if (!isInCustomKeyStore(input)) return;
  if (keySpec !== 'SYMMETRIC_DEFAULT') throw unsupported(`Custom key stores cannot hold keys of spec ${keySpec}.`);
  if (input.MultiRegion === true) throw unsupported('Custom key stores cannot hold multi-Region keys.');
}

/** Makes the key; it is recorded only while its custom key store is connected. Rejects with KmsError, KeyStoreError or a store's error. */
export function makeKeyInCustomKeyStore(
  key: NewKey,
  { Origin: origin, CustomKeyStoreId: customKeyStoreId }: InCustomKeyStore,
  context: OperationContext,
): Promise<KeyRecord> {
  const { parts, scope, signal } = context;
  const { keySpec, keyUsage } = key;
  const named = namedCustomKeyStore(parts.store, scope, customKeyStoreId);
  if ((origin === 'AWS_CLOUDHSM') !== (named.cluster !== undefined)) {
    throw unsupported(`Keys of origin ${origin} do not go to custom key store ${customKeyStoreId}, which is of another type.`);
  }
  const keyStore = connectedKeyStore(named, context);
  return makeObject(
    {
      kind: 'create-material',
      key,
      keyStore,
      make: (objectId) => keyStore.createMaterial({ key, keySpec, keyUsage, objectId }, signal),
      record: (material, endIntent) =>
        parts.store.transact((store) => {
          const current = namedCustomKeyStore(store, scope, customKeyStoreId);
          assertConnected(current);
          const record: KeyRecord = {
            ...recordWithoutMaterial(key, parts),
            ...firstMaterial(material),
            origin: 'AWS_CLOUDHSM',
            customKeyStoreId,
          };
          return {
            changes: [
              { kind: 'put-key', record, replacesVersion: 0 },
              keyInCustomKeyStore(record, customKeyStoreId),
              // So that a request to disconnect or delete it, judged at the same time, is judged again.
              customKeyStorePut(scope, { ...current, version: current.version + 1 }, current.version),
              endIntent,
            ],
            result: { result: record, isKept: true },
          };
        }),
    },
    parts,
  );
}

function unsupported(reason: string): KmsError {
  return new KmsError('UnsupportedOperationException', reason);
}

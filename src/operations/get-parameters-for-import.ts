/** GetParametersForImport: a wrapping key pair made in the key store, and the token that names it, valid for 24 hours. */
import { KmsError } from '../errors.ts';
import { keyArn } from '../keys/arn.ts';
import { wrappingRefusal } from '../keys/import-wrapping.ts';
import { keyStateCheck } from '../keys/key-states.ts';
import { importParametersItem, importParametersKind, importToken } from './import-parameters.ts';
import { currentKey } from './key-change.ts';
import { makeObject } from './make-object.ts';
import { managedKey } from './named-key.ts';
import { defineOperation } from './operation.ts';
import { keyStoreForImport } from './region-key-store.ts';
import type { KeyRecord } from '../keys/key-record.ts';
import type { Store } from '../store/store.ts';
import type { Operation } from './operation.ts';

interface GetParametersForImportInput {
  readonly WrappingAlgorithm: string;
  readonly WrappingKeySpec: string;
}

const VALID_MS = 86_400_000;
/** Valid sets of one key at a time: each is a key pair that the key store keeps. */
const SETS_MAX = 100;

const checkState = keyStateCheck('GetParametersForImport');

export const getParametersForImport: Operation = defineOperation<GetParametersForImportInput, 'key'>({
  name: 'GetParametersForImport',
  action: 'GetParametersForImport',
  keys: managedKey,
  check: ({ WrappingAlgorithm, WrappingKeySpec }, { keys, parts }) => {
    const { record } = keys.key;
    const refusal = wrappingRefusal(record.keySpec, WrappingAlgorithm, WrappingKeySpec);
    if (refusal !== undefined) throw new KmsError('UnsupportedOperationException', refusal);
    assertQuota(record, parts.store);
  },
  perform: async ({ WrappingAlgorithm, WrappingKeySpec }, context) => {
    const { parts, signal, keys } = context;
    const key = keys.key.record;
    const keyStore = keyStoreForImport(key.keySpec, context);
    const validToMs = parts.clock.nowMs() + VALID_MS;
    return makeObject(
      {
        kind: 'create-import-key',
        key,
        keyStore,
        make: async (objectId) => ({ objectId, ...(await keyStore.createImportKey(WrappingKeySpec, objectId, signal)) }),
        record: ({ objectId, publicKey, reference }, endIntent) => {
          const parameters = { keyStore: keyStore.name, wrappingAlgorithm: WrappingAlgorithm, validToMs, importKey: reference };
          const record = importParametersItem(key, objectId, parameters);
          const result = {
            KeyId: keyArn(key),
            ImportToken: importToken(key, objectId, validToMs),
            PublicKey: publicKey,
            ParametersValidTo: new Date(validToMs),
          };
          return parts.store.transact((store) => {
            const current = currentKey(store, key);
            checkState(current);
            assertQuota(current, store);
            return { changes: [{ kind: 'put-item', record, replacesVersion: 0 }, endIntent], result: { result, isKept: true } };
          });
        },
      },
      parts,
    );
  },
});

function assertQuota(key: KeyRecord, store: Store): void {
  if (store.countItems(importParametersKind, keyArn(key)) < SETS_MAX) return;
  throw new KmsError(
    'LimitExceededException',
    `${keyArn(key)} has ${SETS_MAX} sets of import parameters that are valid. Use one of them, or wait until one is 24 hours old.`,
  );
}

/** ImportKeyMaterial: material that was made elsewhere, unwrapped inside the key store, as a material of a key of origin EXTERNAL. */
import { invalid } from '../api/violations.ts';
import { KmsError } from '../errors.ts';
import { keyArn } from '../keys/arn.ts';
import { keyStateCheck } from '../keys/key-states.ts';
import { KeyStoreError } from '../keystore/keystore.ts';
import { afterImport } from './imported-record.ts';
import { parametersOfToken } from './import-parameters.ts';
import { currentKey } from './key-change.ts';
import { putShared } from './multi-region/key-family.ts';
import { makeObject } from './make-object.ts';
import { managedKey } from './named-key.ts';
import { defineOperation } from './operation.ts';
import { importsMaterial } from './region-key-store.ts';
import { assertPrimary } from './rotation-settings.ts';
import type { KeyRecord } from '../keys/key-record.ts';
import type { ImportedMaterial, KeyStore, MaterialImports } from '../keystore/keystore.ts';
import type { Change } from '../store/store.ts';
import type { ImportTerms } from './imported-record.ts';
import type { Recorded } from './make-object.ts';
import type { Operation, OperationContext, ServiceParts } from './operation.ts';

interface ImportKeyMaterialInput {
  readonly ImportToken: Uint8Array;
  readonly EncryptedKeyMaterial: Uint8Array;
  /** Milliseconds since the Unix epoch. */
  readonly ValidTo?: number;
  readonly ExpirationModel?: ImportTerms['expirationModel'];
  readonly ImportType?: 'NEW_KEY_MATERIAL' | 'EXISTING_KEY_MATERIAL';
  readonly KeyMaterialDescription?: string;
  readonly KeyMaterialId?: string;
}

const VALID_MS_MAX = 365 * 86_400_000;

const checkState = keyStateCheck('ImportKeyMaterial');

export const importKeyMaterial: Operation = defineOperation<ImportKeyMaterialInput, 'key'>({
  name: 'ImportKeyMaterial',
  action: 'ImportKeyMaterial',
  keys: managedKey,
  validate: (input) => {
    const expires = termsOf(input).expirationModel === 'KEY_MATERIAL_EXPIRES';
    if (expires && input.ValidTo === undefined) {
      throw invalid('A validTo date must be set if the ExpirationModel is KEY_MATERIAL_EXPIRES');
    }
    if (!expires && input.ValidTo !== undefined) {
      throw invalid('A validTo date must not be set if the ExpirationModel is KEY_MATERIAL_DOES_NOT_EXPIRE');
    }
    if (input.ImportType === 'NEW_KEY_MATERIAL' && input.KeyMaterialId !== undefined) {
      throw invalid('A KeyMaterialId must not be set if the ImportType is NEW_KEY_MATERIAL');
    }
  },
  check: (input, { parts, keys }) => {
    assertValidTo(input.ValidTo, parts.clock.nowMs());
    assertMembersOf(keys.key.record, input);
    assertTakesNew(keys.key.record, input.ImportType);
  },
  perform: async (input, context) => {
    const { record: key } = context.keys.key;
    const materialId = await importInto(key, input, context);
    return { KeyId: keyArn(key), ...(isSymmetricKey(key) && { KeyMaterialId: materialId }) };
  },
});

function importInto(key: KeyRecord, input: ImportKeyMaterialInput, { parts, signal }: OperationContext): Promise<string> {
  const parameters = parametersOfToken(input.ImportToken, key, parts.store, parts.clock.nowMs());
  const keyStore = importingStore(parameters.keyStore, parts);
  const suite = key.materials[0]?.suite;
  const request = {
    key,
    keySpec: key.keySpec,
    keyUsage: key.keyUsage,
    multiRegion: key.multiRegion,
    importKey: parameters.importKey,
    wrappingAlgorithm: parameters.wrappingAlgorithm,
    wrapped: input.EncryptedKeyMaterial,
    ...(suite && { suite }),
  };
  return makeObject(
    {
      kind: 'create-material',
      key,
      keyStore,
      make: (objectId) => keyStore.importMaterial({ ...request, objectId }, signal),
      record: (imported, endIntent) => recordImport(key, imported, termsOf(input), endIntent, parts),
    },
    parts,
  );
}

/** Judges by the newest record what the material is, and records it. Resolves to its id. */
function recordImport(
  key: KeyRecord,
  imported: ImportedMaterial,
  terms: ImportTerms,
  endIntent: Change,
  parts: ServiceParts,
): Promise<Recorded<string>> {
  return parts.store.transact((store) => {
    const current = currentKey(store, key);
    checkState(current);
    assertTakesNew(current, terms.importType);
    const { record, isKept } = afterImport(current, imported, terms);
    const { changes } = putShared(store, record);
    return { changes: isKept ? [...changes, endIntent] : changes, result: { result: imported.material.materialId, isKept } };
  });
}

function importingStore(name: string, parts: ServiceParts): KeyStore & MaterialImports {
  const keyStore = parts.keyStores.byName(name);
  if (!importsMaterial(keyStore)) throw new KeyStoreError('unsupported', `The key store ${name} does not import key material.`);
  return keyStore;
}

function termsOf(input: ImportKeyMaterialInput): ImportTerms {
  return {
    importType: input.ImportType,
    materialId: input.KeyMaterialId,
    expirationModel: input.ExpirationModel ?? 'KEY_MATERIAL_EXPIRES',
    validToMs: input.ValidTo,
    description: input.KeyMaterialDescription,
  };
}

function isSymmetricKey({ keySpec }: KeyRecord): boolean {
  return keySpec === 'SYMMETRIC_DEFAULT';
}

function assertValidTo(validToMs: number | undefined, nowMs: number): void {
  if (validToMs === undefined) return;
  if (validToMs <= nowMs) throw invalid('The validTo date must be in the future');
  if (validToMs > nowMs + VALID_MS_MAX) throw invalid('The validTo date must be at most 365 days in the future');
}

/** What a replica may have is what its primary has. */
function assertTakesNew(key: KeyRecord, importType: ImportTerms['importType']): void {
  if (importType === 'NEW_KEY_MATERIAL') assertPrimary(key);
}

/** Only symmetric encryption keys can have several materials, and so tell them apart. */
function assertMembersOf(key: KeyRecord, input: ImportKeyMaterialInput): void {
  if (isSymmetricKey(key)) return;
  for (const member of ['ImportType', 'KeyMaterialDescription', 'KeyMaterialId'] as const) {
    if (input[member] === undefined) continue;
    throw new KmsError(
      'UnsupportedOperationException',
      `${keyArn(key)} key spec is ${key.keySpec}. ${member} can be used with symmetric encryption keys only.`,
    );
  }
}

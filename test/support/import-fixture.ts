/** A key of origin EXTERNAL over fakes, and its imports. */
import { randomBytes } from 'node:crypto';
import { runSweeps } from '../../src/operations/sweeps/run-sweeps.ts';
import { fakeWrapped } from './fake-key-store.ts';
import { base64, openFixture } from './kms-fixture.ts';
import type { KeyRecord } from '../../src/keys/key-record.ts';
import type { SweepReport } from '../../src/operations/sweeps/run-sweeps.ts';
import type { KmsFixture } from './kms-fixture.ts';

/** Terms of an import without an end. */
export const forever = { ExpirationModel: 'KEY_MATERIAL_DOES_NOT_EXPIRE' } as const;

export interface ImportParameters {
  readonly ImportToken: Uint8Array;
  readonly PublicKey: Uint8Array;
  readonly ParametersValidTo: Date;
}

export interface ImportFixture extends KmsFixture {
  readonly KeyId: string;
  readonly Arn: string;
  /** The record as the store has it. */
  readonly record: () => KeyRecord;
  readonly parameters: (KeyId?: string) => Promise<ImportParameters>;
  /** Imports with parameters of its own. */
  // oxlint-disable-next-line typescript/no-explicit-any
  readonly importMaterial: (material: Uint8Array, terms?: object) => Promise<any>;
  readonly sweep: () => Promise<SweepReport>;
  /** Materials in the key store; wrapping keys are not counted. */
  readonly materials: () => number;
}

export async function openImports(): Promise<ImportFixture> {
  const fixture = openFixture();
  const { KeyId, Arn } = await fixture.createKey({ Origin: 'EXTERNAL' });
  const { perform, store, caller, parts, keyStore } = fixture;
  const parameters: ImportFixture['parameters'] = (id = KeyId) =>
    perform('GetParametersForImport', { KeyId: id, WrappingAlgorithm: 'RSAES_OAEP_SHA_256', WrappingKeySpec: 'RSA_4096' });
  return {
    ...fixture,
    KeyId,
    Arn,
    record: () => store.key(caller, KeyId)!,
    parameters,
    importMaterial: async (material, terms = forever) => {
      const { ImportToken, PublicKey } = await parameters();
      const EncryptedKeyMaterial = base64(fakeWrapped(PublicKey, material));
      return perform('ImportKeyMaterial', { KeyId, ImportToken: base64(ImportToken), EncryptedKeyMaterial, ...terms });
    },
    sweep: () => runSweeps(parts, { runningMs: 0, wallMs: 0 }),
    materials: () => [...keyStore.objects.values()].filter((bytes) => bytes.length === 32).length,
  };
}

export interface ImportedFixture extends ImportFixture {
  readonly material: Buffer;
  readonly materialId: string;
}

/** A key with its first material. */
export async function openImported(terms?: object): Promise<ImportedFixture> {
  const fixture = await openImports();
  const material = randomBytes(32);
  const { KeyMaterialId } = await fixture.importMaterial(material, terms);
  return { ...fixture, material, materialId: KeyMaterialId };
}

export interface PendingFixture extends ImportedFixture {
  readonly second: Buffer;
  readonly secondId: string;
}

/** A key with a current material and one that is pending. */
export async function openPending(): Promise<PendingFixture> {
  const fixture = await openImported();
  const second = randomBytes(32);
  const { KeyMaterialId } = await fixture.importMaterial(second, { ...forever, ImportType: 'NEW_KEY_MATERIAL' });
  return { ...fixture, second, secondId: KeyMaterialId };
}

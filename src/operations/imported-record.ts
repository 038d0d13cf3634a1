/** What an import makes of a key: which material it may be, what becomes of it, and the record afterwards (kms-api.md 5.1 and 5.2). */
import { KmsError } from '../errors.ts';
import { keyArn } from '../keys/arn.ts';
import { inStateOfMaterials } from '../keys/imported-materials.ts';
import { isPresent } from '../keys/key-record.ts';
import { INCORRECT_MATERIAL_TEXT } from './service-failure.ts';
import type { KeyRecord, MaterialImport, MaterialRecord, PendingMaterial } from '../keys/key-record.ts';
import type { ImportedMaterial } from '../keystore/keystore.ts';

/** What the request says of the material. */
export interface ImportTerms {
  readonly importType: 'NEW_KEY_MATERIAL' | 'EXISTING_KEY_MATERIAL' | undefined;
  readonly materialId: string | undefined;
  readonly expirationModel: MaterialImport['expirationModel'];
  readonly validToMs: number | undefined;
  readonly description: string | undefined;
}

export interface ImportDecision {
  /** `version` is left to the caller. */
  readonly record: KeyRecord;
  /** False when the material is there already: what was made now is one too many. */
  readonly isKept: boolean;
}

/**
 * The record of `key` after `imported`. `pendingState` is what a further material of the key waits for. Throws KmsError
 * IncorrectKeyMaterialException for a material that is not the expected one, KMSInvalidStateException for a second pending one.
 */
export function afterImport(
  key: KeyRecord,
  imported: ImportedMaterial,
  terms: ImportTerms,
  pendingState: PendingMaterial = 'PENDING_ROTATION',
): ImportDecision {
  const { materialId } = imported.material;
  const known = key.materials.find((material) => material.materialId === materialId);
  const expectsNew =
    (terms.importType ?? (key.materials.length === 0 ? 'NEW_KEY_MATERIAL' : 'EXISTING_KEY_MATERIAL')) === 'NEW_KEY_MATERIAL';
  const isOther = terms.materialId !== undefined && terms.materialId !== materialId;
  if (expectsNew !== (known === undefined) || isOther) throw new KmsError('IncorrectKeyMaterialException', INCORRECT_MATERIAL_TEXT);
  if (known === undefined) return { record: withNew(key, imported, terms, pendingState), isKept: true };
  return { record: withKnown(key, known, imported, terms), isKept: !isPresent(known) };
}

function withNew(key: KeyRecord, imported: ImportedMaterial, terms: ImportTerms, pendingState: PendingMaterial): KeyRecord {
  const { materialId } = imported.material;
  const isFirst = key.materials.length === 0;
  const pending = key.materials.find((material) => material.pending !== undefined);
  if (pending !== undefined) {
    throw new KmsError(
      'KMSInvalidStateException',
      `New key material (id: ${materialId}) cannot be imported into KMS key ${keyArn(key)}, because another key material (id: ${pending.materialId}) is pending rotation.`,
    );
  }
  const material: MaterialRecord = {
    ...imported.material,
    import: importOf(terms, imported, undefined),
    ...(!isFirst && { pending: pendingState }),
  };
  return inStateOfMaterials({ ...key, materials: [...key.materials, material], ...(isFirst && { currentMaterialId: materialId }) });
}

/** A material that is there keeps its object and gets the new terms; one that is not gets the new object and keeps its place. */
function withKnown(key: KeyRecord, known: MaterialRecord, imported: ImportedMaterial, terms: ImportTerms): KeyRecord {
  const { createdAtMs, rotation, pending } = known;
  const remembered = { createdAtMs, ...(rotation && { rotation }), ...(pending && { pending }) };
  const held = isPresent(known) ? known : { ...imported.material, ...remembered };
  const material: MaterialRecord = { ...held, import: importOf(terms, imported, known.import) };
  return inStateOfMaterials({ ...key, materials: key.materials.map((other) => (other === known ? material : other)) });
}

function importOf(terms: ImportTerms, imported: ImportedMaterial, before: MaterialImport | undefined): MaterialImport {
  const description = terms.description ?? before?.description;
  return {
    state: 'IMPORTED',
    expirationModel: terms.expirationModel,
    ...(terms.validToMs !== undefined && { validToMs: terms.validToMs }),
    ...(description !== undefined && { description }),
    throughSoftware: imported.throughSoftware || before?.throughSoftware === true,
  };
}

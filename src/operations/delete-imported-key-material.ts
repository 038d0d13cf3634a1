/** DeleteImportedKeyMaterial: the material is gone and the key waits for an import of the same one; a pending material leaves no trace. */
import { KmsError } from '../errors.ts';
import { keyArn } from '../keys/arn.ts';
import { keyStateCheck } from '../keys/key-states.ts';
import { discardMaterials } from './discard-materials.ts';
import { currentKey } from './key-change.ts';
import { managedKey } from './named-key.ts';
import { defineOperation } from './operation.ts';
import type { KeyRecord, MaterialRecord } from '../keys/key-record.ts';
import type { Operation } from './operation.ts';

interface DeleteImportedKeyMaterialInput {
  readonly KeyMaterialId?: string;
}

const checkState = keyStateCheck('DeleteImportedKeyMaterial');

export const deleteImportedKeyMaterial: Operation = defineOperation<DeleteImportedKeyMaterialInput, 'key'>({
  name: 'DeleteImportedKeyMaterial',
  action: 'DeleteImportedKeyMaterial',
  keys: managedKey,
  perform: async ({ KeyMaterialId }, { parts, keys }) => {
    const { record } = keys.key;
    let materialId: string | undefined;
    await discardMaterials((store) => {
      const key = currentKey(store, record);
      checkState(key);
      const material = namedMaterial(key, KeyMaterialId);
      materialId = material?.materialId;
      return { key, picked: material === undefined ? [] : [material] };
    }, parts);
    const isShown = record.keySpec === 'SYMMETRIC_DEFAULT' && materialId !== undefined;
    return { KeyId: keyArn(record), ...(isShown && { KeyMaterialId: materialId }) };
  },
});

/** The current material when none is named; undefined for a key that never had one. */
function namedMaterial(key: KeyRecord, materialId: string | undefined): MaterialRecord | undefined {
  const material = key.materials.find((candidate) => candidate.materialId === (materialId ?? key.currentMaterialId));
  if (material === undefined && materialId !== undefined) {
    throw new KmsError('NotFoundException', `Key material ${materialId} is not associated with KMS key ${keyArn(key)}.`);
  }
  return material;
}

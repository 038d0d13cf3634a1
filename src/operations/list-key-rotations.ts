/** ListKeyRotations: the completed rotations of a key, or all its materials, oldest first. */
import { keyArn } from '../keys/arn.ts';
import { isPresent } from '../keys/key-record.ts';
import { decodeMarker, pageMembers } from '../keys/pagination.ts';
import { canRotate } from '../keys/rotation.ts';
import { managedKey } from './named-key.ts';
import { defineOperation } from './operation.ts';
import type { KeyRecord, MaterialRecord } from '../keys/key-record.ts';
import type { Operation } from './operation.ts';

interface ListKeyRotationsInput {
  readonly IncludeKeyMaterial?: 'ROTATIONS_ONLY' | 'ALL_KEY_MATERIAL';
  readonly Limit?: number;
  readonly Marker?: string;
}

const LIMIT_DEFAULT = 100;

export const listKeyRotations: Operation = defineOperation<ListKeyRotationsInput, 'key'>({
  name: 'ListKeyRotations',
  action: 'ListKeyRotations',
  keys: managedKey,
  perform: ({ IncludeKeyMaterial: include = 'ROTATIONS_ONLY', Limit: limit = LIMIT_DEFAULT, Marker: marker }, { keys }) => {
    const { record } = keys.key;
    const listing = ['ListKeyRotations', record.partition, record.account, record.region, record.keyId, include];
    const after = decodeMarker(listing, marker);
    const listed = listedMaterials(record, include);
    const first = listed.findIndex(({ materialId }) => materialId === after) + 1;
    const page = listed.slice(first, first + limit);
    return {
      Rotations: page.map((material) => rotationsListEntry(record, material)),
      ...pageMembers(listing, first + page.length < listed.length ? page.at(-1)?.materialId : undefined),
    };
  },
});

/** In the order in which they became, or will become, the current one. None for keys that cannot rotate. */
function listedMaterials(key: KeyRecord, include: ListKeyRotationsInput['IncludeKeyMaterial']): readonly MaterialRecord[] {
  if (!canRotate(key)) return [];
  return include === 'ALL_KEY_MATERIAL' ? key.materials : key.materials.filter(({ rotation }) => rotation !== undefined);
}

function rotationsListEntry(key: KeyRecord, material: MaterialRecord): object {
  const { materialId, rotation, pending } = material;
  return {
    KeyId: keyArn(key),
    KeyMaterialId: materialId,
    KeyMaterialState: pending ?? (materialId === key.currentMaterialId ? 'CURRENT' : 'NON_CURRENT'),
    ...importMembers(material),
    ...(rotation && { RotationDate: new Date(rotation.atMs), RotationType: rotation.type }),
  };
}

function importMembers(material: MaterialRecord): object {
  const { import: imported } = material;
  if (imported === undefined) return {};
  const { description, expirationModel, validToMs } = imported;
  return {
    ImportState: imported.state,
    ...(description !== undefined && { KeyMaterialDescription: description }),
    ...(isPresent(material) && { ExpirationModel: expirationModel }),
    ...(isPresent(material) && validToMs !== undefined && { ValidTo: new Date(validToMs) }),
  };
}

/** KeyMetadata as CreateKey and DescribeKey answer it, with the members that each kind and state of key has (kms-api.md 1.1). */
import { keyAlgorithms } from './algorithms.ts';
import { keyArn } from './arn.ts';
import type { KeyRecord, KeyUsage } from './key-record.ts';

const ALGORITHM_MEMBERS: Readonly<Record<KeyUsage, string>> = {
  ENCRYPT_DECRYPT: 'EncryptionAlgorithms',
  SIGN_VERIFY: 'SigningAlgorithms',
  GENERATE_VERIFY_MAC: 'MacAlgorithms',
  KEY_AGREEMENT: 'KeyAgreementAlgorithms',
  ENCAPSULATE_DECAPSULATE: 'EncapsulationAlgorithms',
};

/**
 * The metadata of a key; dates as Date. Two members are ours, AWS has none such and its SDKs ignore them. `ProtectionLevel`: HSM, or
 * SOFTWARE when any material is; absent while a key has no material. `ImportedThroughSoftware`: true for a key in hardware of which any
 * material was outside of the token while it was imported.
 */
export function keyMetadata(key: KeyRecord): Readonly<Record<string, unknown>> {
  return {
    AWSAccountId: key.account,
    KeyId: key.keyId,
    Arn: keyArn(key),
    CreationDate: new Date(key.createdAtMs),
    Enabled: key.state === 'Enabled' || key.state === 'Updating',
    Description: key.description,
    KeyUsage: key.keyUsage,
    KeyState: key.state,
    ...deletionMembers(key),
    Origin: key.origin,
    KeyManager: key.keyManager,
    CustomerMasterKeySpec: key.keySpec,
    KeySpec: key.keySpec,
    ...algorithmsMember(key),
    MultiRegion: key.multiRegion,
    ...currentMaterialMember(key),
    ...importMembers(key),
    ...protectionMember(key),
  };
}

/** The one member that lists the algorithms of the key's usage, as KeyMetadata and GetPublicKey have it. */
export function algorithmsMember(key: KeyRecord): Readonly<Record<string, readonly string[]>> {
  return { [ALGORITHM_MEMBERS[key.keyUsage]]: keyAlgorithms(key.keySpec, key.keyUsage) };
}

function deletionMembers(key: KeyRecord): object {
  if (key.state === 'PendingDeletion' && key.deletionAtMs !== undefined) return { DeletionDate: new Date(key.deletionAtMs) };
  return key.state === 'PendingReplicaDeletion' ? { PendingDeletionWindowInDays: key.pendingWindowDays } : {};
}

/** Only symmetric encryption keys of this service's own key stores show their material (kms-api.md 10.3, 36 and 57). */
function currentMaterialMember(key: KeyRecord): object {
  const shown = key.keySpec === 'SYMMETRIC_DEFAULT' && (key.origin === 'AWS_KMS' || key.origin === 'EXTERNAL');
  // A replica shows none before it can use it (kms-api.md 10.3, 38).
  return shown && key.state !== 'Creating' && key.currentMaterialId !== undefined ? { CurrentKeyMaterialId: key.currentMaterialId } : {};
}

/** While the current material is there (kms-api.md 10.3, 36); ValidTo is the earliest of all that belong to the key for good. */
function importMembers(key: KeyRecord): object {
  const current = key.materials.find((material) => material.materialId === key.currentMaterialId);
  if (current?.import?.state !== 'IMPORTED') return {};
  const ends = key.materials.flatMap((material) => (material.pending === undefined ? (material.import?.validToMs ?? []) : []));
  return {
    ExpirationModel: ends.length > 0 ? 'KEY_MATERIAL_EXPIRES' : current.import.expirationModel,
    ...(ends.length > 0 && { ValidTo: new Date(Math.min(...ends)) }),
  };
}

function protectionMember(key: KeyRecord): object {
  if (key.materials.length === 0) return {};
  const isHardware = key.materials.every((material) => material.protection === 'HSM');
  const throughSoftware = key.materials.some((material) => material.import?.throughSoftware === true);
  return { ProtectionLevel: isHardware ? 'HSM' : 'SOFTWARE', ...(isHardware && throughSoftware && { ImportedThroughSoftware: true }) };
}

import { describe, expect, test } from 'vitest';
import { keyMetadata } from '../../../src/keys/key-metadata.ts';
import { keyOf, materialOf } from '../../support/store-records.ts';

describe('KeyMetadata', () => {
  test('of an enabled symmetric key has these members and no other', () => {
    const key = keyOf(1);
    expect(keyMetadata(key)).toEqual({
      AWSAccountId: '111122223333',
      KeyId: key.keyId,
      Arn: `arn:aws:kms:eu-central-1:111122223333:key/${key.keyId}`,
      CreationDate: new Date(key.createdAtMs),
      Enabled: true,
      Description: 'key 1',
      KeyUsage: 'ENCRYPT_DECRYPT',
      KeyState: 'Enabled',
      Origin: 'AWS_KMS',
      KeyManager: 'CUSTOMER',
      CustomerMasterKeySpec: 'SYMMETRIC_DEFAULT',
      KeySpec: 'SYMMETRIC_DEFAULT',
      EncryptionAlgorithms: ['SYMMETRIC_DEFAULT'],
      MultiRegion: false,
      CurrentKeyMaterialId: key.currentMaterialId,
      ProtectionLevel: 'HSM',
    });
  });

  test('names algorithms by usage, and a material of symmetric keys only', () => {
    const mac = keyMetadata(keyOf(1, { keySpec: 'HMAC_256', keyUsage: 'GENERATE_VERIFY_MAC' }));
    expect(mac).toMatchObject({ MacAlgorithms: ['HMAC_SHA_256'] });
    expect(mac).not.toHaveProperty('EncryptionAlgorithms');
    expect(mac).not.toHaveProperty('CurrentKeyMaterialId');
  });

  test('has a deletion date only while the deletion is pending', () => {
    const pending = keyMetadata(keyOf(1, { state: 'PendingDeletion', deletionAtMs: 5_000 }));
    expect(pending).toMatchObject({ DeletionDate: new Date(5_000), Enabled: false });
    const replicas = keyMetadata(keyOf(1, { state: 'PendingReplicaDeletion', deletionAtMs: 5_000, pendingWindowDays: 9 }));
    expect(replicas).toMatchObject({ PendingDeletionWindowInDays: 9 });
    expect(replicas).not.toHaveProperty('DeletionDate');
  });

  test('says SOFTWARE as soon as one material is, and nothing while there is none', () => {
    const mixed = [materialOf(1), { ...materialOf(2), protection: 'SOFTWARE' as const }];
    expect(keyMetadata(keyOf(1, { materials: mixed }))).toMatchObject({ ProtectionLevel: 'SOFTWARE' });
    expect(keyMetadata(keyOf(1, { materials: [] }))).not.toHaveProperty('ProtectionLevel');
  });
});

/** Chapters of key material: rotation, import, replicas; and of deletion. */
import { constants, createPublicKey, publicEncrypt, randomBytes } from 'node:crypto';
import { expect } from 'vitest';
import { asBytes, EncryptionContext, makeKey, settled, stateOf } from './chapter.ts';
import type { Chapter } from './chapter.ts';
import type { Members } from '../kms-clients.ts';

export const materials: readonly Chapter[] = [
  [
    'EnableKeyRotation',
    async (ask, made) => {
      await ask('EnableKeyRotation', { KeyId: made.keys['main'] });
    },
  ],
  [
    'GetKeyRotationStatus',
    async (ask, made) => {
      expect(await ask('GetKeyRotationStatus', { KeyId: made.keys['main'] })).toMatchObject({ KeyRotationEnabled: true });
    },
  ],
  [
    'DisableKeyRotation',
    async (ask, made) => {
      await ask('DisableKeyRotation', { KeyId: made.keys['main'] });
      expect(await ask('GetKeyRotationStatus', { KeyId: made.keys['main'] })).toMatchObject({ KeyRotationEnabled: false });
    },
  ],
  [
    'RotateKeyOnDemand',
    async (ask, made) => {
      expect(await ask('RotateKeyOnDemand', { KeyId: made.keys['main'] })).toMatchObject({ KeyId: made.arns['main'] });
      const { Plaintext } = await ask('Decrypt', { CiphertextBlob: made['ciphertext'], EncryptionContext });
      expect(Buffer.from(asBytes(Plaintext)).toString()).toBe('attack at dawn');
    },
  ],
  [
    'ListKeyRotations',
    async (ask, made) => {
      const { Rotations } = (await ask('ListKeyRotations', { KeyId: made.keys['main'] })) as { Rotations: Members[] };
      expect(Rotations).toHaveLength(1);
      expect(Rotations[0]).toMatchObject({ RotationType: 'ON_DEMAND' });
    },
  ],
  [
    'GetParametersForImport',
    async (ask, made) => {
      await makeKey(ask, made, 'imported', { Origin: 'EXTERNAL' });
      const input = { KeyId: made.keys['imported'], WrappingAlgorithm: 'RSAES_OAEP_SHA_1', WrappingKeySpec: 'RSA_2048' };
      made['parameters'] = await ask('GetParametersForImport', input);
    },
  ],
  [
    'ImportKeyMaterial',
    async (ask, made) => {
      const { PublicKey, ImportToken } = made['parameters'] as Members;
      const key = createPublicKey({ key: Buffer.from(asBytes(PublicKey)), format: 'der', type: 'spki' });
      const padding = constants.RSA_PKCS1_OAEP_PADDING;
      const EncryptedKeyMaterial = Uint8Array.from(publicEncrypt({ key, padding, oaepHash: 'sha1' }, randomBytes(32)));
      const ExpirationModel = 'KEY_MATERIAL_DOES_NOT_EXPIRE';
      await ask('ImportKeyMaterial', { KeyId: made.keys['imported'], ImportToken, EncryptedKeyMaterial, ExpirationModel });
      expect(await stateOf(ask, made.keys['imported'])).toBe('Enabled');
    },
  ],
  [
    'DeleteImportedKeyMaterial',
    async (ask, made) => {
      await ask('DeleteImportedKeyMaterial', { KeyId: made.keys['imported'] });
      expect(await stateOf(ask, made.keys['imported'])).toBe('PendingImport');
    },
  ],
  [
    'ReplicateKey',
    async (ask, made, { replicaRegion }) => {
      await makeKey(ask, made, 'primary', { MultiRegion: true });
      const reply = await ask('ReplicateKey', { KeyId: made.keys['primary'], ReplicaRegion: replicaRegion });
      expect(reply['ReplicaKeyMetadata']).toMatchObject({ KeyState: 'Creating', MultiRegion: true });
    },
  ],
  [
    'UpdatePrimaryRegion',
    async (ask, made, { replicaRegion }) => {
      await settled(() => ask('UpdatePrimaryRegion', { KeyId: made.keys['primary'], PrimaryRegion: replicaRegion }));
      const { KeyMetadata } = (await ask('DescribeKey', { KeyId: made.keys['primary'] })) as { KeyMetadata: Members };
      expect(KeyMetadata['MultiRegionConfiguration']).toMatchObject({ PrimaryKey: { Region: replicaRegion } });
    },
  ],
];

export const ends: readonly Chapter[] = [
  [
    'ScheduleKeyDeletion',
    async (ask, made) => {
      const reply = await ask('ScheduleKeyDeletion', { KeyId: made.keys['other'], PendingWindowInDays: 7 });
      expect(reply).toMatchObject({ KeyId: made.arns['other'], KeyState: 'PendingDeletion', PendingWindowInDays: 7 });
    },
  ],
  [
    'CancelKeyDeletion',
    async (ask, made) => {
      await ask('CancelKeyDeletion', { KeyId: made.keys['other'] });
      expect(await stateOf(ask, made.keys['other'])).toBe('Disabled');
    },
  ],
];

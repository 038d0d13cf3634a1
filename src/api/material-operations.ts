/** The KMS API as data: import and rotation of key material, and multi-Region keys. One entry per operation (kms-api.md section 1). */
import { expirationModel, importType, includeKeyMaterial, wrappingAlgorithm, wrappingKeySpec } from './enumerations.ts';
import {
  ciphertext,
  description,
  keyId,
  keyMaterialDescription,
  keyMaterialId,
  limitTo1000,
  marker,
  policy,
  region,
  rotationPeriodInDays,
  wrappingPublicKey,
} from './member-shapes.ts';
import { errors } from './operation-api.ts';
import { boolean, list, required, timestamp } from './shape.ts';
import { keyMetadata, rotationsListEntry, tag } from './structures.ts';
import type { OperationApiTable } from './operation-api.ts';

export const materialOperations: OperationApiTable = {
  GetParametersForImport: {
    input: {
      KeyId: required(keyId),
      WrappingAlgorithm: required(wrappingAlgorithm),
      WrappingKeySpec: required(wrappingKeySpec),
    },
    output: {
      KeyId: keyId,
      ImportToken: ciphertext,
      PublicKey: wrappingPublicKey,
      ParametersValidTo: timestamp,
    },
    errors: errors('InvalidArn', 'KMSInvalidState', 'NotFound', 'UnsupportedOperation', 'DependencyTimeout'),
  },
  ImportKeyMaterial: {
    input: {
      KeyId: required(keyId),
      ImportToken: required(ciphertext),
      EncryptedKeyMaterial: required(ciphertext),
      ValidTo: timestamp,
      ExpirationModel: expirationModel,
      ImportType: importType,
      KeyMaterialDescription: keyMaterialDescription,
      KeyMaterialId: keyMaterialId,
    },
    output: {
      KeyId: keyId,
      KeyMaterialId: keyMaterialId,
    },
    errors: errors(
      'ExpiredImportToken',
      'IncorrectKeyMaterial',
      'InvalidArn',
      'InvalidCiphertext',
      'InvalidImportToken',
      'KMSInvalidState',
      'NotFound',
      'UnsupportedOperation',
      'DependencyTimeout',
    ),
  },
  DeleteImportedKeyMaterial: {
    input: {
      KeyId: required(keyId),
      KeyMaterialId: keyMaterialId,
    },
    output: {
      KeyId: keyId,
      KeyMaterialId: keyMaterialId,
    },
    errors: errors('InvalidArn', 'KMSInvalidState', 'NotFound', 'UnsupportedOperation', 'DependencyTimeout'),
  },
  EnableKeyRotation: {
    input: {
      KeyId: required(keyId),
      RotationPeriodInDays: rotationPeriodInDays,
    },
    output: undefined,
    errors: errors('Disabled', 'InvalidArn', 'KMSInvalidState', 'NotFound', 'UnsupportedOperation', 'DependencyTimeout'),
  },
  DisableKeyRotation: {
    input: {
      KeyId: required(keyId),
    },
    output: undefined,
    errors: errors('Disabled', 'InvalidArn', 'KMSInvalidState', 'NotFound', 'UnsupportedOperation', 'DependencyTimeout'),
  },
  GetKeyRotationStatus: {
    input: {
      KeyId: required(keyId),
    },
    output: {
      KeyRotationEnabled: boolean,
      KeyId: keyId,
      RotationPeriodInDays: rotationPeriodInDays,
      NextRotationDate: timestamp,
      OnDemandRotationStartDate: timestamp,
    },
    errors: errors('InvalidArn', 'KMSInvalidState', 'NotFound', 'UnsupportedOperation', 'DependencyTimeout'),
  },
  ListKeyRotations: {
    input: {
      KeyId: required(keyId),
      IncludeKeyMaterial: includeKeyMaterial,
      Limit: limitTo1000,
      Marker: marker,
    },
    output: {
      Rotations: list(rotationsListEntry),
      NextMarker: marker,
      Truncated: boolean,
    },
    errors: errors('InvalidArn', 'InvalidMarker', 'KMSInvalidState', 'NotFound', 'UnsupportedOperation'),
  },
  RotateKeyOnDemand: {
    input: {
      KeyId: required(keyId),
    },
    output: {
      KeyId: keyId,
    },
    errors: errors(
      'Conflict',
      'Disabled',
      'InvalidArn',
      'KMSInvalidState',
      'LimitExceeded',
      'NotFound',
      'UnsupportedOperation',
      'DependencyTimeout',
    ),
  },
  ReplicateKey: {
    input: {
      KeyId: required(keyId),
      ReplicaRegion: required(region),
      Policy: policy,
      BypassPolicyLockoutSafetyCheck: boolean,
      Description: description,
      Tags: list(tag),
    },
    output: {
      ReplicaKeyMetadata: keyMetadata,
      ReplicaPolicy: policy,
      ReplicaTags: list(tag),
    },
    errors: errors(
      'AlreadyExists',
      'Disabled',
      'InvalidArn',
      'KMSInvalidState',
      'LimitExceeded',
      'MalformedPolicyDocument',
      'NotFound',
      'Tag',
      'UnsupportedOperation',
    ),
  },
  UpdatePrimaryRegion: {
    input: {
      KeyId: required(keyId),
      PrimaryRegion: required(region),
    },
    output: undefined,
    errors: errors('Disabled', 'InvalidArn', 'KMSInvalidState', 'NotFound', 'UnsupportedOperation'),
  },
};

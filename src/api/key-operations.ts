/** The KMS API as data: making, describing and retiring KMS keys. One entry per operation (kms-api.md section 1). */
import {
  customerMasterKeySpec,
  encapsulationAlgorithm,
  encryptionAlgorithm,
  keyAgreementAlgorithm,
  keySpec,
  keyState,
  keyUsage,
  origin,
  signingAlgorithm,
} from './enumerations.ts';
import {
  customKeyStoreId,
  description,
  grantTokens,
  keyId,
  limitTo1000,
  marker,
  pendingWindowInDays,
  policy,
  publicKey,
  xksKeyId,
} from './member-shapes.ts';
import { errors } from './operation-api.ts';
import { boolean, list, required, timestamp } from './shape.ts';
import { keyLastUsageData, keyListEntry, keyMetadata, tag } from './structures.ts';
import type { OperationApiTable } from './operation-api.ts';

export const keyOperations: OperationApiTable = {
  CreateKey: {
    input: {
      Policy: policy,
      Description: description,
      KeyUsage: keyUsage,
      CustomerMasterKeySpec: customerMasterKeySpec,
      KeySpec: keySpec,
      Origin: origin,
      CustomKeyStoreId: customKeyStoreId,
      BypassPolicyLockoutSafetyCheck: boolean,
      Tags: list(tag),
      MultiRegion: boolean,
      XksKeyId: xksKeyId,
    },
    output: {
      KeyMetadata: keyMetadata,
    },
    errors: errors(
      'CloudHsmClusterInvalidConfiguration',
      'CustomKeyStoreInvalidState',
      'CustomKeyStoreNotFound',
      'InvalidArn',
      'LimitExceeded',
      'MalformedPolicyDocument',
      'Tag',
      'UnsupportedOperation',
      'XksKeyAlreadyInUse',
      'XksKeyInvalidConfiguration',
      'XksKeyNotFound',
      'DependencyTimeout',
    ),
  },
  DescribeKey: {
    input: {
      KeyId: required(keyId),
      GrantTokens: grantTokens,
    },
    output: {
      KeyMetadata: keyMetadata,
    },
    errors: errors('InvalidArn', 'NotFound', 'DependencyTimeout'),
  },
  ListKeys: {
    input: {
      Limit: limitTo1000,
      Marker: marker,
    },
    output: {
      Keys: list(keyListEntry),
      NextMarker: marker,
      Truncated: boolean,
    },
    errors: errors('InvalidMarker', 'DependencyTimeout'),
  },
  GetPublicKey: {
    input: {
      KeyId: required(keyId),
      GrantTokens: grantTokens,
    },
    output: {
      KeyId: keyId,
      PublicKey: publicKey,
      CustomerMasterKeySpec: customerMasterKeySpec,
      KeySpec: keySpec,
      KeyUsage: keyUsage,
      EncryptionAlgorithms: list(encryptionAlgorithm),
      SigningAlgorithms: list(signingAlgorithm),
      KeyAgreementAlgorithms: list(keyAgreementAlgorithm),
      EncapsulationAlgorithms: list(encapsulationAlgorithm),
    },
    errors: errors(
      'Disabled',
      'InvalidArn',
      'InvalidGrantToken',
      'InvalidKeyUsage',
      'KeyUnavailable',
      'KMSInvalidState',
      'NotFound',
      'UnsupportedOperation',
      'DependencyTimeout',
    ),
  },
  GetKeyLastUsage: {
    input: {
      KeyId: required(keyId),
    },
    output: {
      KeyId: keyId,
      KeyLastUsage: keyLastUsageData,
      TrackingStartDate: timestamp,
      KeyCreationDate: timestamp,
    },
    errors: errors('InvalidArn', 'NotFound', 'DependencyTimeout'),
  },
  EnableKey: {
    input: {
      KeyId: required(keyId),
    },
    output: undefined,
    errors: errors('InvalidArn', 'KMSInvalidState', 'LimitExceeded', 'NotFound', 'DependencyTimeout'),
  },
  DisableKey: {
    input: {
      KeyId: required(keyId),
    },
    output: undefined,
    errors: errors('InvalidArn', 'KMSInvalidState', 'NotFound', 'DependencyTimeout'),
  },
  UpdateKeyDescription: {
    input: {
      KeyId: required(keyId),
      Description: required(description),
    },
    output: undefined,
    errors: errors('InvalidArn', 'KMSInvalidState', 'NotFound', 'DependencyTimeout'),
  },
  ScheduleKeyDeletion: {
    input: {
      KeyId: required(keyId),
      PendingWindowInDays: pendingWindowInDays,
    },
    output: {
      KeyId: keyId,
      DeletionDate: timestamp,
      KeyState: keyState,
      PendingWindowInDays: pendingWindowInDays,
    },
    errors: errors('InvalidArn', 'KMSInvalidState', 'NotFound', 'DependencyTimeout'),
  },
  CancelKeyDeletion: {
    input: {
      KeyId: required(keyId),
    },
    output: {
      KeyId: keyId,
    },
    errors: errors('InvalidArn', 'KMSInvalidState', 'NotFound', 'DependencyTimeout'),
  },
};

/** The structures of the KMS API (kms-api.md section 1.1). */
import {
  connectionErrorCode,
  connectionState,
  customKeyStoreType,
  customerMasterKeySpec,
  encapsulationAlgorithm,
  encryptionAlgorithm,
  expirationModel,
  grantOperation,
  importState,
  keyAgreementAlgorithm,
  keyEncryptionMechanism,
  keyLastUsageOperation,
  keyManager,
  keyMaterialState,
  keySpec,
  keyState,
  keyUsage,
  macAlgorithm,
  multiRegionKeyType,
  origin,
  rotationType,
  signingAlgorithm,
  xksProxyConnectivity,
} from './enumerations.ts';
import {
  accountId,
  aliasName,
  arn,
  attestationDocument,
  cloudHsmClusterId,
  customKeyStoreId,
  customKeyStoreName,
  description,
  freeText,
  grantId,
  grantName,
  grantSourceArn,
  keyId,
  keyMaterialDescription,
  keyMaterialId,
  pendingWindowInDays,
  principal,
  region,
  servicePrincipal,
  tagKey,
  tagValue,
  trustAnchorCertificate,
  xksKeyId,
  xksProxyAccessKeyId,
  xksProxySecret,
  xksProxyUriEndpoint,
  xksProxyUriPath,
  xksVpcServiceName,
} from './member-shapes.ts';
import { boolean, list, required, stringMap, structure, timestamp } from './shape.ts';
import type { StructureShape } from './shape.ts';

export const xksKeyConfiguration: StructureShape = structure({
  Id: xksKeyId,
});

export const multiRegionKey: StructureShape = structure({
  Arn: arn,
  Region: region,
});

export const multiRegionConfiguration: StructureShape = structure({
  MultiRegionKeyType: multiRegionKeyType,
  PrimaryKey: multiRegionKey,
  ReplicaKeys: list(multiRegionKey),
});

export const keyMetadata: StructureShape = structure({
  AWSAccountId: accountId,
  KeyId: required(keyId),
  Arn: arn,
  CreationDate: timestamp,
  Enabled: boolean,
  Description: description,
  KeyUsage: keyUsage,
  KeyState: keyState,
  DeletionDate: timestamp,
  ValidTo: timestamp,
  Origin: origin,
  CustomKeyStoreId: customKeyStoreId,
  CloudHsmClusterId: cloudHsmClusterId,
  ExpirationModel: expirationModel,
  KeyManager: keyManager,
  CustomerMasterKeySpec: customerMasterKeySpec,
  KeySpec: keySpec,
  EncryptionAlgorithms: list(encryptionAlgorithm),
  SigningAlgorithms: list(signingAlgorithm),
  KeyAgreementAlgorithms: list(keyAgreementAlgorithm),
  EncapsulationAlgorithms: list(encapsulationAlgorithm),
  MultiRegion: boolean,
  MultiRegionConfiguration: multiRegionConfiguration,
  PendingDeletionWindowInDays: pendingWindowInDays,
  MacAlgorithms: list(macAlgorithm),
  XksKeyConfiguration: xksKeyConfiguration,
  CurrentKeyMaterialId: keyMaterialId,
});

export const aliasListEntry: StructureShape = structure({
  AliasName: aliasName,
  AliasArn: arn,
  TargetKeyId: keyId,
  CreationDate: timestamp,
  LastUpdatedDate: timestamp,
});

export const keyListEntry: StructureShape = structure({
  KeyId: keyId,
  KeyArn: arn,
});

export const grantConstraints: StructureShape = structure({
  EncryptionContextSubset: stringMap,
  EncryptionContextEquals: stringMap,
  SourceArn: grantSourceArn,
});

export const grantListEntry: StructureShape = structure({
  KeyId: keyId,
  GrantId: grantId,
  Name: grantName,
  CreationDate: timestamp,
  GranteePrincipal: principal,
  RetiringPrincipal: principal,
  IssuingAccount: principal,
  Operations: list(grantOperation),
  Constraints: grantConstraints,
  GranteeServicePrincipal: servicePrincipal,
  RetiringServicePrincipal: servicePrincipal,
});

export const tag: StructureShape = structure({
  TagKey: required(tagKey),
  TagValue: required(tagValue),
});

export const recipientInfo: StructureShape = structure({
  KeyEncryptionAlgorithm: keyEncryptionMechanism,
  AttestationDocument: attestationDocument,
});

export const rotationsListEntry: StructureShape = structure({
  KeyId: keyId,
  KeyMaterialId: keyMaterialId,
  KeyMaterialDescription: keyMaterialDescription,
  ImportState: importState,
  KeyMaterialState: keyMaterialState,
  ExpirationModel: expirationModel,
  ValidTo: timestamp,
  RotationDate: timestamp,
  RotationType: rotationType,
});

export const keyLastUsageData: StructureShape = structure({
  Operation: keyLastUsageOperation,
  Timestamp: timestamp,
  CloudTrailEventId: freeText,
  KmsRequestId: freeText,
});

export const xksProxyConfiguration: StructureShape = structure({
  Connectivity: xksProxyConnectivity,
  AccessKeyId: xksProxyAccessKeyId,
  UriEndpoint: xksProxyUriEndpoint,
  UriPath: xksProxyUriPath,
  VpcEndpointServiceName: xksVpcServiceName,
  VpcEndpointServiceOwner: accountId,
});

export const customKeyStoresListEntry: StructureShape = structure({
  CustomKeyStoreId: customKeyStoreId,
  CustomKeyStoreName: customKeyStoreName,
  CloudHsmClusterId: cloudHsmClusterId,
  TrustAnchorCertificate: trustAnchorCertificate,
  ConnectionState: connectionState,
  ConnectionErrorCode: connectionErrorCode,
  CreationDate: timestamp,
  CustomKeyStoreType: customKeyStoreType,
  XksProxyConfiguration: xksProxyConfiguration,
});

export const xksProxyCredential: StructureShape = structure({
  AccessKeyId: required(xksProxyAccessKeyId),
  RawSecretAccessKey: required(xksProxySecret),
});

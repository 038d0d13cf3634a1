/** The closed sets of values of the KMS API (model of @aws-sdk/client-kms 3.1164.0). */
import { enumeration } from './shape.ts';
import type { EnumShape } from './shape.ts';

const RSA: readonly string[] = ['RSA_2048', 'RSA_3072', 'RSA_4096'];
const ECC: readonly string[] = ['ECC_NIST_P256', 'ECC_NIST_P384', 'ECC_NIST_P521', 'ECC_SECG_P256K1'];
const HMAC: readonly string[] = ['HMAC_224', 'HMAC_256', 'HMAC_384', 'HMAC_512'];
const ML_DSA: readonly string[] = ['ML_DSA_44', 'ML_DSA_65', 'ML_DSA_87'];
const ML_KEM: readonly string[] = ['ML_KEM_512', 'ML_KEM_768', 'ML_KEM_1024'];

export const keySpec: EnumShape = enumeration(
  'SYMMETRIC_DEFAULT',
  ...RSA,
  ...ECC,
  'ECC_NIST_EDWARDS25519',
  'SM2',
  ...HMAC,
  ...ML_DSA,
  ...ML_KEM,
);
export const customerMasterKeySpec: EnumShape = enumeration('SYMMETRIC_DEFAULT', ...RSA, ...ECC, 'SM2', ...HMAC);
export const dataKeyPairSpec: EnumShape = enumeration(...RSA, ...ECC, 'SM2', 'ECC_NIST_EDWARDS25519', ...ML_KEM);
export const dataKeySpec: EnumShape = enumeration('AES_256', 'AES_128');
export const keyUsage: EnumShape = enumeration(
  'ENCRYPT_DECRYPT',
  'SIGN_VERIFY',
  'GENERATE_VERIFY_MAC',
  'KEY_AGREEMENT',
  'ENCAPSULATE_DECAPSULATE',
);
export const origin: EnumShape = enumeration('AWS_KMS', 'EXTERNAL', 'AWS_CLOUDHSM', 'EXTERNAL_KEY_STORE');
export const keyState: EnumShape = enumeration(
  'Creating',
  'Enabled',
  'Disabled',
  'PendingDeletion',
  'PendingImport',
  'PendingReplicaDeletion',
  'Unavailable',
  'Updating',
);
export const keyManager: EnumShape = enumeration('AWS', 'CUSTOMER');
export const encryptionAlgorithm: EnumShape = enumeration('SYMMETRIC_DEFAULT', 'RSAES_OAEP_SHA_1', 'RSAES_OAEP_SHA_256', 'SM2PKE');
export const signingAlgorithm: EnumShape = enumeration(
  'RSASSA_PSS_SHA_256',
  'RSASSA_PSS_SHA_384',
  'RSASSA_PSS_SHA_512',
  'RSASSA_PKCS1_V1_5_SHA_256',
  'RSASSA_PKCS1_V1_5_SHA_384',
  'RSASSA_PKCS1_V1_5_SHA_512',
  'ECDSA_SHA_256',
  'ECDSA_SHA_384',
  'ECDSA_SHA_512',
  'SM2DSA',
  'ML_DSA_SHAKE_256',
  'ED25519_SHA_512',
  'ED25519_PH_SHA_512',
);
export const macAlgorithm: EnumShape = enumeration('HMAC_SHA_224', 'HMAC_SHA_256', 'HMAC_SHA_384', 'HMAC_SHA_512');
export const keyAgreementAlgorithm: EnumShape = enumeration('ECDH');
export const encapsulationAlgorithm: EnumShape = enumeration('ML_KEM');
export const messageType: EnumShape = enumeration('RAW', 'DIGEST', 'EXTERNAL_MU');
export const wrappingAlgorithm: EnumShape = enumeration(
  'RSAES_PKCS1_V1_5',
  'RSAES_OAEP_SHA_1',
  'RSAES_OAEP_SHA_256',
  'RSA_AES_KEY_WRAP_SHA_1',
  'RSA_AES_KEY_WRAP_SHA_256',
  'SM2PKE',
);
export const wrappingKeySpec: EnumShape = enumeration(...RSA, 'SM2');
export const expirationModel: EnumShape = enumeration('KEY_MATERIAL_EXPIRES', 'KEY_MATERIAL_DOES_NOT_EXPIRE');
export const importType: EnumShape = enumeration('NEW_KEY_MATERIAL', 'EXISTING_KEY_MATERIAL');
export const importState: EnumShape = enumeration('IMPORTED', 'PENDING_IMPORT');
export const keyMaterialState: EnumShape = enumeration(
  'CURRENT',
  'NON_CURRENT',
  'PENDING_ROTATION',
  'PENDING_MULTI_REGION_IMPORT_AND_ROTATION',
);
export const includeKeyMaterial: EnumShape = enumeration('ALL_KEY_MATERIAL', 'ROTATIONS_ONLY');
export const rotationType: EnumShape = enumeration('AUTOMATIC', 'ON_DEMAND');
export const dryRunModifier: EnumShape = enumeration('IGNORE_CIPHERTEXT');
export const keyEncryptionMechanism: EnumShape = enumeration('RSAES_OAEP_SHA_256');
export const multiRegionKeyType: EnumShape = enumeration('PRIMARY', 'REPLICA');
export const grantOperation: EnumShape = enumeration(
  'Decrypt',
  'Encrypt',
  'GenerateDataKey',
  'GenerateDataKeyWithoutPlaintext',
  'GenerateDataKeyPair',
  'GenerateDataKeyPairWithoutPlaintext',
  'ReEncryptFrom',
  'ReEncryptTo',
  'Sign',
  'Verify',
  'GetPublicKey',
  'CreateGrant',
  'RetireGrant',
  'DescribeKey',
  'GenerateMac',
  'VerifyMac',
  'DeriveSharedSecret',
  'Encapsulate',
  'Decapsulate',
);
export const keyLastUsageOperation: EnumShape = enumeration(
  'Decapsulate',
  'Decrypt',
  'DeriveSharedSecret',
  'Encapsulate',
  'Encrypt',
  'GenerateDataKey',
  'GenerateDataKeyPair',
  'GenerateDataKeyPairWithoutPlaintext',
  'GenerateDataKeyWithoutPlaintext',
  'GenerateMac',
  'ReEncrypt',
  'Sign',
  'Verify',
  'VerifyMac',
);
export const customKeyStoreType: EnumShape = enumeration('AWS_CLOUDHSM', 'EXTERNAL_KEY_STORE');
export const connectionState: EnumShape = enumeration('CONNECTED', 'CONNECTING', 'FAILED', 'DISCONNECTED', 'DISCONNECTING');
export const connectionErrorCode: EnumShape = enumeration(
  'INVALID_CREDENTIALS',
  'CLUSTER_NOT_FOUND',
  'NETWORK_ERRORS',
  'INTERNAL_ERROR',
  'INSUFFICIENT_CLOUDHSM_HSMS',
  'USER_LOCKED_OUT',
  'USER_NOT_FOUND',
  'USER_LOGGED_IN',
  'SUBNET_NOT_FOUND',
  'INSUFFICIENT_FREE_ADDRESSES_IN_SUBNET',
  'XKS_PROXY_ACCESS_DENIED',
  'XKS_PROXY_NOT_REACHABLE',
  'XKS_VPC_ENDPOINT_SERVICE_NOT_FOUND',
  'XKS_PROXY_INVALID_RESPONSE',
  'XKS_PROXY_INVALID_CONFIGURATION',
  'XKS_VPC_ENDPOINT_SERVICE_INVALID_CONFIGURATION',
  'XKS_PROXY_TIMED_OUT',
  'XKS_PROXY_INVALID_TLS_CONFIGURATION',
);
export const xksProxyConnectivity: EnumShape = enumeration('PUBLIC_ENDPOINT', 'VPC_ENDPOINT_SERVICE');

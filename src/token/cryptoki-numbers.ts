/**
 * The numbers behind PKCS#11 names: CKM, CKA, CKO, CKK, CKG, CKD, CKR. Only the request encoder and the response decoder read them.
 * Source: PKCS#11 v2.40 and v3.0 headers.
 */
import type { AttributeName, HashName, KeyType, Mechanism, MechanismName, ObjectClass } from './mechanism.ts';

/** A mechanism whose number is fixed; VENDOR brings its own. */
export type StandardMechanismName = Exclude<MechanismName, 'VENDOR'>;

export const MECHANISM_NUMBERS: Readonly<Record<StandardMechanismName, number>> = {
  RSA_PKCS_KEY_PAIR_GEN: 0x0,
  RSA_PKCS: 0x1,
  RSA_X_509: 0x3,
  RSA_PKCS_OAEP: 0x9,
  RSA_PKCS_PSS: 0xd,
  SHA256_RSA_PKCS: 0x40,
  SHA384_RSA_PKCS: 0x41,
  SHA512_RSA_PKCS: 0x42,
  SHA256_RSA_PKCS_PSS: 0x43,
  SHA384_RSA_PKCS_PSS: 0x44,
  SHA512_RSA_PKCS_PSS: 0x45,
  SHA_1_HMAC: 0x221,
  SHA256_HMAC: 0x251,
  SHA224_HMAC: 0x256,
  SHA384_HMAC: 0x261,
  SHA512_HMAC: 0x271,
  GENERIC_SECRET_KEY_GEN: 0x350,
  SP800_108_COUNTER_KDF: 0x3ac,
  EC_KEY_PAIR_GEN: 0x1040,
  ECDSA: 0x1041,
  ECDSA_SHA256: 0x1044,
  ECDSA_SHA384: 0x1045,
  ECDSA_SHA512: 0x1046,
  ECDH1_DERIVE: 0x1050,
  RSA_AES_KEY_WRAP: 0x1054,
  EC_EDWARDS_KEY_PAIR_GEN: 0x1055,
  EDDSA: 0x1057,
  AES_KEY_GEN: 0x1080,
  AES_ECB: 0x1081,
  AES_CBC: 0x1082,
  AES_CBC_PAD: 0x1085,
  AES_CTR: 0x1086,
  AES_GCM: 0x1087,
  AES_CMAC: 0x108a,
  AES_ECB_ENCRYPT_DATA: 0x1104,
  AES_CBC_ENCRYPT_DATA: 0x1105,
  AES_KEY_WRAP: 0x2109,
  AES_KEY_WRAP_PAD: 0x210a,
  AES_KEY_WRAP_KWP: 0x210b,
  HKDF_DERIVE: 0x402a,
};

export const HASH_NUMBERS: Readonly<Record<HashName, number>> = {
  SHA_1: 0x220,
  SHA224: 0x255,
  SHA256: 0x250,
  SHA384: 0x260,
  SHA512: 0x270,
};

/** CKG_MGF1 numbers. */
export const MGF_NUMBERS: Readonly<Record<HashName, number>> = { SHA_1: 1, SHA256: 2, SHA384: 3, SHA512: 4, SHA224: 5 };

/** CKD numbers. */
export const KDF_NUMBERS: Readonly<Record<Extract<Mechanism, { name: 'ECDH1_DERIVE' }>['kdf'], number>> = { NULL: 1, SHA256_KDF: 6 };

export const CLASS_NUMBERS: Readonly<Record<ObjectClass, number>> = { DATA: 0, PUBLIC_KEY: 2, PRIVATE_KEY: 3, SECRET_KEY: 4 };

export const KEY_TYPE_NUMBERS: Readonly<Record<KeyType, number>> = { RSA: 0, EC: 3, GENERIC_SECRET: 0x10, AES: 0x1f, EC_EDWARDS: 0x40 };

/** What the value of an attribute is. `class` and `keyType` are numbers with names; `text` is UTF-8. */
export type AttributeKind = 'bool' | 'ulong' | 'class' | 'keyType' | 'bytes' | 'text' | 'mechanisms' | 'template';

export interface AttributeDefinition {
  readonly number: number;
  readonly kind: AttributeKind;
}

export const ATTRIBUTES: Readonly<Record<AttributeName, AttributeDefinition>> = {
  CLASS: { number: 0x0, kind: 'class' },
  TOKEN: { number: 0x1, kind: 'bool' },
  PRIVATE: { number: 0x2, kind: 'bool' },
  LABEL: { number: 0x3, kind: 'text' },
  APPLICATION: { number: 0x10, kind: 'text' },
  VALUE: { number: 0x11, kind: 'bytes' },
  TRUSTED: { number: 0x86, kind: 'bool' },
  CHECK_VALUE: { number: 0x90, kind: 'bytes' },
  KEY_TYPE: { number: 0x100, kind: 'keyType' },
  ID: { number: 0x102, kind: 'bytes' },
  SENSITIVE: { number: 0x103, kind: 'bool' },
  ENCRYPT: { number: 0x104, kind: 'bool' },
  DECRYPT: { number: 0x105, kind: 'bool' },
  WRAP: { number: 0x106, kind: 'bool' },
  UNWRAP: { number: 0x107, kind: 'bool' },
  SIGN: { number: 0x108, kind: 'bool' },
  SIGN_RECOVER: { number: 0x109, kind: 'bool' },
  VERIFY: { number: 0x10a, kind: 'bool' },
  VERIFY_RECOVER: { number: 0x10b, kind: 'bool' },
  DERIVE: { number: 0x10c, kind: 'bool' },
  MODULUS: { number: 0x120, kind: 'bytes' },
  MODULUS_BITS: { number: 0x121, kind: 'ulong' },
  PUBLIC_EXPONENT: { number: 0x122, kind: 'bytes' },
  VALUE_LEN: { number: 0x161, kind: 'ulong' },
  EXTRACTABLE: { number: 0x162, kind: 'bool' },
  LOCAL: { number: 0x163, kind: 'bool' },
  NEVER_EXTRACTABLE: { number: 0x164, kind: 'bool' },
  ALWAYS_SENSITIVE: { number: 0x165, kind: 'bool' },
  MODIFIABLE: { number: 0x170, kind: 'bool' },
  COPYABLE: { number: 0x171, kind: 'bool' },
  DESTROYABLE: { number: 0x172, kind: 'bool' },
  EC_PARAMS: { number: 0x180, kind: 'bytes' },
  EC_POINT: { number: 0x181, kind: 'bytes' },
  WRAP_WITH_TRUSTED: { number: 0x210, kind: 'bool' },
  WRAP_TEMPLATE: { number: 0x40000211, kind: 'template' },
  UNWRAP_TEMPLATE: { number: 0x40000212, kind: 'template' },
  DERIVE_TEMPLATE: { number: 0x40000213, kind: 'template' },
  ALLOWED_MECHANISMS: { number: 0x40000600, kind: 'mechanisms' },
};

/** Names in the order of CK_FUNCTION_LIST, by which the engine says which function failed. */
export const FUNCTION_NAMES: readonly string[] = [
  'C_Initialize',
  'C_Finalize',
  'C_GetInfo',
  'C_GetFunctionList',
  'C_GetSlotList',
  'C_GetSlotInfo',
  'C_GetTokenInfo',
  'C_GetMechanismList',
  'C_GetMechanismInfo',
  'C_InitToken',
  'C_InitPIN',
  'C_SetPIN',
  'C_OpenSession',
  'C_CloseSession',
  'C_CloseAllSessions',
  'C_GetSessionInfo',
  'C_GetOperationState',
  'C_SetOperationState',
  'C_Login',
  'C_Logout',
  'C_CreateObject',
  'C_CopyObject',
  'C_DestroyObject',
  'C_GetObjectSize',
  'C_GetAttributeValue',
  'C_SetAttributeValue',
  'C_FindObjectsInit',
  'C_FindObjects',
  'C_FindObjectsFinal',
  'C_EncryptInit',
  'C_Encrypt',
  'C_EncryptUpdate',
  'C_EncryptFinal',
  'C_DecryptInit',
  'C_Decrypt',
  'C_DecryptUpdate',
  'C_DecryptFinal',
  'C_DigestInit',
  'C_Digest',
  'C_DigestUpdate',
  'C_DigestKey',
  'C_DigestFinal',
  'C_SignInit',
  'C_Sign',
  'C_SignUpdate',
  'C_SignFinal',
  'C_SignRecoverInit',
  'C_SignRecover',
  'C_VerifyInit',
  'C_Verify',
  'C_VerifyUpdate',
  'C_VerifyFinal',
  'C_VerifyRecoverInit',
  'C_VerifyRecover',
  'C_DigestEncryptUpdate',
  'C_DecryptDigestUpdate',
  'C_SignEncryptUpdate',
  'C_DecryptVerifyUpdate',
  'C_GenerateKey',
  'C_GenerateKeyPair',
  'C_WrapKey',
  'C_UnwrapKey',
  'C_DeriveKey',
  'C_SeedRandom',
  'C_GenerateRandom',
];

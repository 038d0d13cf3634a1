// The part of the PKCS#11 C interface (Cryptoki) that the engine calls: types, constants, parameters, function list.
// Written from the text of PKCS#11 2.20, 2.40 and 3.0 (OASIS) for this project; names and layouts are the standard's.
#ifndef HSM_KMS_CRYPTOKI_H
#define HSM_KMS_CRYPTOKI_H

using CK_BYTE = unsigned char;
using CK_BBOOL = CK_BYTE;
using CK_CHAR = CK_BYTE;
using CK_ULONG = unsigned long;
using CK_FLAGS = CK_ULONG;
using CK_RV = CK_ULONG;
using CK_SLOT_ID = CK_ULONG;
using CK_SESSION_HANDLE = CK_ULONG;
using CK_OBJECT_HANDLE = CK_ULONG;
using CK_MECHANISM_TYPE = CK_ULONG;
using CK_ATTRIBUTE_TYPE = CK_ULONG;
using CK_USER_TYPE = CK_ULONG;
using CK_STATE = CK_ULONG;
using CK_NOTIFY = CK_RV (*)(CK_SESSION_HANDLE, CK_ULONG, void*);
using CK_UNUSED_FUNCTION = void (*)();

static_assert(sizeof(CK_ULONG) == 8, "Cryptoki on 64-bit Linux has 8-byte CK_ULONG");

constexpr CK_ULONG CK_UNAVAILABLE_INFORMATION = ~CK_ULONG{0};
constexpr CK_ULONG CK_EFFECTIVELY_INFINITE = 0;

constexpr CK_RV CKR_OK = 0x0;
constexpr CK_RV CKR_HOST_MEMORY = 0x2;
constexpr CK_RV CKR_GENERAL_ERROR = 0x5;
constexpr CK_RV CKR_FUNCTION_FAILED = 0x6;
constexpr CK_RV CKR_ARGUMENTS_BAD = 0x7;
constexpr CK_RV CKR_ATTRIBUTE_SENSITIVE = 0x11;
constexpr CK_RV CKR_ATTRIBUTE_TYPE_INVALID = 0x12;
constexpr CK_RV CKR_FUNCTION_NOT_SUPPORTED = 0x54;
constexpr CK_RV CKR_KEY_HANDLE_INVALID = 0x60;
constexpr CK_RV CKR_OBJECT_HANDLE_INVALID = 0x82;
constexpr CK_RV CKR_OPERATION_ACTIVE = 0x90;
constexpr CK_RV CKR_OPERATION_NOT_INITIALIZED = 0x91;
constexpr CK_RV CKR_SESSION_COUNT = 0xB1;
constexpr CK_RV CKR_SESSION_HANDLE_INVALID = 0xB3;
constexpr CK_RV CKR_SIGNATURE_INVALID = 0xC0;
constexpr CK_RV CKR_SIGNATURE_LEN_RANGE = 0xC1;
constexpr CK_RV CKR_BUFFER_TOO_SMALL = 0x150;
constexpr CK_RV CKR_CRYPTOKI_NOT_INITIALIZED = 0x190;

constexpr CK_FLAGS CKF_OS_LOCKING_OK = 0x2;
constexpr CK_FLAGS CKF_RW_SESSION = 0x2;
constexpr CK_FLAGS CKF_SERIAL_SESSION = 0x4;
constexpr CK_FLAGS CKF_TOKEN_PRESENT = 0x1;
constexpr CK_FLAGS CKF_HKDF_SALT_NULL = 0x1;
constexpr CK_FLAGS CKF_HKDF_SALT_DATA = 0x2;
constexpr CK_USER_TYPE CKU_SO = 0;
constexpr CK_USER_TYPE CKU_USER = 1;
constexpr CK_ULONG CKZ_DATA_SPECIFIED = 1;
constexpr CK_ULONG CK_SP800_108_ITERATION_VARIABLE = 1;
constexpr CK_ULONG CK_SP800_108_BYTE_ARRAY = 4;

struct CK_VERSION {
  CK_BYTE major;
  CK_BYTE minor;
};

struct CK_INFO {
  CK_VERSION cryptokiVersion;
  CK_CHAR manufacturerID[32];
  CK_FLAGS flags;
  CK_CHAR libraryDescription[32];
  CK_VERSION libraryVersion;
};

struct CK_SLOT_INFO {
  CK_CHAR slotDescription[64];
  CK_CHAR manufacturerID[32];
  CK_FLAGS flags;
  CK_VERSION hardwareVersion;
  CK_VERSION firmwareVersion;
};

struct CK_TOKEN_INFO {
  CK_CHAR label[32];
  CK_CHAR manufacturerID[32];
  CK_CHAR model[16];
  CK_CHAR serialNumber[16];
  CK_FLAGS flags;
  CK_ULONG ulMaxSessionCount;
  CK_ULONG ulSessionCount;
  CK_ULONG ulMaxRwSessionCount;
  CK_ULONG ulRwSessionCount;
  CK_ULONG ulMaxPinLen;
  CK_ULONG ulMinPinLen;
  CK_ULONG ulTotalPublicMemory;
  CK_ULONG ulFreePublicMemory;
  CK_ULONG ulTotalPrivateMemory;
  CK_ULONG ulFreePrivateMemory;
  CK_VERSION hardwareVersion;
  CK_VERSION firmwareVersion;
  CK_CHAR utcTime[16];
};

struct CK_SESSION_INFO {
  CK_SLOT_ID slotID;
  CK_STATE state;
  CK_FLAGS flags;
  CK_ULONG ulDeviceError;
};

struct CK_ATTRIBUTE {
  CK_ATTRIBUTE_TYPE type;
  void* pValue;
  CK_ULONG ulValueLen;
};

struct CK_MECHANISM {
  CK_MECHANISM_TYPE mechanism;
  void* pParameter;
  CK_ULONG ulParameterLen;
};

struct CK_C_INITIALIZE_ARGS {
  void* CreateMutex;
  void* DestroyMutex;
  void* LockMutex;
  void* UnlockMutex;
  CK_FLAGS flags;
  void* pReserved;
};

// Mechanism parameters (PKCS#11 2.40 and 3.0, mechanism specifications).

struct CK_GCM_PARAMS {
  CK_BYTE* pIv;
  CK_ULONG ulIvLen;
  CK_ULONG ulIvBits;
  CK_BYTE* pAAD;
  CK_ULONG ulAADLen;
  CK_ULONG ulTagBits;
};

struct CK_AES_CTR_PARAMS {
  CK_ULONG ulCounterBits;
  CK_BYTE cb[16];
};

struct CK_RSA_PKCS_OAEP_PARAMS {
  CK_MECHANISM_TYPE hashAlg;
  CK_ULONG mgf;
  CK_ULONG source;
  void* pSourceData;
  CK_ULONG ulSourceDataLen;
};

struct CK_RSA_PKCS_PSS_PARAMS {
  CK_MECHANISM_TYPE hashAlg;
  CK_ULONG mgf;
  CK_ULONG sLen;
};

struct CK_RSA_AES_KEY_WRAP_PARAMS {
  CK_ULONG ulAESKeyBits;
  CK_RSA_PKCS_OAEP_PARAMS* pOAEPParams;
};

struct CK_KEY_DERIVATION_STRING_DATA {
  CK_BYTE* pData;
  CK_ULONG ulLen;
};

struct CK_AES_CBC_ENCRYPT_DATA_PARAMS {
  CK_BYTE iv[16];
  CK_BYTE* pData;
  CK_ULONG length;
};

struct CK_ECDH1_DERIVE_PARAMS {
  CK_ULONG kdf;
  CK_ULONG ulSharedDataLen;
  CK_BYTE* pSharedData;
  CK_ULONG ulPublicDataLen;
  CK_BYTE* pPublicData;
};

struct CK_EDDSA_PARAMS {
  CK_BBOOL phFlag;
  CK_ULONG ulContextDataLen;
  CK_BYTE* pContextData;
};

struct CK_HKDF_PARAMS {
  CK_BBOOL bExtract;
  CK_BBOOL bExpand;
  CK_MECHANISM_TYPE prfHashMechanism;
  CK_ULONG ulSaltType;
  CK_BYTE* pSalt;
  CK_ULONG ulSaltLen;
  CK_OBJECT_HANDLE hSaltKey;
  CK_BYTE* pInfo;
  CK_ULONG ulInfoLen;
};

struct CK_SP800_108_COUNTER_FORMAT {
  CK_BBOOL bLittleEndian;
  CK_ULONG ulWidthInBits;
};

struct CK_PRF_DATA_PARAM {
  CK_ULONG type;
  void* pValue;
  CK_ULONG ulValueLen;
};

struct CK_SP800_108_KDF_PARAMS {
  CK_MECHANISM_TYPE prfType;
  CK_ULONG ulNumberOfDataParams;
  CK_PRF_DATA_PARAM* pDataParams;
  CK_ULONG ulAdditionalDerivedKeys;
  void* pAdditionalDerivedKeys;
};

static_assert(sizeof(CK_GCM_PARAMS) == 48, "modules check this size");

// CK_FUNCTION_LIST: the members of 2.20 to 2.40 in their order. The list of 3.x starts with the same members.
struct CK_FUNCTION_LIST {
  CK_VERSION version;
  CK_RV (*C_Initialize)(void*);
  CK_RV (*C_Finalize)(void*);
  CK_RV (*C_GetInfo)(CK_INFO*);
  CK_UNUSED_FUNCTION C_GetFunctionList;
  CK_RV (*C_GetSlotList)(CK_BBOOL, CK_SLOT_ID*, CK_ULONG*);
  CK_RV (*C_GetSlotInfo)(CK_SLOT_ID, CK_SLOT_INFO*);
  CK_RV (*C_GetTokenInfo)(CK_SLOT_ID, CK_TOKEN_INFO*);
  CK_RV (*C_GetMechanismList)(CK_SLOT_ID, CK_MECHANISM_TYPE*, CK_ULONG*);
  CK_UNUSED_FUNCTION C_GetMechanismInfo;
  CK_UNUSED_FUNCTION C_InitToken;
  CK_UNUSED_FUNCTION C_InitPIN;
  CK_UNUSED_FUNCTION C_SetPIN;
  CK_RV (*C_OpenSession)(CK_SLOT_ID, CK_FLAGS, void*, CK_NOTIFY, CK_SESSION_HANDLE*);
  CK_RV (*C_CloseSession)(CK_SESSION_HANDLE);
  CK_RV (*C_CloseAllSessions)(CK_SLOT_ID);
  CK_RV (*C_GetSessionInfo)(CK_SESSION_HANDLE, CK_SESSION_INFO*);
  CK_UNUSED_FUNCTION C_GetOperationState;
  CK_UNUSED_FUNCTION C_SetOperationState;
  CK_RV (*C_Login)(CK_SESSION_HANDLE, CK_USER_TYPE, CK_BYTE*, CK_ULONG);
  CK_RV (*C_Logout)(CK_SESSION_HANDLE);
  CK_RV (*C_CreateObject)(CK_SESSION_HANDLE, CK_ATTRIBUTE*, CK_ULONG, CK_OBJECT_HANDLE*);
  CK_RV (*C_CopyObject)(CK_SESSION_HANDLE, CK_OBJECT_HANDLE, CK_ATTRIBUTE*, CK_ULONG, CK_OBJECT_HANDLE*);
  CK_RV (*C_DestroyObject)(CK_SESSION_HANDLE, CK_OBJECT_HANDLE);
  CK_UNUSED_FUNCTION C_GetObjectSize;
  CK_RV (*C_GetAttributeValue)(CK_SESSION_HANDLE, CK_OBJECT_HANDLE, CK_ATTRIBUTE*, CK_ULONG);
  CK_RV (*C_SetAttributeValue)(CK_SESSION_HANDLE, CK_OBJECT_HANDLE, CK_ATTRIBUTE*, CK_ULONG);
  CK_RV (*C_FindObjectsInit)(CK_SESSION_HANDLE, CK_ATTRIBUTE*, CK_ULONG);
  CK_RV (*C_FindObjects)(CK_SESSION_HANDLE, CK_OBJECT_HANDLE*, CK_ULONG, CK_ULONG*);
  CK_RV (*C_FindObjectsFinal)(CK_SESSION_HANDLE);
  CK_RV (*C_EncryptInit)(CK_SESSION_HANDLE, CK_MECHANISM*, CK_OBJECT_HANDLE);
  CK_RV (*C_Encrypt)(CK_SESSION_HANDLE, CK_BYTE*, CK_ULONG, CK_BYTE*, CK_ULONG*);
  CK_UNUSED_FUNCTION C_EncryptUpdate;
  CK_RV (*C_EncryptFinal)(CK_SESSION_HANDLE, CK_BYTE*, CK_ULONG*);
  CK_RV (*C_DecryptInit)(CK_SESSION_HANDLE, CK_MECHANISM*, CK_OBJECT_HANDLE);
  CK_RV (*C_Decrypt)(CK_SESSION_HANDLE, CK_BYTE*, CK_ULONG, CK_BYTE*, CK_ULONG*);
  CK_UNUSED_FUNCTION C_DecryptUpdate;
  CK_RV (*C_DecryptFinal)(CK_SESSION_HANDLE, CK_BYTE*, CK_ULONG*);
  CK_UNUSED_FUNCTION C_DigestInit;
  CK_UNUSED_FUNCTION C_Digest;
  CK_UNUSED_FUNCTION C_DigestUpdate;
  CK_UNUSED_FUNCTION C_DigestKey;
  CK_UNUSED_FUNCTION C_DigestFinal;
  CK_RV (*C_SignInit)(CK_SESSION_HANDLE, CK_MECHANISM*, CK_OBJECT_HANDLE);
  CK_RV (*C_Sign)(CK_SESSION_HANDLE, CK_BYTE*, CK_ULONG, CK_BYTE*, CK_ULONG*);
  CK_UNUSED_FUNCTION C_SignUpdate;
  CK_RV (*C_SignFinal)(CK_SESSION_HANDLE, CK_BYTE*, CK_ULONG*);
  CK_UNUSED_FUNCTION C_SignRecoverInit;
  CK_UNUSED_FUNCTION C_SignRecover;
  CK_RV (*C_VerifyInit)(CK_SESSION_HANDLE, CK_MECHANISM*, CK_OBJECT_HANDLE);
  CK_RV (*C_Verify)(CK_SESSION_HANDLE, CK_BYTE*, CK_ULONG, CK_BYTE*, CK_ULONG);
  CK_UNUSED_FUNCTION C_VerifyUpdate;
  CK_RV (*C_VerifyFinal)(CK_SESSION_HANDLE, CK_BYTE*, CK_ULONG);
  CK_UNUSED_FUNCTION C_VerifyRecoverInit;
  CK_UNUSED_FUNCTION C_VerifyRecover;
  CK_UNUSED_FUNCTION C_DigestEncryptUpdate;
  CK_UNUSED_FUNCTION C_DecryptDigestUpdate;
  CK_UNUSED_FUNCTION C_SignEncryptUpdate;
  CK_UNUSED_FUNCTION C_DecryptVerifyUpdate;
  CK_RV (*C_GenerateKey)(CK_SESSION_HANDLE, CK_MECHANISM*, CK_ATTRIBUTE*, CK_ULONG, CK_OBJECT_HANDLE*);
  CK_RV (*C_GenerateKeyPair)(CK_SESSION_HANDLE, CK_MECHANISM*, CK_ATTRIBUTE*, CK_ULONG, CK_ATTRIBUTE*, CK_ULONG, CK_OBJECT_HANDLE*,
                             CK_OBJECT_HANDLE*);
  CK_RV (*C_WrapKey)(CK_SESSION_HANDLE, CK_MECHANISM*, CK_OBJECT_HANDLE, CK_OBJECT_HANDLE, CK_BYTE*, CK_ULONG*);
  CK_RV (*C_UnwrapKey)(CK_SESSION_HANDLE, CK_MECHANISM*, CK_OBJECT_HANDLE, CK_BYTE*, CK_ULONG, CK_ATTRIBUTE*, CK_ULONG,
                       CK_OBJECT_HANDLE*);
  CK_RV (*C_DeriveKey)(CK_SESSION_HANDLE, CK_MECHANISM*, CK_OBJECT_HANDLE, CK_ATTRIBUTE*, CK_ULONG, CK_OBJECT_HANDLE*);
  CK_UNUSED_FUNCTION C_SeedRandom;
  CK_RV (*C_GenerateRandom)(CK_SESSION_HANDLE, CK_BYTE*, CK_ULONG);
  CK_UNUSED_FUNCTION C_GetFunctionStatus;
  CK_UNUSED_FUNCTION C_CancelFunction;
  CK_UNUSED_FUNCTION C_WaitForSlotEvent;
};

struct CK_INTERFACE {
  CK_CHAR* pInterfaceName;
  void* pFunctionList;
  CK_FLAGS flags;
};

// Positions in CK_FUNCTION_LIST: how an outcome names the function that returned its value.
enum class CkFunction : unsigned {
  C_Initialize = 0,
  C_Finalize = 1,
  C_GetInfo = 2,
  C_GetFunctionList = 3,
  C_GetSlotList = 4,
  C_GetSlotInfo = 5,
  C_GetTokenInfo = 6,
  C_GetMechanismList = 7,
  C_OpenSession = 12,
  C_CloseSession = 13,
  C_CloseAllSessions = 14,
  C_GetSessionInfo = 15,
  C_Login = 18,
  C_Logout = 19,
  C_CreateObject = 20,
  C_CopyObject = 21,
  C_DestroyObject = 22,
  C_GetAttributeValue = 24,
  C_SetAttributeValue = 25,
  C_FindObjectsInit = 26,
  C_FindObjects = 27,
  C_FindObjectsFinal = 28,
  C_EncryptInit = 29,
  C_Encrypt = 30,
  C_DecryptInit = 33,
  C_Decrypt = 34,
  C_SignInit = 42,
  C_Sign = 43,
  C_VerifyInit = 48,
  C_Verify = 49,
  C_GenerateKey = 58,
  C_GenerateKeyPair = 59,
  C_WrapKey = 60,
  C_UnwrapKey = 61,
  C_DeriveKey = 62,
  C_GenerateRandom = 64,
};

#endif

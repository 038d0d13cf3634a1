// A PKCS#11 module that answers at once and protects nothing: for measuring the hop alone, and for tests of the door.
// "Encryption" copies the data and appends 16 zero bytes. Of AES-GCM it makes the IV itself (12 bytes 0xa5) as some HSMs do: a zeroed
// IV is overwritten, for a NULL one it is appended. NULL_MODULE_HANDLES=N makes every search find N objects, NULL_MODULE_READ_RV=N makes
// every C_GetAttributeValue return N. Functions that are of no use to the tests are NULL, as in some libraries of vendors.
#include <cstdlib>
#include <cstring>

#include "../cryptoki.h"

namespace {

constexpr CK_ULONG kTagBytes = 16;
constexpr CK_ULONG kIvBytes = 12;
constexpr CK_BYTE kMadeIv[kIvBytes] = {0xa5, 0xa5, 0xa5, 0xa5, 0xa5, 0xa5, 0xa5, 0xa5, 0xa5, 0xa5, 0xa5, 0xa5};
constexpr CK_MECHANISM_TYPE kAesGcm = 0x1087;
thread_local CK_GCM_PARAMS* gcm = nullptr;
thread_local CK_ULONG found = 0;

CK_ULONG setting(const char* name, CK_ULONG otherwise) {
  const char* text = getenv(name);
  return text == nullptr ? otherwise : strtoul(text, nullptr, 10);
}

CK_RV ok(CK_SESSION_HANDLE) { return CKR_OK; }
CK_RV initialize(void*) { return CKR_OK; }
CK_RV init(CK_SESSION_HANDLE, CK_MECHANISM*, CK_OBJECT_HANDLE) { return CKR_OK; }

CK_RV encryptInit(CK_SESSION_HANDLE, CK_MECHANISM* mechanism, CK_OBJECT_HANDLE) {
  gcm = mechanism->mechanism == kAesGcm ? static_cast<CK_GCM_PARAMS*>(mechanism->pParameter) : nullptr;
  return CKR_OK;
}

bool isZeroed(const CK_GCM_PARAMS& params) {
  static constexpr CK_BYTE zeros[kIvBytes]{};
  return params.ulIvLen == kIvBytes && memcmp(params.pIv, zeros, kIvBytes) == 0;
}

CK_RV getInfo(CK_INFO* info) {
  *info = {};
  info->cryptokiVersion = {2, 40};
  memset(info->manufacturerID, ' ', sizeof info->manufacturerID);
  memset(info->libraryDescription, ' ', sizeof info->libraryDescription);
  return CKR_OK;
}

CK_RV getSlotList(CK_BBOOL, CK_SLOT_ID* slots, CK_ULONG* count) {
  if (slots != nullptr) slots[0] = 1;
  *count = 1;
  return CKR_OK;
}

CK_RV getSlotInfo(CK_SLOT_ID, CK_SLOT_INFO* info) {
  *info = {};
  info->flags = CKF_TOKEN_PRESENT;
  return CKR_OK;
}

CK_RV getTokenInfo(CK_SLOT_ID, CK_TOKEN_INFO* info) {
  *info = {};
  memset(info->label, ' ', sizeof info->label);
  memcpy(info->label, "null", 4);
  info->ulMaxSessionCount = CK_UNAVAILABLE_INFORMATION;
  return CKR_OK;
}

CK_RV getMechanismList(CK_SLOT_ID, CK_MECHANISM_TYPE*, CK_ULONG* count) {
  *count = 0;
  return CKR_OK;
}

CK_RV openSession(CK_SLOT_ID, CK_FLAGS, void*, CK_NOTIFY, CK_SESSION_HANDLE* session) {
  *session = 1;
  return CKR_OK;
}

CK_RV getSessionInfo(CK_SESSION_HANDLE, CK_SESSION_INFO* info) {
  *info = {1, 3, 0, 0};
  return CKR_OK;
}

CK_RV login(CK_SESSION_HANDLE, CK_USER_TYPE, CK_BYTE*, CK_ULONG) { return CKR_OK; }

CK_RV encrypt(CK_SESSION_HANDLE, CK_BYTE* data, CK_ULONG length, CK_BYTE* out, CK_ULONG* outLength) {
  const CK_ULONG appended = gcm != nullptr && gcm->pIv == nullptr ? kIvBytes : 0;
  if (*outLength < length + kTagBytes + appended) return CKR_BUFFER_TOO_SMALL;
  memcpy(out, data, length);
  memset(out + length, 0, kTagBytes);
  memcpy(out + length + kTagBytes, kMadeIv, appended);
  if (gcm != nullptr && appended == 0 && isZeroed(*gcm)) memcpy(gcm->pIv, kMadeIv, kIvBytes);
  *outLength = length + kTagBytes + appended;
  return CKR_OK;
}

CK_RV decrypt(CK_SESSION_HANDLE, CK_BYTE* data, CK_ULONG length, CK_BYTE* out, CK_ULONG* outLength) {
  if (length < kTagBytes) return CKR_ARGUMENTS_BAD;
  memcpy(out, data, length - kTagBytes);
  *outLength = length - kTagBytes;
  return CKR_OK;
}

CK_RV sign(CK_SESSION_HANDLE, CK_BYTE*, CK_ULONG, CK_BYTE* out, CK_ULONG* outLength) {
  memset(out, 0, 32);
  *outLength = 32;
  return CKR_OK;
}

CK_RV verify(CK_SESSION_HANDLE, CK_BYTE*, CK_ULONG, CK_BYTE*, CK_ULONG) { return CKR_OK; }
CK_RV random(CK_SESSION_HANDLE, CK_BYTE* out, CK_ULONG length) {
  memset(out, 0, length);
  return CKR_OK;
}

CK_RV generateKey(CK_SESSION_HANDLE, CK_MECHANISM*, CK_ATTRIBUTE*, CK_ULONG, CK_OBJECT_HANDLE* key) {
  *key = 7;
  return CKR_OK;
}

CK_RV destroyObject(CK_SESSION_HANDLE, CK_OBJECT_HANDLE) { return CKR_OK; }
CK_RV getAttributeValue(CK_SESSION_HANDLE, CK_OBJECT_HANDLE, CK_ATTRIBUTE* attributes, CK_ULONG count) {
  for (CK_ULONG i = 0; i < count; ++i) attributes[i].ulValueLen = CK_UNAVAILABLE_INFORMATION;
  return setting("NULL_MODULE_READ_RV", CKR_ATTRIBUTE_TYPE_INVALID);
}

CK_RV findObjectsInit(CK_SESSION_HANDLE, CK_ATTRIBUTE*, CK_ULONG) {
  found = 0;
  return CKR_OK;
}

CK_RV findObjects(CK_SESSION_HANDLE, CK_OBJECT_HANDLE* handles, CK_ULONG most, CK_ULONG* count) {
  *count = 0;
  const CK_ULONG total = setting("NULL_MODULE_HANDLES", 0);
  while (*count < most && found < total) handles[(*count)++] = ++found;
  return CKR_OK;
}

CK_FUNCTION_LIST makeList() {
  CK_FUNCTION_LIST list{};
  list.version = {2, 40};
  list.C_Initialize = initialize;
  list.C_Finalize = initialize;
  list.C_GetInfo = getInfo;
  list.C_GetSlotList = getSlotList;
  list.C_GetSlotInfo = getSlotInfo;
  list.C_GetTokenInfo = getTokenInfo;
  list.C_GetMechanismList = getMechanismList;
  list.C_OpenSession = openSession;
  list.C_CloseSession = ok;
  list.C_CloseAllSessions = ok;
  list.C_GetSessionInfo = getSessionInfo;
  list.C_Login = login;
  list.C_Logout = ok;
  list.C_DestroyObject = destroyObject;
  list.C_GetAttributeValue = getAttributeValue;
  list.C_FindObjectsInit = findObjectsInit;
  list.C_FindObjects = findObjects;
  list.C_FindObjectsFinal = ok;
  list.C_EncryptInit = encryptInit;
  list.C_Encrypt = encrypt;
  list.C_DecryptInit = init;
  list.C_Decrypt = decrypt;
  list.C_SignInit = init;
  list.C_Sign = sign;
  list.C_VerifyInit = init;
  list.C_Verify = verify;
  list.C_GenerateKey = generateKey;
  list.C_GenerateRandom = random;
  return list;
}

}  // namespace

extern "C" __attribute__((visibility("default"))) CK_RV C_GetFunctionList(CK_FUNCTION_LIST** list) {
  static CK_FUNCTION_LIST functions = makeList();
  *list = &functions;
  return CKR_OK;
}

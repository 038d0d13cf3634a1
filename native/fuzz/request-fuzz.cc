// libFuzzer target: any bytes as the request of any operation. The module it calls reads every byte that it is given and fills
// every buffer as far as it may, so that a wrong pointer or length shows in AddressSanitizer.
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "../calls.h"
#include "../slab.h"

namespace {

volatile unsigned checksum = 0;

void touch(const void* data, CK_ULONG length) {
  const auto* bytes = static_cast<const CK_BYTE*>(data);
  for (CK_ULONG i = 0; i < length; ++i) checksum = checksum + bytes[i];
}

void touchTemplate(const CK_ATTRIBUTE* attributes, CK_ULONG count) {
  for (CK_ULONG i = 0; i < count; ++i) {
    const bool nested = attributes[i].type >= 0x40000211 && attributes[i].type <= 0x40000213;
    touch(attributes[i].pValue, attributes[i].ulValueLen);
    if (nested && attributes[i].ulValueLen % sizeof(CK_ATTRIBUTE) != 0) continue;
  }
}

CK_RV init(CK_SESSION_HANDLE, CK_MECHANISM* mechanism, CK_OBJECT_HANDLE key) {
  touch(mechanism->pParameter, mechanism->ulParameterLen);
  if (mechanism->mechanism == 0x1087 && mechanism->ulParameterLen == sizeof(CK_GCM_PARAMS)) {
    const auto* params = static_cast<CK_GCM_PARAMS*>(mechanism->pParameter);
    touch(params->pIv, params->ulIvLen);
    touch(params->pAAD, params->ulAADLen);
  }
  return key % 7 == 3 ? CKR_OPERATION_ACTIVE : CKR_OK;
}

CK_RV run(CK_SESSION_HANDLE, CK_BYTE* data, CK_ULONG length, CK_BYTE* out, CK_ULONG* outLength) {
  touch(data, length);
  if (length % 5 == 4 && *outLength < 2048) {
    *outLength = 2048;
    return CKR_BUFFER_TOO_SMALL;
  }
  memset(out, 0xa5, *outLength);
  if (*outLength > length + 16) *outLength = length + 16;
  return length % 11 == 10 ? CKR_GENERAL_ERROR : CKR_OK;
}

CK_RV verify(CK_SESSION_HANDLE, CK_BYTE* data, CK_ULONG length, CK_BYTE* signature, CK_ULONG signatureLength) {
  touch(data, length);
  touch(signature, signatureLength);
  return signatureLength % 3 == 0 ? CKR_OK : CKR_SIGNATURE_INVALID;
}

CK_RV generate(CK_SESSION_HANDLE session, CK_MECHANISM* mechanism, CK_ATTRIBUTE* attributes, CK_ULONG count, CK_OBJECT_HANDLE* key) {
  touchTemplate(attributes, count);
  *key = count;
  return init(session, mechanism, count);
}

CK_RV generatePair(CK_SESSION_HANDLE session, CK_MECHANISM* mechanism, CK_ATTRIBUTE* publicPart, CK_ULONG publicCount, CK_ATTRIBUTE* privatePart,
                   CK_ULONG privateCount, CK_OBJECT_HANDLE* publicKey, CK_OBJECT_HANDLE* privateKey) {
  touchTemplate(publicPart, publicCount);
  *publicKey = publicCount;
  return generate(session, mechanism, privatePart, privateCount, privateKey);
}

CK_RV wrap(CK_SESSION_HANDLE session, CK_MECHANISM* mechanism, CK_OBJECT_HANDLE, CK_OBJECT_HANDLE key, CK_BYTE* out, CK_ULONG* length) {
  memset(out, 0x5a, *length);
  if (*length > 40) *length = 40;
  return init(session, mechanism, key);
}

CK_RV unwrap(CK_SESSION_HANDLE session, CK_MECHANISM* mechanism, CK_OBJECT_HANDLE, CK_BYTE* wrapped, CK_ULONG length, CK_ATTRIBUTE* attributes,
             CK_ULONG count, CK_OBJECT_HANDLE* key) {
  touch(wrapped, length);
  return generate(session, mechanism, attributes, count, key);
}

CK_RV derive(CK_SESSION_HANDLE session, CK_MECHANISM* mechanism, CK_OBJECT_HANDLE, CK_ATTRIBUTE* attributes, CK_ULONG count, CK_OBJECT_HANDLE* key) {
  return generate(session, mechanism, attributes, count, key);
}

CK_RV create(CK_SESSION_HANDLE, CK_ATTRIBUTE* attributes, CK_ULONG count, CK_OBJECT_HANDLE* object) {
  touchTemplate(attributes, count);
  *object = count;
  return CKR_OK;
}

CK_RV copy(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE, CK_ATTRIBUTE* attributes, CK_ULONG count, CK_OBJECT_HANDLE* object) {
  return create(session, attributes, count, object);
}

CK_RV set(CK_SESSION_HANDLE, CK_OBJECT_HANDLE, CK_ATTRIBUTE* attributes, CK_ULONG count) {
  touchTemplate(attributes, count);
  return CKR_OK;
}

// Objects answer as different modules do: whole, only one by one, with lengths only, or not at all.
CK_RV get(CK_SESSION_HANDLE, CK_OBJECT_HANDLE object, CK_ATTRIBUTE* attributes, CK_ULONG count) {
  if (object % 4 == 1 && count > 1) return CKR_ATTRIBUTE_SENSITIVE;
  if (object % 4 == 2) return CKR_ATTRIBUTE_TYPE_INVALID;
  for (CK_ULONG i = 0; i < count; ++i) {
    if (attributes[i].pValue == nullptr) {
      attributes[i].ulValueLen = object % 1000;
    } else if (object % 8 != 3) {
      memset(attributes[i].pValue, 0, attributes[i].ulValueLen);
      if (object % 8 == 4 && attributes[i].ulValueLen > 1) attributes[i].ulValueLen -= 1;
    }
  }
  return CKR_OK;
}

CK_RV destroy(CK_SESSION_HANDLE, CK_OBJECT_HANDLE) { return CKR_OK; }
CK_RV simple(CK_SESSION_HANDLE) { return CKR_OK; }

CK_ULONG foundLeft = 0;
CK_RV findInit(CK_SESSION_HANDLE, CK_ATTRIBUTE* attributes, CK_ULONG count) {
  touchTemplate(attributes, count);
  foundLeft = 700;
  return CKR_OK;
}
CK_RV find(CK_SESSION_HANDLE, CK_OBJECT_HANDLE* handles, CK_ULONG most, CK_ULONG* count) {
  *count = foundLeft < most ? foundLeft : most;
  for (CK_ULONG i = 0; i < *count; ++i) handles[i] = foundLeft - i;
  foundLeft -= *count;
  return CKR_OK;
}

CK_RV randomBytes(CK_SESSION_HANDLE, CK_BYTE* out, CK_ULONG length) {
  memset(out, 7, length);
  return CKR_OK;
}

CK_RV sessionInfo(CK_SESSION_HANDLE, CK_SESSION_INFO* info) {
  *info = {1, 3, 0, 0};
  return CKR_OK;
}

CK_FUNCTION_LIST touchingModule() {
  CK_FUNCTION_LIST f{};
  f.C_EncryptInit = f.C_DecryptInit = f.C_SignInit = f.C_VerifyInit = init;
  f.C_Encrypt = f.C_Decrypt = f.C_Sign = run;
  f.C_Verify = verify;
  f.C_GenerateKey = generate;
  f.C_GenerateKeyPair = generatePair;
  f.C_WrapKey = wrap;
  f.C_UnwrapKey = unwrap;
  f.C_DeriveKey = derive;
  f.C_CreateObject = create;
  f.C_CopyObject = copy;
  f.C_SetAttributeValue = set;
  f.C_GetAttributeValue = get;
  f.C_DestroyObject = destroy;
  f.C_FindObjectsInit = findInit;
  f.C_FindObjects = find;
  f.C_FindObjectsFinal = simple;
  f.C_Logout = simple;
  f.C_GenerateRandom = randomBytes;
  f.C_GetSessionInfo = sessionInfo;
  return f;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const CK_FUNCTION_LIST functions = touchingModule();
  static Arena arena(64 * 1024);
  if (size == 0) return 0;
  // Exact heap blocks, so that one byte too far is seen.
  std::unique_ptr<uint8_t[]> request(new uint8_t[size]);
  memcpy(request.get(), data + 1, size - 1);
  const size_t capacity = Slab::payloadCapacityBytes(0);
  std::unique_ptr<uint8_t[]> answer(new uint8_t[capacity]);
  Reader reader(request.get(), size - 1);
  Writer writer(answer.get(), capacity);
  Call call{functions, 1, reader, writer, arena};
  perform(static_cast<Operation>(data[0] % 32), call);
  arena.clear();
  return 0;
}

// One C_GetAttributeValue for all attributes where the module answers it whole, else one by one.
#include "attributes.h"

namespace {

// Room offered per value in the common call: one more than the largest legal value, so that a length the module
// did not touch is told from one that it wrote.
constexpr CK_ULONG kBoolRoom = 2;
constexpr CK_ULONG kUlongRoom = 16;
constexpr CK_ULONG kBytesRoom = 1025;
constexpr CK_ULONG kValueBytesMax = 512 * 1024;
constexpr CK_ULONG kNestedMax = 64;

CK_ULONG roomFor(ValueKind kind) {
  if (kind == ValueKind::kBool) return kBoolRoom;
  return kind == ValueKind::kUlong ? kUlongRoom : kBytesRoom;
}

bool isAttributeFault(CK_RV rv) {
  return rv == CKR_ATTRIBUTE_SENSITIVE || rv == CKR_ATTRIBUTE_TYPE_INVALID || rv == CKR_BUFFER_TOO_SMALL;
}

// True when the module answered every attribute.
bool readTogether(Call& call, CK_OBJECT_HANDLE object, const ReadBack& readBack) {
  auto* attributes = call.arena.allocate<CK_ATTRIBUTE>(readBack.count);
  if (attributes == nullptr) return false;
  for (uint32_t i = 0; i < readBack.count; ++i) {
    const CK_ULONG room = roomFor(readBack.attributes[i].kind);
    // Aligned, whatever the kind: modules store CK_ULONG there.
    attributes[i] = {readBack.attributes[i].type, call.arena.allocate<CK_ULONG>(room / sizeof(CK_ULONG) + 1), room};
    if (attributes[i].pValue == nullptr || readBack.attributes[i].kind == ValueKind::kTemplate) return false;
  }
  if (call.functions.C_GetAttributeValue(call.session, object, attributes, readBack.count) != CKR_OK) return false;
  for (uint32_t i = 0; i < readBack.count; ++i) {
    if (attributes[i].ulValueLen >= roomFor(readBack.attributes[i].kind)) return false;
  }
  for (uint32_t i = 0; i < readBack.count; ++i) call.response.bytes(attributes[i].pValue, attributes[i].ulValueLen);
  return true;
}

// The value of an attribute that is itself a template: count, then type and bytes of each (PKCS#11 2.40, C_GetAttributeValue).
CK_RV readTemplate(Call& call, CK_OBJECT_HANDLE object, CK_ATTRIBUTE attribute) {
  const CK_ULONG count = attribute.ulValueLen / sizeof(CK_ATTRIBUTE);
  auto* nested = call.arena.allocate<CK_ATTRIBUTE>(count);
  if (count > kNestedMax || nested == nullptr) return CKR_ATTRIBUTE_TYPE_INVALID;
  attribute.pValue = nested;
  CK_RV rv = call.functions.C_GetAttributeValue(call.session, object, &attribute, 1);
  if (rv != CKR_OK) return rv;
  for (CK_ULONG i = 0; i < count; ++i) {
    nested[i].pValue = call.arena.allocate<CK_ULONG>(kBytesRoom / sizeof(CK_ULONG) + 1);
    if (nested[i].ulValueLen > kBytesRoom || nested[i].pValue == nullptr) return CKR_ATTRIBUTE_TYPE_INVALID;
  }
  attribute.ulValueLen = count * sizeof(CK_ATTRIBUTE);
  rv = call.functions.C_GetAttributeValue(call.session, object, &attribute, 1);
  if (rv != CKR_OK) return rv;
  for (CK_ULONG i = 0; i < count; ++i) {
    if (nested[i].ulValueLen > kBytesRoom) return CKR_ATTRIBUTE_TYPE_INVALID;
  }
  const size_t start = call.response.length();
  call.response.u32(0);
  call.response.u32(static_cast<uint32_t>(count));
  for (CK_ULONG i = 0; i < count; ++i) {
    call.response.u64(nested[i].type);
    call.response.bytes(nested[i].pValue, nested[i].ulValueLen);
  }
  if (!call.response.overflowed()) call.response.patchU32(start, static_cast<uint32_t>(call.response.length() - start - sizeof(uint32_t)));
  return CKR_OK;
}

// CKR_ATTRIBUTE_TYPE_INVALID stands for anything that is not there. Values are read into aligned memory: modules store CK_ULONG there.
CK_RV readOne(Call& call, CK_OBJECT_HANDLE object, const AttributeRequest& wanted) {
  CK_ATTRIBUTE attribute{wanted.type, nullptr, 0};
  CK_RV rv = call.functions.C_GetAttributeValue(call.session, object, &attribute, 1);
  if (rv != CKR_OK) return rv;
  if (attribute.ulValueLen == CK_UNAVAILABLE_INFORMATION || attribute.ulValueLen > kValueBytesMax) return CKR_ATTRIBUTE_TYPE_INVALID;
  if (wanted.kind == ValueKind::kTemplate) return readTemplate(call, object, attribute);
  // Room for one byte more: NULL would ask for the length again.
  auto* value = call.arena.allocate<CK_ULONG>(attribute.ulValueLen / sizeof(CK_ULONG) + 1);
  if (value == nullptr) return CKR_ATTRIBUTE_TYPE_INVALID;
  const CK_ULONG offered = attribute.ulValueLen;
  attribute.pValue = value;
  rv = call.functions.C_GetAttributeValue(call.session, object, &attribute, 1);
  if (rv == CKR_OK && attribute.ulValueLen > offered) rv = CKR_ATTRIBUTE_TYPE_INVALID;
  if (rv == CKR_OK) call.response.bytes(value, attribute.ulValueLen);
  return rv;
}

Outcome readSeparately(Call& call, CK_OBJECT_HANDLE object, const ReadBack& readBack) {
  for (uint32_t i = 0; i < readBack.count; ++i) {
    const CK_RV rv = readOne(call, object, readBack.attributes[i]);
    if (isAttributeFault(rv)) {
      call.response.u32(kMissing);
    } else if (rv != CKR_OK) {
      return Outcome::failed(CkFunction::C_GetAttributeValue, rv);
    }
  }
  return {};
}

}  // namespace

Outcome readAttributes(Call& call, CK_OBJECT_HANDLE object, const ReadBack& readBack) {
  const size_t mark = call.arena.used();
  const bool together = readBack.count == 0 || readTogether(call, object, readBack);
  const Outcome outcome = together ? Outcome{} : readSeparately(call, object, readBack);
  call.arena.resetTo(mark);
  return outcome;
}

Outcome describeCreated(Call& call, CK_OBJECT_HANDLE object, const ReadBack& readBack) {
  call.response.u64(object);
  const Outcome read = readAttributes(call, object, readBack);
  // Nobody would know the handle: an object that cannot be described must not stay behind.
  if (!read.ok() || call.response.overflowed()) call.functions.C_DestroyObject(call.session, object);
  return read;
}

// Templates and lists of attributes to read: from the request to CK_ATTRIBUTE arrays.
#include "decoder.h"

namespace {

// The least bytes that an attribute takes in a request: type, kind and a four-byte value.
constexpr size_t kAttributeBytesMin = 16;
constexpr size_t kReadBackBytes = 12;

void decodeBool(Reader& reader, Arena& arena, CK_ATTRIBUTE& attribute) {
  auto* value = arena.allocate<CK_BBOOL>(1);
  if (value == nullptr) return reader.fail();
  *value = reader.u32() != 0 ? 1 : 0;
  attribute.pValue = value;
  attribute.ulValueLen = sizeof *value;
}

void decodeUlongs(Reader& reader, Arena& arena, CK_ATTRIBUTE& attribute, uint32_t count) {
  auto* values = arena.allocate<CK_ULONG>(count);
  if (values == nullptr) return reader.fail();
  for (uint32_t i = 0; i < count; ++i) values[i] = reader.u64();
  attribute.pValue = values;
  attribute.ulValueLen = count * sizeof(CK_ULONG);
}

void decodeNested(Reader& reader, Arena& arena, CK_ATTRIBUTE& attribute, uint32_t depth) {
  Template nested;
  if (!decodeTemplate(reader, arena, nested, depth + 1)) return;
  attribute.pValue = nested.attributes;
  attribute.ulValueLen = nested.count * sizeof(CK_ATTRIBUTE);
}

void decodeValue(Reader& reader, Arena& arena, CK_ATTRIBUTE& attribute, uint32_t depth) {
  switch (static_cast<ValueKind>(reader.u32())) {
    case ValueKind::kBool:
      return decodeBool(reader, arena, attribute);
    case ValueKind::kUlong:
      return decodeUlongs(reader, arena, attribute, 1);
    case ValueKind::kBytes: {
      const Bytes bytes = reader.bytes();
      attribute.pValue = bytes.data;
      attribute.ulValueLen = bytes.length;
      return;
    }
    case ValueKind::kMechanisms:
      return decodeUlongs(reader, arena, attribute, reader.count(kMechanismsMax, sizeof(uint64_t)));
    case ValueKind::kTemplate:
      return decodeNested(reader, arena, attribute, depth);
  }
  reader.fail();
}

}  // namespace

bool decodeTemplate(Reader& reader, Arena& arena, Template& decoded, uint32_t depth) {
  decoded = {nullptr, 0};
  if (depth >= kTemplateDepthMax) reader.fail();
  const uint32_t count = reader.count(kTemplateAttributesMax, kAttributeBytesMin);
  auto* attributes = arena.allocate<CK_ATTRIBUTE>(count);
  if (attributes == nullptr) reader.fail();
  for (uint32_t i = 0; i < count && !reader.failed(); ++i) {
    attributes[i].type = reader.u64();
    decodeValue(reader, arena, attributes[i], depth);
  }
  if (reader.failed()) return false;
  decoded = {attributes, count};
  return true;
}

bool decodeReadBack(Reader& reader, Arena& arena, ReadBack& decoded) {
  decoded = {nullptr, 0};
  const uint32_t count = reader.count(kReadBackMax, kReadBackBytes);
  auto* attributes = arena.allocate<AttributeRequest>(count);
  if (attributes == nullptr) reader.fail();
  for (uint32_t i = 0; i < count && !reader.failed(); ++i) {
    attributes[i].type = reader.u64();
    const uint32_t kind = reader.u32();
    if (kind > static_cast<uint32_t>(ValueKind::kTemplate)) reader.fail();
    attributes[i].kind = static_cast<ValueKind>(kind);
  }
  if (reader.failed()) return false;
  decoded = {attributes, count};
  return true;
}

// Decodes mechanisms and templates of a request into Cryptoki structures. The request is untrusted: every count, length and
// nesting depth has a bound. Structures live in the arena; values point into the request's private copy.
#ifndef HSM_KMS_DECODER_H
#define HSM_KMS_DECODER_H

#include "arena.h"
#include "cryptoki.h"
#include "wire.h"

constexpr uint32_t kTemplateAttributesMax = 64;
constexpr uint32_t kTemplateDepthMax = 2;
constexpr uint32_t kReadBackMax = 64;
constexpr uint32_t kMechanismsMax = 256;

// Layouts of mechanism parameters; the same numbers as in `src/token/request-encoder.ts`.
enum class ParameterLayout : uint32_t {
  kNone = 0,
  kBytes = 1,
  kCounter = 2,
  kGcm = 3,
  kOaep = 4,
  kPss = 5,
  kRsaAesWrap = 6,
  kStringData = 7,
  kCbcEncryptData = 8,
  kEcdh1 = 9,
  kEddsa = 10,
  kHkdf = 11,
  kSp800108Counter = 12,
};

enum class GcmIvSource : uint32_t { kSupplied = 0, kTokenZeroed = 1, kTokenAppended = 2 };

// How an attribute's value is written in a request and read from the token.
enum class ValueKind : uint32_t { kBool = 0, kUlong = 1, kBytes = 2, kMechanisms = 3, kTemplate = 4 };

struct DecodedMechanism {
  CK_MECHANISM mechanism;
  bool isGcm;
  GcmIvSource ivSource;
  // The IV as the request gave it; for kTokenAppended only its length counts.
  Bytes iv;
};

struct Template {
  CK_ATTRIBUTE* attributes;
  CK_ULONG count;
};

struct AttributeRequest {
  CK_ATTRIBUTE_TYPE type;
  ValueKind kind;
};

struct ReadBack {
  AttributeRequest* attributes;
  uint32_t count;
};

// Each returns false, with `reader` failed, when the request is malformed or too large.
bool decodeMechanism(Reader& reader, Arena& arena, DecodedMechanism& decoded);
bool decodeTemplate(Reader& reader, Arena& arena, Template& decoded, uint32_t depth = 0);
bool decodeReadBack(Reader& reader, Arena& arena, ReadBack& decoded);

#endif

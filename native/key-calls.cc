// Generate, wrap, unwrap, derive: the key is made and its attributes are read back in the same hop.
#include "attributes.h"
#include "calls.h"
#include "decoder.h"

namespace {

constexpr CK_ULONG kWrappedBytesFirst = 8 * 1024;

}  // namespace

Outcome generateKeyCall(Call& call) {
  DecodedMechanism mechanism;
  Template wanted;
  ReadBack readBack;
  if (!decodeMechanism(call.request, call.arena, mechanism) || !decodeTemplate(call.request, call.arena, wanted) ||
      !decodeReadBack(call.request, call.arena, readBack) || !call.request.complete()) {
    return malformed(call);
  }
  CK_OBJECT_HANDLE key = 0;
  const CK_RV rv = call.functions.C_GenerateKey(call.session, &mechanism.mechanism, wanted.attributes, wanted.count, &key);
  return rv == CKR_OK ? describeCreated(call, key, readBack) : Outcome::failed(CkFunction::C_GenerateKey, rv);
}

Outcome generateKeyPairCall(Call& call) {
  DecodedMechanism mechanism;
  Template publicPart;
  Template privatePart;
  ReadBack readBack;
  if (!decodeMechanism(call.request, call.arena, mechanism) || !decodeTemplate(call.request, call.arena, publicPart) ||
      !decodeTemplate(call.request, call.arena, privatePart) || !decodeReadBack(call.request, call.arena, readBack) ||
      !call.request.complete()) {
    return malformed(call);
  }
  CK_OBJECT_HANDLE publicKey = 0;
  CK_OBJECT_HANDLE privateKey = 0;
  const CK_RV rv = call.functions.C_GenerateKeyPair(call.session, &mechanism.mechanism, publicPart.attributes, publicPart.count,
                                                    privatePart.attributes, privatePart.count, &publicKey, &privateKey);
  if (rv != CKR_OK) return Outcome::failed(CkFunction::C_GenerateKeyPair, rv);
  const Outcome first = describeCreated(call, publicKey, readBack);
  if (!first.ok()) {
    call.functions.C_DestroyObject(call.session, privateKey);
    return first;
  }
  const Outcome second = describeCreated(call, privateKey, readBack);
  if (!second.ok() || call.response.overflowed()) call.functions.C_DestroyObject(call.session, publicKey);
  return second;
}

Outcome wrapKeyCall(Call& call) {
  DecodedMechanism mechanism;
  if (!decodeMechanism(call.request, call.arena, mechanism)) return malformed(call);
  const CK_OBJECT_HANDLE wrappingKey = call.request.u64();
  const CK_OBJECT_HANDLE key = call.request.u64();
  if (!call.request.complete()) return malformed(call);
  const auto wrap = [&](CK_ULONG& length) {
    return call.functions.C_WrapKey(call.session, &mechanism.mechanism, wrappingKey, key, call.response.end(), &length);
  };
  CK_ULONG length = call.response.room() < kWrappedBytesFirst ? call.response.room() : kWrappedBytesFirst;
  CK_RV rv = wrap(length);
  if (rv == CKR_BUFFER_TOO_SMALL) {
    length = call.response.room();
    rv = wrap(length);
  }
  if (rv != CKR_OK) return Outcome::failed(CkFunction::C_WrapKey, rv);
  call.response.advance(length);
  return {};
}

Outcome unwrapKeyCall(Call& call) {
  DecodedMechanism mechanism;
  Template wanted;
  ReadBack readBack;
  if (!decodeMechanism(call.request, call.arena, mechanism)) return malformed(call);
  const CK_OBJECT_HANDLE unwrappingKey = call.request.u64();
  const Bytes wrapped = call.request.bytes();
  if (!decodeTemplate(call.request, call.arena, wanted) || !decodeReadBack(call.request, call.arena, readBack) || !call.request.complete()) {
    return malformed(call);
  }
  CK_OBJECT_HANDLE key = 0;
  const CK_RV rv = call.functions.C_UnwrapKey(call.session, &mechanism.mechanism, unwrappingKey, wrapped.data, wrapped.length,
                                              wanted.attributes, wanted.count, &key);
  return rv == CKR_OK ? describeCreated(call, key, readBack) : Outcome::failed(CkFunction::C_UnwrapKey, rv);
}

Outcome deriveKeyCall(Call& call) {
  DecodedMechanism mechanism;
  Template wanted;
  ReadBack readBack;
  if (!decodeMechanism(call.request, call.arena, mechanism)) return malformed(call);
  const CK_OBJECT_HANDLE baseKey = call.request.u64();
  if (!decodeTemplate(call.request, call.arena, wanted) || !decodeReadBack(call.request, call.arena, readBack) || !call.request.complete()) {
    return malformed(call);
  }
  CK_OBJECT_HANDLE key = 0;
  const CK_RV rv = call.functions.C_DeriveKey(call.session, &mechanism.mechanism, baseKey, wanted.attributes, wanted.count, &key);
  return rv == CKR_OK ? describeCreated(call, key, readBack) : Outcome::failed(CkFunction::C_DeriveKey, rv);
}

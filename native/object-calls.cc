// Objects: create, copy, read, change, destroy, find. A search returns all handles and as many descriptions as fit.
#include "attributes.h"
#include "calls.h"
#include "decoder.h"

namespace {

constexpr CK_ULONG kHandlesPerFind = 512;

// An object that was destroyed after the search found it. Any other error is one of the token, which must not pass for that.
bool isGone(CK_RV rv) { return rv == CKR_OBJECT_HANDLE_INVALID || rv == CKR_KEY_HANDLE_INVALID; }

// Describes one object of a list: 1, handle and attributes; or 0 and the handle when it is no longer there.
// Leaves the response overflowed when it did not fit.
Outcome describeListed(Call& call, CK_OBJECT_HANDLE object, const ReadBack& readBack) {
  const size_t start = call.response.length();
  call.response.u32(1);
  call.response.u64(object);
  const Outcome read = readAttributes(call, object, readBack);
  if (read.ok() || !isGone(read.returnValue)) return read;
  call.response.rewind(start);
  call.response.u32(0);
  call.response.u64(object);
  return {};
}

// Descriptions of handles[0..count) that fit, preceded by their number.
Outcome describeList(Call& call, const uint64_t* handles, uint32_t count, const ReadBack& readBack) {
  const size_t countAt = call.response.length();
  call.response.u32(0);
  if (call.response.overflowed()) {
    call.response.rewind(countAt);
    return {};
  }
  uint32_t described = 0;
  for (; described < count; ++described) {
    const size_t start = call.response.length();
    const Outcome outcome = describeListed(call, handles[described], readBack);
    if (!outcome.ok()) return outcome;
    if (call.response.overflowed()) {
      call.response.rewind(start);
      break;
    }
  }
  call.response.patchU32(countAt, described);
  return {};
}

// Appends all handles of the active search to the response.
Outcome collectHandles(Call& call, uint32_t& count) {
  auto* handles = call.arena.allocate<CK_OBJECT_HANDLE>(kHandlesPerFind);
  if (handles == nullptr) return malformed(call);
  for (;;) {
    CK_ULONG found = 0;
    const CK_RV rv = call.functions.C_FindObjects(call.session, handles, kHandlesPerFind, &found);
    if (rv != CKR_OK) return Outcome::failed(CkFunction::C_FindObjects, rv);
    if (found == 0 || found > kHandlesPerFind) return {};
    for (CK_ULONG i = 0; i < found; ++i) call.response.u64(handles[i]);
    count += static_cast<uint32_t>(found);
    if (call.response.overflowed()) return refuse(call.response, "the search found more objects than one answer holds (130,000)");
  }
}

}  // namespace

Outcome createObjectCall(Call& call) {
  Template wanted;
  ReadBack readBack;
  if (!decodeTemplate(call.request, call.arena, wanted) || !decodeReadBack(call.request, call.arena, readBack) || !call.request.complete()) {
    return malformed(call);
  }
  CK_OBJECT_HANDLE object = 0;
  const CK_RV rv = call.functions.C_CreateObject(call.session, wanted.attributes, wanted.count, &object);
  return rv == CKR_OK ? describeCreated(call, object, readBack) : Outcome::failed(CkFunction::C_CreateObject, rv);
}

Outcome copyObjectCall(Call& call) {
  Template wanted;
  ReadBack readBack;
  const CK_OBJECT_HANDLE source = call.request.u64();
  if (!decodeTemplate(call.request, call.arena, wanted) || !decodeReadBack(call.request, call.arena, readBack) || !call.request.complete()) {
    return malformed(call);
  }
  CK_OBJECT_HANDLE object = 0;
  const CK_RV rv = call.functions.C_CopyObject(call.session, source, wanted.attributes, wanted.count, &object);
  return rv == CKR_OK ? describeCreated(call, object, readBack) : Outcome::failed(CkFunction::C_CopyObject, rv);
}

Outcome setAttributesCall(Call& call) {
  Template wanted;
  const CK_OBJECT_HANDLE object = call.request.u64();
  if (!decodeTemplate(call.request, call.arena, wanted) || !call.request.complete()) return malformed(call);
  return Outcome::of(CkFunction::C_SetAttributeValue,
                     call.functions.C_SetAttributeValue(call.session, object, wanted.attributes, wanted.count));
}

Outcome getAttributesCall(Call& call) {
  ReadBack readBack;
  const CK_OBJECT_HANDLE object = call.request.u64();
  if (!decodeReadBack(call.request, call.arena, readBack) || !call.request.complete()) return malformed(call);
  return readAttributes(call, object, readBack);
}

Outcome destroyObjectCall(Call& call) {
  const CK_OBJECT_HANDLE object = call.request.u64();
  if (!call.request.complete()) return malformed(call);
  return Outcome::of(CkFunction::C_DestroyObject, call.functions.C_DestroyObject(call.session, object));
}

Outcome findObjectsCall(Call& call) {
  Template wanted;
  ReadBack readBack;
  if (!decodeTemplate(call.request, call.arena, wanted) || !decodeReadBack(call.request, call.arena, readBack) || !call.request.complete()) {
    return malformed(call);
  }
  const CK_RV rv = call.functions.C_FindObjectsInit(call.session, wanted.attributes, wanted.count);
  if (rv != CKR_OK) {
    Outcome outcome = Outcome::failed(CkFunction::C_FindObjectsInit, rv);
    outcome.operationMayRemain = rv == CKR_OPERATION_ACTIVE;
    return outcome;
  }
  uint32_t count = 0;
  call.response.u32(0);
  Outcome outcome = collectHandles(call, count);
  const CK_RV ended = call.functions.C_FindObjectsFinal(call.session);
  outcome.operationMayRemain = ended != CKR_OK;
  if (!outcome.ok()) return outcome;
  call.response.patchU32(0, count);
  // Handles start at offset 4 of the response and are not aligned there.
  auto* handles = call.arena.allocate<uint64_t>(count);
  if (handles == nullptr) {
    call.response.u32(0);
    return outcome;
  }
  memcpy(handles, call.response.data() + sizeof(uint32_t), count * sizeof(uint64_t));
  const Outcome described = describeList(call, handles, count, readBack);
  return described.ok() ? outcome : described;
}

Outcome readObjectsCall(Call& call) {
  const uint32_t count = call.request.count(kLargeSlotBytes / sizeof(uint64_t), sizeof(uint64_t));
  auto* handles = call.arena.allocate<uint64_t>(count);
  if (handles == nullptr) return malformed(call);
  for (uint32_t i = 0; i < count; ++i) handles[i] = call.request.u64();
  ReadBack readBack;
  if (!decodeReadBack(call.request, call.arena, readBack) || !call.request.complete()) return malformed(call);
  return describeList(call, handles, count, readBack);
}

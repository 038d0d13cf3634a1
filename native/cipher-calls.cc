// Encrypt, decrypt, sign, verify, random: single-part operations, initialised and performed in one hop.
#include "calls.h"
#include "decoder.h"

namespace {

constexpr CK_ULONG kOutputSlackBytes = 64;
constexpr CK_ULONG kOutputBytesMin = 1024;
constexpr CK_ULONG kRandomChunkBytes = 1024;

using InitFunction = CK_RV (*)(CK_SESSION_HANDLE, CK_MECHANISM*, CK_OBJECT_HANDLE);
using DataFunction = CK_RV (*)(CK_SESSION_HANDLE, CK_BYTE*, CK_ULONG, CK_BYTE*, CK_ULONG*);

struct SinglePart {
  InitFunction init;
  CkFunction initName;
  DataFunction run;
  CkFunction runName;
};

// Empty data is passed as the standard says: a valid pointer and length 0.
CK_BYTE* nonNull(const Bytes& data) {
  static CK_BYTE nothing[1];
  return data.length == 0 ? nothing : data.data;
}

Outcome initialise(Call& call, const SinglePart& part, DecodedMechanism& mechanism, CK_OBJECT_HANDLE key) {
  const CK_RV rv = part.init(call.session, &mechanism.mechanism, key);
  Outcome outcome = Outcome::of(part.initName, rv);
  outcome.operationMayRemain = rv == CKR_OPERATION_ACTIVE;
  return outcome;
}

// After CKR_BUFFER_TOO_SMALL the standard keeps the operation; a module that ended it is initialised again.
Outcome runAgain(Call& call, const SinglePart& part, DecodedMechanism& mechanism, CK_OBJECT_HANDLE key, const Bytes& data, CK_ULONG& produced) {
  produced = call.response.room();
  CK_RV rv = part.run(call.session, nonNull(data), data.length, call.response.end(), &produced);
  if (rv == CKR_OPERATION_NOT_INITIALIZED) {
    const Outcome again = initialise(call, part, mechanism, key);
    if (!again.ok()) return again;
    produced = call.response.room();
    rv = part.run(call.session, nonNull(data), data.length, call.response.end(), &produced);
  }
  return Outcome::of(part.runName, rv);
}

// Writes the output at the end of the response and advances over it.
Outcome runSinglePart(Call& call, const SinglePart& part, DecodedMechanism& mechanism, CK_OBJECT_HANDLE key, const Bytes& data) {
  const Outcome ready = initialise(call, part, mechanism, key);
  if (!ready.ok()) return ready;
  CK_ULONG offered = data.length + kOutputSlackBytes;
  if (offered < kOutputBytesMin) offered = kOutputBytesMin;
  if (offered > call.response.room()) offered = call.response.room();
  CK_ULONG produced = offered;
  const CK_RV rv = part.run(call.session, nonNull(data), data.length, call.response.end(), &produced);
  Outcome outcome = Outcome::of(part.runName, rv);
  if (rv == CKR_BUFFER_TOO_SMALL) outcome = runAgain(call, part, mechanism, key, data, produced);
  outcome.operationMayRemain = !outcome.ok();
  if (outcome.ok()) call.response.advance(produced);
  return outcome;
}

// The response is IV, ciphertext, tag. The token appended the IV (PKCS#11 profiles of HSMs in FIPS mode): it moves to the front.
void moveAppendedIv(Writer& response, size_t ivLength) {
  uint8_t iv[64];
  if (ivLength > sizeof iv || response.length() < ivLength) return;
  uint8_t* data = response.data();
  const size_t rest = response.length() - ivLength;
  memcpy(iv, data + rest, ivLength);
  memmove(data + ivLength, data, rest);
  memcpy(data, iv, ivLength);
}

struct Keyed {
  DecodedMechanism mechanism;
  CK_OBJECT_HANDLE key;
  Bytes data;
};

bool decodeKeyed(Call& call, Keyed& keyed) {
  if (!decodeMechanism(call.request, call.arena, keyed.mechanism)) return false;
  keyed.key = call.request.u64();
  keyed.data = call.request.bytes();
  return !call.request.failed();
}

Outcome keyedCall(Call& call, const SinglePart& part) {
  Keyed keyed;
  if (!decodeKeyed(call, keyed) || !call.request.complete()) return malformed(call);
  return runSinglePart(call, part, keyed.mechanism, keyed.key, keyed.data);
}

}  // namespace

Outcome encryptCall(Call& call) {
  const CK_FUNCTION_LIST& f = call.functions;
  Keyed keyed;
  if (!decodeKeyed(call, keyed) || !call.request.complete()) return malformed(call);
  const bool zeroed = keyed.mechanism.isGcm && keyed.mechanism.ivSource == GcmIvSource::kTokenZeroed;
  // Room for the IV, which the token writes into the parameter while it encrypts.
  if (zeroed) call.response.raw(keyed.mechanism.iv.data, keyed.mechanism.iv.length);
  const SinglePart part{f.C_EncryptInit, CkFunction::C_EncryptInit, f.C_Encrypt, CkFunction::C_Encrypt};
  const Outcome outcome = runSinglePart(call, part, keyed.mechanism, keyed.key, keyed.data);
  if (!outcome.ok()) return outcome;
  if (zeroed) memcpy(call.response.data(), keyed.mechanism.iv.data, keyed.mechanism.iv.length);
  if (keyed.mechanism.isGcm && keyed.mechanism.ivSource == GcmIvSource::kTokenAppended) moveAppendedIv(call.response, keyed.mechanism.iv.length);
  return outcome;
}

Outcome decryptCall(Call& call) {
  const CK_FUNCTION_LIST& f = call.functions;
  return keyedCall(call, {f.C_DecryptInit, CkFunction::C_DecryptInit, f.C_Decrypt, CkFunction::C_Decrypt});
}

Outcome signCall(Call& call) {
  const CK_FUNCTION_LIST& f = call.functions;
  return keyedCall(call, {f.C_SignInit, CkFunction::C_SignInit, f.C_Sign, CkFunction::C_Sign});
}

Outcome verifyCall(Call& call) {
  Keyed keyed;
  if (!decodeKeyed(call, keyed)) return malformed(call);
  const Bytes signature = call.request.bytes();
  if (!call.request.complete()) return malformed(call);
  const CK_FUNCTION_LIST& f = call.functions;
  const SinglePart part{f.C_VerifyInit, CkFunction::C_VerifyInit, nullptr, CkFunction::C_Verify};
  const Outcome ready = initialise(call, part, keyed.mechanism, keyed.key);
  if (!ready.ok()) return ready;
  const CK_RV rv = f.C_Verify(call.session, nonNull(keyed.data), keyed.data.length, nonNull(signature), signature.length);
  const bool mismatch = rv == CKR_SIGNATURE_INVALID || rv == CKR_SIGNATURE_LEN_RANGE;
  Outcome outcome = mismatch ? Outcome{} : Outcome::of(CkFunction::C_Verify, rv);
  if (outcome.ok()) call.response.u32(rv == CKR_OK ? 1 : 0);
  outcome.operationMayRemain = rv != CKR_OK;
  return outcome;
}

Outcome randomCall(Call& call) {
  CK_ULONG left = call.request.u32();
  if (!call.request.complete() || left > call.response.room()) return malformed(call);
  while (left > 0) {
    const CK_ULONG chunk = left < kRandomChunkBytes ? left : kRandomChunkBytes;
    const CK_RV rv = call.functions.C_GenerateRandom(call.session, call.response.end(), chunk);
    if (rv != CKR_OK) return Outcome::failed(CkFunction::C_GenerateRandom, rv);
    call.response.advance(chunk);
    left -= chunk;
  }
  return {};
}

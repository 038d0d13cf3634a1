// Which call serves which operation.
#include "calls.h"

Outcome refuse(Writer& response, const char* reason, CK_RV returnValue) {
  response.rewind(0);
  response.raw(reason, strlen(reason));
  return Outcome::refused(returnValue);
}

Outcome malformed(Call& call) { return refuse(call.response, "the request does not decode or is larger than a request may be", CKR_ARGUMENTS_BAD); }

namespace {

Outcome sessionStateCall(Call& call) {
  if (!call.request.complete()) return malformed(call);
  CK_SESSION_INFO info{};
  const CK_RV rv = call.functions.C_GetSessionInfo(call.session, &info);
  if (rv == CKR_OK) call.response.u32(static_cast<uint32_t>(info.state));
  return Outcome::of(CkFunction::C_GetSessionInfo, rv);
}

Outcome logoutCall(Call& call) {
  if (!call.request.complete()) return malformed(call);
  return Outcome::of(CkFunction::C_Logout, call.functions.C_Logout(call.session));
}

using CallFunction = Outcome (*)(Call&);

CallFunction callFor(Operation operation) {
  switch (operation) {
    case Operation::kLogout: return logoutCall;
    case Operation::kSessionState: return sessionStateCall;
    case Operation::kEncrypt: return encryptCall;
    case Operation::kDecrypt: return decryptCall;
    case Operation::kSign: return signCall;
    case Operation::kVerify: return verifyCall;
    case Operation::kGenerateKey: return generateKeyCall;
    case Operation::kGenerateKeyPair: return generateKeyPairCall;
    case Operation::kWrapKey: return wrapKeyCall;
    case Operation::kUnwrapKey: return unwrapKeyCall;
    case Operation::kDeriveKey: return deriveKeyCall;
    case Operation::kCreateObject: return createObjectCall;
    case Operation::kCopyObject: return copyObjectCall;
    case Operation::kSetAttributes: return setAttributesCall;
    case Operation::kGetAttributes: return getAttributesCall;
    case Operation::kDestroyObject: return destroyObjectCall;
    case Operation::kFindObjects: return findObjectsCall;
    case Operation::kRandom: return randomCall;
    case Operation::kReadObjects: return readObjectsCall;
    default: return nullptr;
  }
}

}  // namespace

Outcome perform(Operation operation, Call& call) {
  const CallFunction function = callFor(operation);
  if (function == nullptr) return refuse(call.response, "no such operation on a session");
  const Outcome outcome = function(call);
  if (outcome.ok() && call.response.overflowed()) return refuse(call.response, "the answer is larger than a slot");
  return outcome;
}

// The fused calls: each decodes one request, performs init, operation and attribute reads on one session, and writes the response.
#ifndef HSM_KMS_CALLS_H
#define HSM_KMS_CALLS_H

#include "arena.h"
#include "cryptoki.h"
#include "outcome.h"
#include "wire.h"

// Operation numbers of a request; the same as in `src/token/request-encoder.ts`.
enum class Operation : uint32_t {
  // Written over the operation of a request that nobody waits for any more; refused like every unknown one.
  kCancelled = 0,
  kPing = 1,
  kLoad = 2,
  kSlots = 3,
  kMechanisms = 4,
  kOpenSessions = 5,
  kLogin = 6,
  kLogout = 7,
  kReopenSessions = 8,
  kCloseAllSessions = 9,
  kSessionState = 10,
  kFinalize = 11,
  kEncrypt = 12,
  kDecrypt = 13,
  kSign = 14,
  kVerify = 15,
  kGenerateKey = 16,
  kGenerateKeyPair = 17,
  kWrapKey = 18,
  kUnwrapKey = 19,
  kDeriveKey = 20,
  kCreateObject = 21,
  kCopyObject = 22,
  kSetAttributes = 23,
  kGetAttributes = 24,
  kDestroyObject = 25,
  kFindObjects = 26,
  kRandom = 27,
  kReadObjects = 28,
};

struct Call {
  const CK_FUNCTION_LIST& functions;
  CK_SESSION_HANDLE session;
  Reader& request;
  Writer& response;
  Arena& arena;
};

// Refuses a request that does not decode.
Outcome malformed(Call& call);
// Refuses with a text that the JavaScript side shows.
Outcome refuse(Writer& response, const char* reason, CK_RV returnValue = CKR_FUNCTION_FAILED);

// Performs any operation from kSessionState on, and kPing, kLogout. Others belong to the engine and are refused.
Outcome perform(Operation operation, Call& call);

// cipher-calls.cc
Outcome encryptCall(Call& call);
Outcome decryptCall(Call& call);
Outcome signCall(Call& call);
Outcome verifyCall(Call& call);
Outcome randomCall(Call& call);
// key-calls.cc
Outcome generateKeyCall(Call& call);
Outcome generateKeyPairCall(Call& call);
Outcome wrapKeyCall(Call& call);
Outcome unwrapKeyCall(Call& call);
Outcome deriveKeyCall(Call& call);
// object-calls.cc
Outcome createObjectCall(Call& call);
Outcome copyObjectCall(Call& call);
Outcome setAttributesCall(Call& call);
Outcome getAttributesCall(Call& call);
Outcome destroyObjectCall(Call& call);
Outcome findObjectsCall(Call& call);
Outcome readObjectsCall(Call& call);

#endif

// Loading a PKCS#11 library of Cryptoki 2.20 to 3.x.
#include "module.h"

#include <cstddef>
#include <dlfcn.h>

#include "calls.h"

namespace {

using GetFunctionList = CK_RV (*)(CK_FUNCTION_LIST**);
using GetInterface = CK_RV (*)(CK_CHAR*, CK_VERSION*, CK_INTERFACE**, CK_FLAGS);

std::string text(const Bytes& bytes) { return std::string(reinterpret_cast<const char*>(bytes.data), bytes.length); }

// RTLD_DEEPBIND makes the library use its own OpenSSL and not the one that node exports. Sanitizers cannot run with it.
#ifdef HSM_KMS_SANITIZE
constexpr int kDeepBind = 0;
#else
constexpr int kDeepBind = RTLD_DEEPBIND;
#endif

CK_RV notSupported() { return CKR_FUNCTION_NOT_SUPPORTED; }

// The list, with a function in place of each NULL: some libraries leave out what they do not support.
CK_FUNCTION_LIST withoutGaps(const CK_FUNCTION_LIST& list) {
  // After the version a list is nothing but pointers to functions.
  constexpr size_t first = offsetof(CK_FUNCTION_LIST, C_Initialize);
  constexpr size_t count = (sizeof(CK_FUNCTION_LIST) - first) / sizeof(void (*)());
  CK_FUNCTION_LIST filled = list;
  void (*functions[count])();
  memcpy(functions, reinterpret_cast<const uint8_t*>(&list) + first, sizeof functions);
  for (auto& function : functions) {
    if (function == nullptr) function = reinterpret_cast<void (*)()>(notSupported);
  }
  memcpy(reinterpret_cast<uint8_t*>(&filled) + first, functions, sizeof functions);
  return filled;
}

}  // namespace

Outcome Module::load(Reader& request, Writer& response) {
  const std::string path = text(request.bytes());
  const bool deepBind = request.u32() != 0;
  const bool fips = request.u32() != 0;
  const bool nullArguments = request.u32() != 0;
  const bool osLocking = request.u32() != 0;
  const std::string reserved = text(request.bytes());
  if (!request.complete() || path.empty() || path.find('\0') != std::string::npos) return refuse(response, "the request to load does not decode");
  if (initialized_) return refuse(response, "a module is loaded already; finalize it first");
  Outcome outcome = open(path, deepBind, response);
  if (outcome.ok()) outcome = findFunctions(fips, response);
  if (outcome.ok()) outcome = initialize(nullArguments, osLocking, reserved);
  if (outcome.ok()) {
    outcome = describe(response);
    // A load that failed leaves nothing initialised, so that it can be tried again.
    if (!outcome.ok()) finalize();
  }
  return outcome;
}

Outcome Module::open(const std::string& path, bool deepBind, Writer& response) {
  if (library_ != nullptr && path == path_) return {};
  if (library_ != nullptr) return refuse(response, "one door serves one library; open another door for another library");
  library_ = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL | (deepBind ? kDeepBind : 0));
  if (library_ == nullptr) return refuse(response, dlerror());
  path_ = path;
  return {};
}

Outcome Module::findFunctions(bool fips, Writer& response) {
  CK_FUNCTION_LIST* list = nullptr;
  const auto getInterface = reinterpret_cast<GetInterface>(dlsym(library_, "C_GetInterface"));
  if (!fips && getInterface != nullptr) {
    CK_INTERFACE* found = nullptr;
    CK_CHAR name[] = "PKCS 11";
    if (getInterface(name, nullptr, &found, 0) == CKR_OK && found != nullptr) list = static_cast<CK_FUNCTION_LIST*>(found->pFunctionList);
    foundBy_ = 0;
  }
  if (list == nullptr) {
    const char* symbol = fips ? "FC_GetFunctionList" : "C_GetFunctionList";
    const auto getList = reinterpret_cast<GetFunctionList>(dlsym(library_, symbol));
    if (getList == nullptr) return refuse(response, fips ? "the library has no FC_GetFunctionList" : "the library has no C_GetFunctionList: it is not a PKCS#11 module");
    const CK_RV rv = getList(&list);
    if (rv != CKR_OK || list == nullptr) return Outcome::failed(CkFunction::C_GetFunctionList, rv != CKR_OK ? rv : CKR_GENERAL_ERROR);
    foundBy_ = fips ? 2 : 1;
  }
  functions_ = withoutGaps(*list);
  return {};
}

Outcome Module::initialize(bool nullArguments, bool osLocking, const std::string& reserved) {
  CK_C_INITIALIZE_ARGS arguments{};
  if (osLocking) arguments.flags = CKF_OS_LOCKING_OK;
  std::string text = reserved;
  if (!text.empty()) arguments.pReserved = text.data();
  const CK_RV rv = functions_.C_Initialize(nullArguments ? nullptr : &arguments);
  initialized_ = rv == CKR_OK;
  return Outcome::of(CkFunction::C_Initialize, rv);
}

Outcome Module::describe(Writer& response) {
  CK_INFO info{};
  const CK_RV rv = functions_.C_GetInfo(&info);
  if (rv != CKR_OK) return Outcome::failed(CkFunction::C_GetInfo, rv);
  response.u32(info.cryptokiVersion.major);
  response.u32(info.cryptokiVersion.minor);
  response.u32(foundBy_);
  response.bytes(info.manufacturerID, sizeof info.manufacturerID);
  response.bytes(info.libraryDescription, sizeof info.libraryDescription);
  response.u32(info.libraryVersion.major);
  response.u32(info.libraryVersion.minor);
  return {};
}

Outcome Module::finalize() {
  if (!initialized_) return Outcome::failed(CkFunction::C_Finalize, CKR_CRYPTOKI_NOT_INITIALIZED);
  const CK_RV rv = functions_.C_Finalize(nullptr);
  if (rv == CKR_OK || rv == CKR_CRYPTOKI_NOT_INITIALIZED) initialized_ = false;
  return Outcome::of(CkFunction::C_Finalize, rv);
}

// One vendor library: dlopen, the function list, C_Initialize. Knows no session.
#ifndef HSM_KMS_MODULE_H
#define HSM_KMS_MODULE_H

#include <string>

#include "cryptoki.h"
#include "outcome.h"
#include "wire.h"

class Module {
 public:
  Module() = default;
  Module(const Module&) = delete;
  Module& operator=(const Module&) = delete;

  // Performs a kLoad request: opens the library once, finds the function list, C_Initialize, C_GetInfo.
  Outcome load(Reader& request, Writer& response);
  // C_Finalize, if this object initialised the library. The library stays mapped: vendor threads may still run its code.
  Outcome finalize();

  bool initialized() const { return initialized_; }
  // No member is NULL: what the library lacks returns CKR_FUNCTION_NOT_SUPPORTED.
  const CK_FUNCTION_LIST& functions() const { return functions_; }

 private:
  Outcome open(const std::string& path, bool deepBind, Writer& response);
  Outcome findFunctions(bool fips, Writer& response);
  Outcome initialize(bool nullArguments, bool osLocking, const std::string& reserved);
  Outcome describe(Writer& response);

  void* library_ = nullptr;
  std::string path_;
  CK_FUNCTION_LIST functions_{};
  // 0 C_GetInterface, 1 C_GetFunctionList, 2 FC_GetFunctionList.
  uint32_t foundBy_ = 0;
  bool initialized_ = false;
};

#endif

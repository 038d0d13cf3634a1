// How a request ended: the return value and the function that gave it, or why the engine refused.
#ifndef HSM_KMS_OUTCOME_H
#define HSM_KMS_OUTCOME_H

#include "cryptoki.h"
#include "slab.h"

struct Outcome {
  Status status = Status::kOk;
  CkFunction function = CkFunction::C_Initialize;
  CK_RV returnValue = CKR_OK;
  // The module may have left an operation active on the session.
  bool operationMayRemain = false;

  bool ok() const { return status == Status::kOk; }
  static Outcome failed(CkFunction function, CK_RV returnValue) { return {Status::kReturnValue, function, returnValue, false}; }
  static Outcome of(CkFunction function, CK_RV returnValue) { return returnValue == CKR_OK ? Outcome{} : failed(function, returnValue); }
  // The response holds the reason as text.
  static Outcome refused(CK_RV returnValue) { return {Status::kRefused, CkFunction::C_Initialize, returnValue, false}; }
};

#endif

// What can be asked before there is a session: slots, tokens and mechanism lists.
#ifndef HSM_KMS_SLOT_CALLS_H
#define HSM_KMS_SLOT_CALLS_H

#include "cryptoki.h"
#include "outcome.h"
#include "wire.h"

Outcome slotsCall(const CK_FUNCTION_LIST& functions, Writer& response);
Outcome mechanismsCall(const CK_FUNCTION_LIST& functions, CK_SLOT_ID slot, Writer& response);

#endif

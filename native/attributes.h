// Reading attributes of an object into a response, whatever each module makes of C_GetAttributeValue.
#ifndef HSM_KMS_ATTRIBUTES_H
#define HSM_KMS_ATTRIBUTES_H

#include "calls.h"
#include "decoder.h"

// Writes, for each attribute in turn, its length and value; kMissing as the length of one that cannot be read.
constexpr uint32_t kMissing = 0xffffffff;
Outcome readAttributes(Call& call, CK_OBJECT_HANDLE object, const ReadBack& readBack);

// Writes handle and attributes of an object that was just made; destroys it when they cannot be read.
Outcome describeCreated(Call& call, CK_OBJECT_HANDLE object, const ReadBack& readBack);

#endif

// C_GetSlotList with C_GetSlotInfo and C_GetTokenInfo of each slot; C_GetMechanismList.
#include "slot-calls.h"

#include <vector>

namespace {

constexpr CK_ULONG kSlotsMax = 1024;
constexpr CK_ULONG kMechanismsMax = 1024;

void describeSlot(const CK_FUNCTION_LIST& functions, CK_SLOT_ID slot, Writer& response) {
  CK_SLOT_INFO slotInfo{};
  CK_TOKEN_INFO token{};
  const bool known = functions.C_GetSlotInfo(slot, &slotInfo) == CKR_OK;
  const bool present = known && (slotInfo.flags & CKF_TOKEN_PRESENT) != 0 && functions.C_GetTokenInfo(slot, &token) == CKR_OK;
  response.u64(slot);
  response.u32(present ? 1 : 0);
  response.bytes(token.label, sizeof token.label);
  response.bytes(present ? token.manufacturerID : slotInfo.manufacturerID, sizeof token.manufacturerID);
  response.bytes(token.model, sizeof token.model);
  response.bytes(token.serialNumber, sizeof token.serialNumber);
  response.u64(token.flags);
  response.u64(token.ulMaxSessionCount);
  response.u64(token.ulMinPinLen);
  response.u64(token.ulMaxPinLen);
}

}  // namespace

Outcome slotsCall(const CK_FUNCTION_LIST& functions, Writer& response) {
  CK_ULONG count = 0;
  CK_RV rv = functions.C_GetSlotList(0, nullptr, &count);
  if (rv != CKR_OK) return Outcome::failed(CkFunction::C_GetSlotList, rv);
  if (count > kSlotsMax) count = kSlotsMax;
  std::vector<CK_SLOT_ID> slots(count + 1);
  rv = functions.C_GetSlotList(0, slots.data(), &count);
  if (rv != CKR_OK) return Outcome::failed(CkFunction::C_GetSlotList, rv);
  if (count > slots.size()) count = slots.size();
  response.u32(static_cast<uint32_t>(count));
  for (CK_ULONG i = 0; i < count; ++i) describeSlot(functions, slots[i], response);
  return {};
}

Outcome mechanismsCall(const CK_FUNCTION_LIST& functions, CK_SLOT_ID slot, Writer& response) {
  CK_ULONG count = 0;
  CK_RV rv = functions.C_GetMechanismList(slot, nullptr, &count);
  if (rv != CKR_OK) return Outcome::failed(CkFunction::C_GetMechanismList, rv);
  if (count > kMechanismsMax) count = kMechanismsMax;
  std::vector<CK_MECHANISM_TYPE> mechanisms(count + 1);
  rv = functions.C_GetMechanismList(slot, mechanisms.data(), &count);
  if (rv != CKR_OK) return Outcome::failed(CkFunction::C_GetMechanismList, rv);
  if (count > mechanisms.size()) count = mechanisms.size();
  response.u32(static_cast<uint32_t>(count));
  for (CK_ULONG i = 0; i < count; ++i) response.u64(mechanisms[i]);
  return {};
}

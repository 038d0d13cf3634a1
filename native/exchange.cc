// Copying requests in and answers out.
#include "exchange.h"

#include <stdexcept>

void Exchange::take(uint32_t slot) {
  if (slot >= kSlots) throw std::runtime_error("the other side named a slot that does not exist");
  uint8_t* shared = slab_.slot(slot);
  memcpy(&header_, shared, sizeof header_);
  capacity_ = Slab::payloadCapacityBytes(slot);
  if (header_.generation != slab_.generation() || header_.lengthBytes > capacity_) {
    throw std::runtime_error("the other side wrote a slot header that cannot be");
  }
  if (!request_.reserve(capacity_) || !response_.reserve(capacity_)) throw std::runtime_error("no memory for a request");
  slot_ = slot;
  memcpy(request_.bytes(), shared + kSlotHeaderBytes, header_.lengthBytes);
  wipe(shared + kSlotHeaderBytes, header_.lengthBytes);
}

size_t Exchange::costClass() const {
  const bool keyed = operation() >= Operation::kEncrypt && operation() <= Operation::kDeriveKey;
  uint64_t mechanism = 0;
  if (keyed && header_.lengthBytes >= sizeof mechanism) memcpy(&mechanism, request_.bytes(), sizeof mechanism);
  return (mechanism * 31 + header_.operation) % kCostClasses;
}

void Exchange::answer(const Outcome& outcome) {
  if (outcome.status == Status::kReturnValue) responseBytes_ = 0;
  uint8_t* shared = slab_.slot(slot_);
  const SlotHeader header{header_.generation, header_.sequence, header_.operation, static_cast<uint32_t>(responseBytes_),
                          static_cast<uint32_t>(outcome.status), static_cast<uint32_t>(outcome.function), outcome.returnValue};
  memcpy(shared, &header, sizeof header);
  memcpy(shared + kSlotHeaderBytes, response_.bytes(), responseBytes_);
  wipe(request_.bytes(), header_.lengthBytes);
  // A failed call may have left output behind that its length does not tell: large answers are rare, so all of it goes.
  wipe(response_.bytes(), outcome.ok() ? responseBytes_ : capacity_);
  arena_.clear();
}

void Exchange::forget() {
  wipe(request_.bytes(), header_.lengthBytes);
  wipe(response_.bytes(), capacity_);
  arena_.clear();
}

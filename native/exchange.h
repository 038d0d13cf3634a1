// Takes one request out of its slot into private memory, and puts the answer back. One per thread. The slot's header is copied
// once; the request is wiped from the slab as soon as it was copied, the private copy as soon as it was answered.
#ifndef HSM_KMS_EXCHANGE_H
#define HSM_KMS_EXCHANGE_H

#include "arena.h"
#include "calls.h"
#include "outcome.h"
#include "slab.h"
#include "wipe.h"

class Exchange {
 public:
  explicit Exchange(Slab& slab) : slab_(slab), arena_(kArenaBytes) {}

  // Throws std::runtime_error when the slot number or header is impossible: the other side is broken.
  void take(uint32_t slot);
  Operation operation() const { return static_cast<Operation>(header_.operation); }
  uint32_t sequence() const { return header_.sequence; }
  // A number below kCostClasses for requests that take about as long: by operation and, where there is one, mechanism.
  static constexpr size_t kCostClasses = 256;
  size_t costClass() const;
  // Runs `use(reader, writer, arena)` on the request; may be called again to perform it once more.
  template <typename Use>
  Outcome run(Use use) {
    arena_.clear();
    Reader request(request_.bytes(), header_.lengthBytes);
    Writer response(response_.bytes(), capacity_);
    const Outcome outcome = use(request, response, arena_);
    responseBytes_ = response.length();
    return outcome;
  }
  // Writes the response into the slot. The caller then puts the slot on the completion ring.
  void answer(const Outcome& outcome);
  // Wipes request and response without an answer.
  void forget();

 private:
  static constexpr size_t kArenaBytes = 2 * 1024 * 1024;

  Slab& slab_;
  Arena arena_;
  SecretBuffer request_;
  SecretBuffer response_;
  SlotHeader header_{};
  uint32_t slot_ = 0;
  size_t capacity_ = 0;
  size_t responseBytes_ = 0;
};

#endif

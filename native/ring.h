// The two ends of a Ring. Cursors are private to their side; the other side's cursor is read once and checked.
#ifndef HSM_KMS_RING_H
#define HSM_KMS_RING_H

#include <climits>
#include <linux/futex.h>
#include <mutex>
#include <stdexcept>
#include <sys/syscall.h>
#include <unistd.h>

#include "slab.h"

// Not FUTEX_PRIVATE: the two sides may be two processes.
inline void futexWait(std::atomic<uint32_t>& word, uint32_t seen) {
  syscall(SYS_futex, reinterpret_cast<uint32_t*>(&word), FUTEX_WAIT, seen, nullptr, nullptr, 0);
}

inline void futexWake(std::atomic<uint32_t>& word, int count) {
  syscall(SYS_futex, reinterpret_cast<uint32_t*>(&word), FUTEX_WAKE, count, nullptr, nullptr, 0);
}

// The producing side of a ring.
class RingProducer {
 public:
  explicit RingProducer(Ring& ring) : ring_(ring) {}

  void push(uint32_t slot) {
    ring_.entries[tail_ % kRingEntries].store(slot, std::memory_order_relaxed);
    ring_.tail.store(++tail_, std::memory_order_release);
  }

  // Wakes a sleeping consumer for each push since the last time, as far as there are any.
  void ring() {
    if (tail_ == rungTail_) return;
    ring_.bell.fetch_add(1);
    if (ring_.sleepers.load() > 0) futexWake(ring_.bell, static_cast<int>(tail_ - rungTail_));
    rungTail_ = tail_;
  }

 private:
  Ring& ring_;
  uint32_t tail_ = 0;
  uint32_t rungTail_ = 0;
};

// The consuming side of a ring; any number of threads of one process.
class RingConsumer {
 public:
  explicit RingConsumer(Ring& ring) : ring_(ring) {}

  // Takes the next slot number. Throws std::runtime_error when the producer's cursor is impossible.
  bool pop(uint32_t& slot) {
    std::lock_guard<std::mutex> lock(mutex_);
    const uint32_t available = ring_.tail.load(std::memory_order_acquire) - head_;
    if (available == 0) return false;
    if (available > kRingEntries) throw std::runtime_error("the other side broke a ring of the slab");
    slot = ring_.entries[head_ % kRingEntries].load(std::memory_order_relaxed);
    ++head_;
    left_.store(available - 1, std::memory_order_relaxed);
    return true;
  }

  // How many were left after the last `pop`.
  uint32_t left() const { return left_.load(std::memory_order_relaxed); }

  bool empty() {
    std::lock_guard<std::mutex> lock(mutex_);
    return ring_.tail.load() == head_;
  }

  // Takes the next slot number, asleep until there is one or `stopped` says so after an `interrupt`.
  template <typename Stopped>
  bool wait(uint32_t& slot, Stopped stopped) {
    for (;;) {
      if (stopped()) return false;
      if (pop(slot)) return true;
      ring_.sleepers.fetch_add(1);
      const uint32_t seen = ring_.bell.load();
      const bool found = pop(slot);
      if (!found && !stopped()) futexWait(ring_.bell, seen);
      ring_.sleepers.fetch_sub(1);
      if (found) return true;
    }
  }

  // Wakes all consumers so that they look at `stopped` again.
  void interrupt() {
    ring_.bell.fetch_add(1);
    futexWake(ring_.bell, INT_MAX);
  }

 private:
  Ring& ring_;
  std::mutex mutex_;
  uint32_t head_ = 0;
  std::atomic<uint32_t> left_{0};
};

#endif

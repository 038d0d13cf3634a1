// Aligned scratch memory for one request: decoded templates and parameters. Wiped and emptied between requests.
#ifndef HSM_KMS_ARENA_H
#define HSM_KMS_ARENA_H

#include <cstddef>
#include <cstdint>

#include "wipe.h"

class Arena {
 public:
  explicit Arena(size_t capacity) { buffer_.reserve(capacity); }

  // Zeroed memory for `count` objects, or nullptr when the request needs more than a request may.
  template <typename T>
  T* allocate(size_t count) {
    const size_t start = (used_ + alignof(T) - 1) & ~(alignof(T) - 1);
    if (start > buffer_.capacity() || count > (buffer_.capacity() - start) / sizeof(T)) return nullptr;
    used_ = start + count * sizeof(T);
    return reinterpret_cast<T*>(buffer_.bytes() + start);
  }

  size_t used() const { return used_; }
  // Gives back, wiped, what was allocated since `used()` was `mark`.
  void resetTo(size_t mark) {
    wipe(buffer_.bytes() + mark, used_ - mark);
    used_ = mark;
  }
  void clear() { resetTo(0); }

 private:
  SecretBuffer buffer_;
  size_t used_ = 0;
};

#endif

// Memory that may have held secrets: overwritten in a way that the compiler keeps, and not swapped or dumped.
#ifndef HSM_KMS_WIPE_H
#define HSM_KMS_WIPE_H

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <sys/mman.h>

inline void wipe(void* bytes, size_t length) {
  if (length > 0) explicit_bzero(bytes, length);
}

// A private buffer in pages of its own, kept out of core dumps, wiped when it ends.
class SecretBuffer {
 public:
  SecretBuffer() = default;
  SecretBuffer(const SecretBuffer&) = delete;
  SecretBuffer& operator=(const SecretBuffer&) = delete;
  ~SecretBuffer() { release(); }

  // Makes room for `capacity` bytes; the content is not kept. False when there is no memory.
  bool reserve(size_t capacity) {
    if (capacity <= capacity_) return true;
    release();
    void* mapped = mmap(nullptr, capacity, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (mapped == MAP_FAILED) return false;
    madvise(mapped, capacity, MADV_DONTDUMP);
    bytes_ = static_cast<uint8_t*>(mapped);
    capacity_ = capacity;
    return true;
  }

  // Keeps the pages out of swap, where the limits of the process allow it.
  void lock() { mlock(bytes_, capacity_); }

  void release() {
    if (bytes_ == nullptr) return;
    wipe(bytes_, capacity_);
    munmap(bytes_, capacity_);
    bytes_ = nullptr;
    capacity_ = 0;
  }

  uint8_t* bytes() const { return bytes_; }
  size_t capacity() const { return capacity_; }

 private:
  uint8_t* bytes_ = nullptr;
  size_t capacity_ = 0;
};

#endif

// The pipe on which PINs travel, away from the slab: frames of sequence number, length and bytes.
#ifndef HSM_KMS_PIN_PIPE_H
#define HSM_KMS_PIN_PIPE_H

#include <cstdint>
#include <mutex>

#include "wipe.h"

constexpr uint32_t kPinBytesMax = 1024;

struct PinFrameHeader {
  uint32_t sequence;
  uint32_t lengthBytes;
};

// The reading end. Owns the descriptor.
class PinPipe {
 public:
  explicit PinPipe(int fd) : fd_(fd) {}
  PinPipe(const PinPipe&) = delete;
  PinPipe& operator=(const PinPipe&) = delete;
  ~PinPipe();

  int fd() const { return fd_; }

  // Lends the PIN that was sent for the request `sequence` to `use` and wipes it. False when there is none.
  // Frames of other requests (a login that was given up) are dropped.
  template <typename Use>
  bool take(uint32_t sequence, Use use) {
    std::lock_guard<std::mutex> lock(mutex_);
    if (!buffer_.reserve(kPinBytesMax)) return false;
    buffer_.lock();
    uint32_t length = 0;
    const bool found = receive(sequence, length);
    if (found) use(buffer_.bytes(), length);
    wipe(buffer_.bytes(), buffer_.capacity());
    return found;
  }

 private:
  bool receive(uint32_t sequence, uint32_t& length);

  int fd_;
  std::mutex mutex_;
  SecretBuffer buffer_;
};

// Writes one frame to the other end, whole or not at all. Returns 0 or an errno value.
int sendPin(int fd, uint32_t sequence, const uint8_t* pin, uint32_t length);

#endif

// Frames on the PIN pipe. A frame is smaller than PIPE_BUF and is sent before its request: a read finds it whole.
#include "pin-pipe.h"

#include <cerrno>
#include <climits>
#include <unistd.h>

static_assert(sizeof(PinFrameHeader) + kPinBytesMax <= PIPE_BUF);

namespace {

bool readExactly(int fd, void* into, size_t length) {
  auto* next = static_cast<uint8_t*>(into);
  while (length > 0) {
    const ssize_t got = read(fd, next, length);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return false;
    next += got;
    length -= static_cast<size_t>(got);
  }
  return true;
}

}  // namespace

PinPipe::~PinPipe() { close(fd_); }

bool PinPipe::receive(uint32_t sequence, uint32_t& length) {
  PinFrameHeader header;
  do {
    if (!readExactly(fd_, &header, sizeof header) || header.lengthBytes > kPinBytesMax) return false;
    if (!readExactly(fd_, buffer_.bytes(), header.lengthBytes)) return false;
  } while (header.sequence != sequence);
  length = header.lengthBytes;
  return true;
}

int sendPin(int fd, uint32_t sequence, const uint8_t* pin, uint32_t length) {
  uint8_t frame[sizeof(PinFrameHeader) + kPinBytesMax];
  const PinFrameHeader header{sequence, length};
  memcpy(frame, &header, sizeof header);
  if (length > 0) memcpy(frame + sizeof header, pin, length);
  const size_t total = sizeof header + length;
  const ssize_t sent = write(fd, frame, total);
  const int error = sent < 0 ? errno : 0;
  wipe(frame, sizeof frame);
  return sent == static_cast<ssize_t>(total) ? 0 : (error != 0 ? error : EIO);
}

// Reading a request and writing a response: little-endian integers and length-prefixed bytes. Readers never run past the end;
// the first fault is remembered and everything read after it is empty. Knows no operation.
#ifndef HSM_KMS_WIRE_H
#define HSM_KMS_WIRE_H

#include <cstddef>
#include <cstdint>
#include <cstring>

struct Bytes {
  uint8_t* data;
  size_t length;
};

class Reader {
 public:
  Reader(uint8_t* data, size_t length) : next_(data), left_(length) {}

  uint32_t u32() { return integer<uint32_t>(); }
  uint64_t u64() { return integer<uint64_t>(); }
  Bytes bytes() {
    const size_t length = u32();
    if (length > left_) fail();
    if (failed_) return {nullptr, 0};
    Bytes taken{next_, length};
    next_ += length;
    left_ -= length;
    return taken;
  }
  // A count of things that take at least `bytesEach`; more than `most` is a fault.
  uint32_t count(uint32_t most, size_t bytesEach) {
    const uint32_t count = u32();
    if (count > most || count > left_ / bytesEach) fail();
    return failed_ ? 0 : count;
  }

  void fail() {
    failed_ = true;
    left_ = 0;
  }
  bool failed() const { return failed_; }
  // True when everything was read without a fault.
  bool complete() const { return !failed_ && left_ == 0; }

 private:
  template <typename T>
  T integer() {
    if (left_ < sizeof(T)) fail();
    if (failed_) return 0;
    T value;
    memcpy(&value, next_, sizeof(T));
    next_ += sizeof(T);
    left_ -= sizeof(T);
    return value;
  }

  uint8_t* next_;
  size_t left_;
  bool failed_ = false;
};

class Writer {
 public:
  Writer(uint8_t* data, size_t capacity) : data_(data), capacity_(capacity) {}

  void u32(uint32_t value) { raw(&value, sizeof value); }
  void u64(uint64_t value) { raw(&value, sizeof value); }
  void bytes(const void* data, size_t length) {
    u32(static_cast<uint32_t>(length));
    raw(data, length);
  }
  void raw(const void* data, size_t length) {
    if (length > room()) {
      overflowed_ = true;
      return;
    }
    if (length > 0) memcpy(data_ + length_, data, length);
    length_ += length;
  }

  // For functions that fill a buffer themselves: where it starts, how much fits, how much was written.
  uint8_t* end() const { return data_ + length_; }
  size_t room() const { return overflowed_ ? 0 : capacity_ - length_; }
  void advance(size_t length) {
    if (length > room()) {
      overflowed_ = true;
    } else {
      length_ += length;
    }
  }
  // Goes back to an earlier length, which also forgets an overflow since then.
  void rewind(size_t length) {
    length_ = length;
    overflowed_ = false;
  }
  // Overwrites four bytes written before.
  void patchU32(size_t offset, uint32_t value) { memcpy(data_ + offset, &value, sizeof value); }

  size_t length() const { return length_; }
  bool overflowed() const { return overflowed_; }
  uint8_t* data() const { return data_; }

 private:
  uint8_t* data_;
  size_t capacity_;
  size_t length_ = 0;
  bool overflowed_ = false;
};

#endif

// The slab: one block of shared memory between the JavaScript side and the engine that calls the module. It holds the
// request slots, a submission ring for each thread class and one completion ring. Nothing in it is trusted: each side
// copies a slot's header once, checks it, and keeps its own cursors. A slab serves one worker and one host generation.
#ifndef HSM_KMS_SLAB_H
#define HSM_KMS_SLAB_H

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>

constexpr uint32_t kSlabMagic = 0x314d5348;  // "HSM1"
constexpr uint32_t kSlabVersion = 2;
constexpr uint32_t kSmallSlots = 1016;
constexpr uint32_t kLargeSlots = 8;
constexpr uint32_t kSlots = kSmallSlots + kLargeSlots;
constexpr size_t kSmallSlotBytes = 16 * 1024;
constexpr size_t kLargeSlotBytes = 1024 * 1024;
constexpr size_t kSlotHeaderBytes = 64;
// As many entries as slots, so that a ring can never be full: a slot is in at most one ring.
constexpr uint32_t kRingEntries = 1024;
static_assert(kRingEntries >= kSlots && (kRingEntries & (kRingEntries - 1)) == 0);

// Which threads serve a ring. The first three are the classes of `CallOptions.threads`; one thread without a session serves `control`.
enum class ThreadClass : uint32_t { kFast = 0, kAnchor = 1, kSlow = 2, kControl = 3 };
constexpr uint32_t kThreadClasses = 4;

// How a request ended.
enum class Status : uint32_t { kOk = 0, kReturnValue = 1, kRefused = 2 };

// Slot header. The payload follows at kSlotHeaderBytes.
struct SlotHeader {
  uint32_t generation;
  uint32_t sequence;
  uint32_t operation;
  uint32_t lengthBytes;
  uint32_t status;
  uint32_t function;
  uint64_t returnValue;
};
static_assert(sizeof(SlotHeader) <= kSlotHeaderBytes);

// Slot numbers from one producer to one consumer (several threads of one process count as one, under their own lock).
struct Ring {
  alignas(64) std::atomic<uint32_t> tail;
  // Counts pushes and interruptions; consumers sleep on it (futex).
  alignas(64) std::atomic<uint32_t> bell;
  std::atomic<uint32_t> sleepers;
  alignas(64) std::atomic<uint32_t> entries[kRingEntries];
};

struct SlabHeader {
  uint32_t magic;
  uint32_t version;
  uint32_t generation;
  // 1 when the JavaScript side gave the slab up: nothing that still waits in it may be performed.
  std::atomic<uint32_t> closed;
  // 1 while the JavaScript side waits for the completion eventfd.
  alignas(64) std::atomic<uint32_t> armed;
  Ring submissions[kThreadClasses];
  Ring completions;
};

constexpr size_t kSlotsOffset = 32 * 1024;
static_assert(sizeof(SlabHeader) <= kSlotsOffset);
constexpr size_t kSlabBytes = kSlotsOffset + kSmallSlots * kSmallSlotBytes + kLargeSlots * kLargeSlotBytes;

// A mapping of a slab. The mapping ends with the last owner: threads that never return keep it alive.
class Slab {
 public:
  // A new slab in a memfd that cannot be resized. Throws std::system_error.
  static std::shared_ptr<Slab> create(uint32_t generation);
  // Maps an inherited memfd after checking its size, seals, magic and version. Throws std::runtime_error.
  static std::shared_ptr<Slab> attach(int memoryFd);
  Slab(const Slab&) = delete;
  Slab& operator=(const Slab&) = delete;
  ~Slab();

  int memoryFd() const { return memoryFd_; }
  uint8_t* bytes() const { return bytes_; }
  uint32_t generation() const { return generation_; }
  SlabHeader& header() const { return *reinterpret_cast<SlabHeader*>(bytes_); }
  // `slot` must be less than kSlots.
  uint8_t* slot(uint32_t slot) const;
  static size_t payloadCapacityBytes(uint32_t slot);
  // Gives the memory of all slots back to the system, which wipes it: both sides read zeros from then on.
  void discardSlots() const;

 private:
  Slab(int memoryFd, uint8_t* bytes) : memoryFd_(memoryFd), bytes_(bytes), generation_(0) {}
  int memoryFd_;
  uint8_t* bytes_;
  uint32_t generation_;
};

#endif

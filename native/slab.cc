// Creating, checking and mapping a slab.
#include "slab.h"

#include <cerrno>
#include <fcntl.h>
#include <stdexcept>
#include <sys/mman.h>
#include <sys/stat.h>
#include <system_error>
#include <unistd.h>

#include "wipe.h"

namespace {

constexpr int kSeals = F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL;

uint8_t* mapShared(int fd) {
  void* mapped = mmap(nullptr, kSlabBytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  if (mapped == MAP_FAILED) throw std::system_error(errno, std::generic_category(), "mmap of the slab");
  // Payloads may be plaintext: they stay out of core dumps and out of children made by fork.
  madvise(mapped, kSlabBytes, MADV_DONTDUMP);
  madvise(mapped, kSlabBytes, MADV_DONTFORK);
  return static_cast<uint8_t*>(mapped);
}

}  // namespace

std::shared_ptr<Slab> Slab::create(uint32_t generation) {
  int fd = memfd_create("hsm-kms-slab", MFD_CLOEXEC | MFD_ALLOW_SEALING);
  if (fd < 0) throw std::system_error(errno, std::generic_category(), "memfd_create");
  std::shared_ptr<Slab> slab(new Slab(fd, nullptr));
  if (ftruncate(fd, kSlabBytes) != 0 || fcntl(fd, F_ADD_SEALS, kSeals) != 0) {
    throw std::system_error(errno, std::generic_category(), "sizing and sealing the slab");
  }
  slab->bytes_ = mapShared(fd);
  slab->generation_ = generation;
  SlabHeader& header = slab->header();
  header.magic = kSlabMagic;
  header.version = kSlabVersion;
  header.generation = generation;
  header.armed.store(1);
  return slab;
}

std::shared_ptr<Slab> Slab::attach(int memoryFd) {
  struct stat status;
  if (fstat(memoryFd, &status) != 0 || static_cast<size_t>(status.st_size) != kSlabBytes) {
    throw std::runtime_error("the inherited slab has another size than this build expects");
  }
  if ((fcntl(memoryFd, F_GET_SEALS) & kSeals) != kSeals) throw std::runtime_error("the inherited slab is not sealed");
  std::shared_ptr<Slab> slab(new Slab(memoryFd, mapShared(memoryFd)));
  const SlabHeader& header = slab->header();
  if (header.magic != kSlabMagic || header.version != kSlabVersion) throw std::runtime_error("the inherited memory is not a slab");
  slab->generation_ = header.generation;
  return slab;
}

Slab::~Slab() {
  if (bytes_ != nullptr) munmap(bytes_, kSlabBytes);
  if (memoryFd_ >= 0) close(memoryFd_);
}

uint8_t* Slab::slot(uint32_t slot) const {
  if (slot < kSmallSlots) return bytes_ + kSlotsOffset + slot * kSmallSlotBytes;
  return bytes_ + kSlotsOffset + kSmallSlots * kSmallSlotBytes + (slot - kSmallSlots) * kLargeSlotBytes;
}

void Slab::discardSlots() const {
  const size_t slotsBytes = kSlabBytes - kSlotsOffset;
  if (madvise(bytes_ + kSlotsOffset, slotsBytes, MADV_REMOVE) != 0) wipe(bytes_ + kSlotsOffset, slotsBytes);
}

size_t Slab::payloadCapacityBytes(uint32_t slot) {
  return (slot < kSmallSlots ? kSmallSlotBytes : kLargeSlotBytes) - kSlotHeaderBytes;
}

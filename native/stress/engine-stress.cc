// Drives an engine as JavaScript does, with every slot in flight, while sessions are renewed, opened again and finalized under it.
// Meant for ThreadSanitizer (`scripts/native-sanitize --thread`); a wrong answer or a lost one ends it with status 1.
//   engine-stress MODULE SECONDS
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <poll.h>
#include <random>
#include <string>
#include <sys/eventfd.h>
#include <thread>
#include <unistd.h>
#include <vector>

#include "../engine.h"

namespace {

using Clock = std::chrono::steady_clock;

constexpr uint32_t kGeneration = 7;
constexpr int kPatienceMs = 30 * 1000;
constexpr int kEndPatienceMs = 70 * 1000;
constexpr uint64_t kAesGcm = 0x1087;
constexpr uint32_t kGcmLayout = 3;
constexpr uint32_t kIvSupplied = 0;
constexpr uint32_t kTagBytes = 16;

[[noreturn]] void fail(const char* what) {
  fprintf(stderr, "engine-stress: %s\n", what);
  _exit(1);
}

// The JavaScript side of a slab: writes requests, takes answers, checks both belong together.
class Driver {
 public:
  Driver() : slab_(Slab::create(kGeneration)), doorbell_(eventfd(0, EFD_NONBLOCK)), completions_(slab_->header().completions) {
    if (pipe(pin_) != 0) fail("no pipe");
    for (Ring& ring : slab_->header().submissions) submissions_.push_back(std::make_unique<RingProducer>(ring));
    for (uint32_t slot = 0; slot < kSmallSlots; ++slot) free_.push_back(slot);
    engine_ = std::make_shared<Engine>(slab_, dup(doorbell_), pin_[0]);
    engine_->start();
  }

  bool hasRoom() const { return free_.size() > 8; }

  template <typename Write>
  uint32_t submit(ThreadClass threads, Operation operation, Write write) {
    const uint32_t slot = free_.back();
    free_.pop_back();
    Writer request(slab_->slot(slot) + kSlotHeaderBytes, Slab::payloadCapacityBytes(slot));
    write(request);
    sent_[slot] = {kGeneration, ++sequence_, static_cast<uint32_t>(operation), static_cast<uint32_t>(request.length()), 0, 0, 0};
    memcpy(slab_->slot(slot), &sent_[slot], sizeof(SlotHeader));
    inFlight_[slot] = true;
    submissions_[static_cast<size_t>(threads)]->push(slot);
    submissions_[static_cast<size_t>(threads)]->ring();
    return slot;
  }

  void encrypt(ThreadClass threads) {
    const uint32_t number = sequence_ + 1;
    submit(threads, Operation::kEncrypt, [&](Writer& request) {
      const uint8_t iv[12] = {1};
      request.u64(kAesGcm);
      request.u32(kGcmLayout);
      request.u32(kIvSupplied);
      request.u32(kTagBytes * 8);
      request.bytes(iv, sizeof iv);
      request.bytes(iv, 0);
      request.u64(7);
      request.bytes(&number, sizeof number);
    });
  }

  // Waits for one doorbell and takes everything that completed.
  void takeAnswers() {
    if (free_.size() == kSmallSlots) return;
    pollfd ready{doorbell_, POLLIN, 0};
    if (poll(&ready, 1, kPatienceMs) != 1) fail("an answer was lost");
    uint64_t rung = 0;
    if (read(doorbell_, &rung, sizeof rung) < 0) return;
    drain();
    slab_->header().armed.store(1);
    // What completed before the doorbell was armed again.
    drain();
  }

  void await(uint32_t slot) {
    while (inFlight_[slot]) takeAnswers();
    if (last_[slot].status != static_cast<uint32_t>(Status::kOk)) fail("a control request failed");
  }

  void awaitAll() {
    while (free_.size() < kSmallSlots) takeAnswers();
  }

  template <typename Write>
  void control(Operation operation, Write write) {
    await(submit(ThreadClass::kControl, operation, write));
  }

  // Ends the engine as a closing door does; nothing in flight is answered.
  void close() {
    slab_->header().closed.store(1);
    slab_->discardSlots();
    engine_->stop();
    for (int waitedMs = 0; !engine_->stopped(); ++waitedMs) {
      if (waitedMs > kEndPatienceMs) fail("the engine did not end");
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    ::close(pin_[1]);
    ::close(doorbell_);
  }

  uint64_t answered = 0;

 private:
  void drain() {
    uint32_t slot = 0;
    while (completions_.pop(slot)) {
      memcpy(&last_[slot], slab_->slot(slot), sizeof(SlotHeader));
      if (!inFlight_[slot] || last_[slot].sequence != sent_[slot].sequence) fail("an answer belongs to no request");
      checkEncrypted(slot);
      inFlight_[slot] = false;
      free_.push_back(slot);
      ++answered;
    }
  }

  // The null module gives the data back with a tag of zeros.
  void checkEncrypted(uint32_t slot) const {
    const SlotHeader& answer = last_[slot];
    if (answer.operation != static_cast<uint32_t>(Operation::kEncrypt) || answer.status != static_cast<uint32_t>(Status::kOk)) return;
    uint32_t number = 0;
    memcpy(&number, slab_->slot(slot) + kSlotHeaderBytes, sizeof number);
    if (answer.lengthBytes != sizeof number + kTagBytes || number != answer.sequence) fail("an answer holds the data of another request");
  }

  std::shared_ptr<Slab> slab_;
  int doorbell_;
  int pin_[2];
  std::vector<std::unique_ptr<RingProducer>> submissions_;
  RingConsumer completions_;
  std::shared_ptr<Engine> engine_;
  std::vector<uint32_t> free_;
  SlotHeader sent_[kSlots]{};
  SlotHeader last_[kSlots]{};
  bool inFlight_[kSlots]{};
  uint32_t sequence_ = 0;
};

void load(Driver& driver, const std::string& module) {
  driver.control(Operation::kLoad, [&](Writer& request) {
    request.bytes(module.data(), module.size());
    for (const uint32_t flag : {0U, 0U, 0U, 1U}) request.u32(flag);
    request.bytes("", 0);
  });
}

void openSessions(Driver& driver) {
  driver.control(Operation::kOpenSessions, [](Writer& request) {
    request.u64(1);
    for (const uint32_t count : {3U, 1U, 2U}) request.u32(count);
  });
}

void reopen(Driver& driver, ThreadClass threads) {
  driver.submit(ThreadClass::kControl, Operation::kReopenSessions, [&](Writer& request) { request.u32(static_cast<uint32_t>(threads)); });
}

// One life of an engine; returns how many requests it answered.
uint64_t live(const std::string& module, std::mt19937& random) {
  Driver driver;
  load(driver, module);
  openSessions(driver);
  for (int round = 0; round < 200; ++round) {
    while (driver.hasRoom() && random() % 64 != 0) driver.encrypt(static_cast<ThreadClass>(random() % 3));
    if (random() % 4 == 0) reopen(driver, static_cast<ThreadClass>(random() % 3));
    if (random() % 50 == 0) openSessions(driver);
    driver.takeAnswers();
    if (random() % 20 == 0) driver.awaitAll();
  }
  if (random() % 2 == 0) {
    driver.awaitAll();
    driver.control(Operation::kFinalize, [](Writer& request) { request.u32(kPatienceMs); });
  }
  driver.close();
  return driver.answered;
}

}  // namespace

int main(int count, char** arguments) {
  if (count != 3) fail("usage: engine-stress MODULE SECONDS");
  const auto until = Clock::now() + std::chrono::seconds(atoi(arguments[2]));
  std::mt19937 random(1);
  uint64_t answered = 0;
  int lives = 0;
  for (; Clock::now() < until || lives == 0; ++lives) answered += live(arguments[1], random);
  printf("engine-stress: %d engines answered %llu requests\n", lives, static_cast<unsigned long long>(answered));
  return 0;
}

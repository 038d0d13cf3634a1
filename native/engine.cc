// The control thread and the pools.
#include "engine.h"

#include <algorithm>
#include <chrono>
#include <system_error>
#include <thread>
#include <unistd.h>

#include "slot-calls.h"

namespace {

constexpr uint32_t kThreadsMax = 512;
constexpr uint32_t kStopPatienceMs = 60 * 1000;
// Answers that are announced together: few where callers wait for each, more where a queue keeps the threads busy meanwhile.
constexpr uint32_t kTogetherMin = 4;
constexpr uint32_t kTogetherMax = 16;
constexpr uint32_t kWaitingPerAnswer = 3;
constexpr auto kStopPoll = std::chrono::milliseconds(1);

}  // namespace

Engine::Engine(std::shared_ptr<Slab> slab, int completionFd, int pinFd)
    : slab_(std::move(slab)), completionFd_(completionFd), pins_(pinFd), completions_(slab_->header().completions) {
  for (Ring& ring : slab_->header().submissions) pools_.push_back(std::make_unique<Pool>(ring));
}

Engine::~Engine() { close(completionFd_); }

void Engine::start() {
  std::thread([self = shared_from_this()] { self->controlLoop(); }).detach();
}

void Engine::stop() {
  stopping_.store(true);
  for (auto& pool : pools_) pool->requests.interrupt();
}

void Engine::controlLoop() {
  RingConsumer& requests = pools_[static_cast<size_t>(ThreadClass::kControl)]->requests;
  Exchange exchange(*slab_);
  try {
    uint32_t slot = 0;
    while (requests.wait(slot, [this] { return ending(); })) {
      exchange.take(slot);
      exchange.answer(exchange.run([&](Reader& request, Writer& response, Arena& arena) {
        static const CK_FUNCTION_LIST none{};
        Call call{module_.initialized() ? module_.functions() : none, 0, request, response, arena};
        return control(exchange.operation(), call);
      }));
      complete(slot, 0);
      announce();
    }
  } catch (const std::exception&) {
    stopping_.store(true);
  }
  if (stopPools(kStopPatienceMs) && module_.initialized()) module_.finalize();
  slab_->discardSlots();
  stopped_.store(true);
}

Outcome Engine::control(Operation operation, Call& call) {
  if (operation == Operation::kPing) return {};
  if (operation == Operation::kLoad) return module_.load(call.request, call.response);
  if (!module_.initialized()) return Outcome::failed(CkFunction::C_Initialize, CKR_CRYPTOKI_NOT_INITIALIZED);
  switch (operation) {
    case Operation::kSlots:
      return slotsCall(call.functions, call.response);
    case Operation::kMechanisms: {
      const CK_SLOT_ID slot = call.request.u64();
      return call.request.complete() ? mechanismsCall(call.functions, slot, call.response) : malformed(call);
    }
    case Operation::kOpenSessions:
      return openSessions(call);
    case Operation::kReopenSessions:
      return reopenSessions(call);
    case Operation::kCloseAllSessions: {
      const CK_SLOT_ID slot = call.request.u64();
      return call.request.complete() ? Outcome::of(CkFunction::C_CloseAllSessions, call.functions.C_CloseAllSessions(slot)) : malformed(call);
    }
    case Operation::kFinalize:
      return finalize(call);
    default:
      // Work for a thread with a session, and there is none of that class.
      return Outcome::failed(CkFunction::C_OpenSession, CKR_SESSION_HANDLE_INVALID);
  }
}

Outcome Engine::openSessions(Call& call) {
  const CK_SLOT_ID slotId = call.request.u64();
  uint32_t counts[kThreadClasses - 1];
  for (uint32_t& count : counts) {
    count = call.request.u32();
    if (count > kThreadsMax) call.request.fail();
  }
  if (!call.request.complete()) return malformed(call);
  if (!stopPools(kStopPatienceMs)) return refuse(call.response, "threads of the earlier sessions are still in a call");
  slotId_ = slotId;
  const CK_RV rv = openThreads(counts);
  if (rv == CKR_OK && startThreads()) return {};
  stopPools(kStopPatienceMs);
  answerQueued(Outcome::failed(CkFunction::C_OpenSession, CKR_SESSION_HANDLE_INVALID));
  if (rv != CKR_OK) return Outcome::failed(CkFunction::C_OpenSession, rv);
  return refuse(call.response, "no more threads could be started: ask for fewer sessions, or raise RLIMIT_NPROC or the limit of the control group",
                CKR_HOST_MEMORY);
}

// Makes the threads with their sessions; the first CKR that is not CKR_OK.
CK_RV Engine::openThreads(const uint32_t (&counts)[kThreadClasses - 1]) {
  for (uint32_t which = 0; which < kThreadClasses - 1; ++which) {
    Pool& pool = *pools_[which];
    for (uint32_t i = 0; i < counts[which]; ++i) {
      auto thread = std::make_shared<PoolThread>(shared_from_this(), pool.requests, which == static_cast<uint32_t>(ThreadClass::kAnchor));
      const CK_RV rv = thread->openSession();
      if (rv != CKR_OK) return rv;
      pool.threads.push_back(std::move(thread));
    }
  }
  return CKR_OK;
}

bool Engine::startThreads() {
  try {
    for (auto& pool : pools_) {
      for (auto& thread : pool->threads) thread->start();
    }
    return true;
  } catch (const std::system_error&) {
    return false;
  }
}

Outcome Engine::reopenSessions(Call& call) {
  const uint32_t which = call.request.u32();
  if (!call.request.complete() || which >= kThreadClasses - 1) return malformed(call);
  CK_RV first = CKR_OK;
  for (auto& thread : pools_[which]->threads) {
    const CK_RV rv = thread->renewSession();
    if (first == CKR_OK) first = rv;
  }
  return Outcome::of(CkFunction::C_OpenSession, first);
}

Outcome Engine::finalize(Call& call) {
  const uint32_t patienceMs = call.request.u32();
  if (!call.request.complete()) return malformed(call);
  // C_Finalize under a running call crashes modules.
  if (!stopPools(patienceMs)) return refuse(call.response, "a thread is still in a call; C_Finalize would pull the module from under it");
  answerQueued(Outcome::failed(CkFunction::C_Initialize, CKR_CRYPTOKI_NOT_INITIALIZED));
  return module_.finalize();
}

Outcome Engine::login(Call& call, uint32_t sequence) {
  const CK_USER_TYPE user = call.request.u32();
  const bool pinPad = call.request.u32() != 0;
  if (!call.request.complete()) return malformed(call);
  CK_RV rv = CKR_OK;
  const bool found = pins_.take(sequence, [&](uint8_t* pin, uint32_t length) {
    rv = call.functions.C_Login(call.session, user, pinPad ? nullptr : pin, pinPad ? 0 : length);
  });
  return found ? Outcome::of(CkFunction::C_Login, rv) : refuse(call.response, "no PIN arrived on the pipe");
}

// Ends the pool threads that are not in a call. True when all of them ended within the time.
bool Engine::stopPools(uint32_t patienceMs) {
  for (auto& pool : pools_) {
    for (auto& thread : pool->threads) thread->stop();
    pool->requests.interrupt();
  }
  const auto until = std::chrono::steady_clock::now() + std::chrono::milliseconds(patienceMs);
  for (auto& pool : pools_) {
    for (auto& thread : pool->threads) {
      while (!thread->finished()) {
        if (std::chrono::steady_clock::now() >= until) return false;
        std::this_thread::sleep_for(kStopPoll);
      }
    }
  }
  for (auto& pool : pools_) {
    // Threads that never started have their sessions still.
    for (auto& thread : pool->threads) thread->closeSession();
    pool->threads.clear();
  }
  return true;
}

// Requests that came while the threads were ending have nobody else to answer them.
void Engine::answerQueued(const Outcome& outcome) {
  Exchange exchange(*slab_);
  for (uint32_t which = 0; which < kThreadClasses - 1; ++which) {
    uint32_t slot = 0;
    while (pools_[which]->requests.pop(slot)) {
      exchange.take(slot);
      exchange.answer(exchange.run([&](Reader&, Writer&, Arena&) { return outcome; }));
      complete(slot, 0);
    }
  }
  announce();
}

void Engine::complete(uint32_t slot, uint32_t waiting) {
  {
    std::lock_guard<std::mutex> lock(completionMutex_);
    completions_.push(slot);
  }
  const uint32_t together = std::clamp(waiting / kWaitingPerAnswer, kTogetherMin, kTogetherMax);
  if (unannounced_.fetch_add(1) + 1 >= together) announce();
}

void Engine::announce() {
  if (unannounced_.exchange(0) == 0) return;
  // Between the cursor of the ring and `armed`, as JavaScript reads them in the other order: one of both sides sees the other's.
  std::atomic_thread_fence(std::memory_order_seq_cst);
  if (slab_->header().armed.exchange(0) == 0) return;
  const uint64_t one = 1;
  if (write(completionFd_, &one, sizeof one) < 0) return;
}

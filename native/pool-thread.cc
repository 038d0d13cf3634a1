// Serving requests with one session.
#include "pool-thread.h"

#include <chrono>
#include <cstdint>
#include <exception>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <thread>
#include <unistd.h>

#include "engine.h"

namespace {

// Below the event loop, so that a busy token does not delay the answers of the others.
constexpr int kPoolNice = 10;
// Answers wait for the next ones only while requests are served that lately took less than this.
constexpr int64_t kShortNs = 50 * 1000;
constexpr int64_t kUnknownNs = INT64_MAX;

void lowerPriority() { setpriority(PRIO_PROCESS, static_cast<id_t>(syscall(SYS_gettid)), kPoolNice); }

}  // namespace

PoolThread::PoolThread(std::shared_ptr<Engine> engine, RingConsumer& requests, bool anchor)
    : engine_(std::move(engine)), requests_(requests), anchor_(anchor), exchange_(*engine_->slab_) {
  lastNs_.fill(kUnknownNs);
}

CK_RV PoolThread::openSession() {
  const CK_FUNCTION_LIST& functions = engine_->module_.functions();
  CK_SESSION_HANDLE opened = 0;
  // The new session before the old one ends: the token logs out when the last session closes.
  CK_RV rv = functions.C_OpenSession(engine_->slotId_, CKF_RW_SESSION | CKF_SERIAL_SESSION, nullptr, nullptr, &opened);
  if (rv == CKR_SESSION_COUNT && session_ != 0) {
    closeSession();
    rv = functions.C_OpenSession(engine_->slotId_, CKF_RW_SESSION | CKF_SERIAL_SESSION, nullptr, nullptr, &opened);
  }
  if (rv != CKR_OK) return rv;
  closeSession();
  session_ = opened;
  return CKR_OK;
}

void PoolThread::closeSession() {
  if (session_ != 0) engine_->module_.functions().C_CloseSession(session_);
  session_ = 0;
}

CK_RV PoolThread::renewSession() {
  std::unique_lock<std::mutex> idle(serving_, std::try_to_lock);
  if (idle.owns_lock()) return openSession();
  stale_.store(true);
  return CKR_OK;
}

void PoolThread::start() {
  finished_.store(false);
  try {
    std::thread([self = shared_from_this()] { self->run(); }).detach();
  } catch (...) {
    finished_.store(true);
    throw;
  }
}

bool PoolThread::ending() const { return stopping_.load() || engine_->ending(); }

void PoolThread::run() {
  lowerPriority();
  try {
    uint32_t slot = 0;
    for (;;) {
      if (ending()) break;
      if (!requests_.pop(slot)) {
        engine_->announce();
        if (!requests_.wait(slot, [this] { return ending(); })) break;
      }
      serve(slot);
    }
    engine_->announce();
    std::lock_guard<std::mutex> busy(serving_);
    closeSession();
  } catch (const std::exception&) {
    // The slab is broken: nothing that comes from it can be answered.
    engine_->stop();
  }
  finished_.store(true);
}

void PoolThread::serve(uint32_t slot) {
  std::lock_guard<std::mutex> busy(serving_);
  exchange_.take(slot);
  // After a stop of the whole process it may be another host that serves by now: what was not begun is not begun any more.
  if (engine_->ending()) return exchange_.forget();
  Outcome outcome = performTimed();
  // An earlier request left an operation behind. This one was not begun, so a new session may perform it.
  if (outcome.operationMayRemain && outcome.returnValue == CKR_OPERATION_ACTIVE && !anchor_) {
    stale_.store(true);
    outcome = performTimed();
  }
  // Nobody would take the answer out of the slab and wipe it.
  if (engine_->ending()) return exchange_.forget();
  exchange_.answer(outcome);
  engine_->complete(slot, requests_.left());
  if (outcome.operationMayRemain) clearOperation();
}

Outcome PoolThread::performTimed() {
  int64_t& lastNs = lastNs_[exchange_.costClass()];
  if (lastNs > kShortNs) engine_->announce();
  const auto startedAt = std::chrono::steady_clock::now();
  const Outcome outcome = performOnce();
  lastNs = std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::steady_clock::now() - startedAt).count();
  return outcome;
}

Outcome PoolThread::performOnce() {
  if (exchange_.operation() == Operation::kPing) return exchange_.run([](Reader&, Writer&, Arena&) { return Outcome{}; });
  if (stale_.exchange(false) || session_ == 0) {
    const CK_RV rv = openSession();
    if (rv != CKR_OK) {
      stale_.store(true);
      return Outcome::failed(CkFunction::C_OpenSession, rv);
    }
  }
  return exchange_.run([this](Reader& request, Writer& response, Arena& arena) {
    Call call{engine_->module_.functions(), session_, request, response, arena};
    return exchange_.operation() == Operation::kLogin ? engine_->login(call, exchange_.sequence()) : perform(exchange_.operation(), call);
  });
}

void PoolThread::clearOperation() {
  if (!anchor_) {
    // A new session is the one way to end an operation that every version of the standard has.
    openSession();
    return;
  }
  // The anchor session must live. Finishing ends whichever single-part operation is active; the answers do not matter.
  const CK_FUNCTION_LIST& functions = engine_->module_.functions();
  CK_BYTE scrap[1024];
  for (auto finish : {functions.C_EncryptFinal, functions.C_DecryptFinal, functions.C_SignFinal}) {
    CK_ULONG length = sizeof scrap;
    finish(session_, scrap, &length);
  }
  functions.C_VerifyFinal(session_, scrap, 0);
  functions.C_FindObjectsFinal(session_);
  wipe(scrap, sizeof scrap);
}

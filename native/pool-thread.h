// One thread of a pool with its session. Knows how to serve a request, not which pool it is in.
#ifndef HSM_KMS_POOL_THREAD_H
#define HSM_KMS_POOL_THREAD_H

#include <array>
#include <atomic>
#include <memory>
#include <mutex>

#include "exchange.h"
#include "ring.h"

class Engine;

class PoolThread : public std::enable_shared_from_this<PoolThread> {
 public:
  // `anchor` threads never close their session by themselves: session objects would die with it.
  PoolThread(std::shared_ptr<Engine> engine, RingConsumer& requests, bool anchor);

  // Opens the session, before `start`. CKR of C_OpenSession.
  CK_RV openSession();
  void closeSession();
  // Throws std::system_error when the system allows no more threads.
  void start();
  void stop() { stopping_.store(true); }
  // True also before `start`.
  bool finished() const { return finished_.load(); }
  // Opens a new session now, or before the next request when the thread is in a call. CKR of C_OpenSession.
  CK_RV renewSession();

 private:
  void run();
  bool ending() const;
  void serve(uint32_t slot);
  Outcome performOnce();
  Outcome performTimed();
  void clearOperation();

  std::shared_ptr<Engine> engine_;
  RingConsumer& requests_;
  const bool anchor_;
  Exchange exchange_;
  // How long the last request of each cost class took.
  std::array<int64_t, Exchange::kCostClasses> lastNs_;
  std::mutex serving_;
  CK_SESSION_HANDLE session_ = 0;
  std::atomic<bool> stale_{false};
  std::atomic<bool> stopping_{false};
  std::atomic<bool> finished_{true};
};

#endif

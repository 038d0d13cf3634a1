// The engine: threads that take requests from a slab and call the module, one session per thread. The same engine runs in the
// token host and inside the API worker. Threads that the module never returns from are abandoned, never waited for.
#ifndef HSM_KMS_ENGINE_H
#define HSM_KMS_ENGINE_H

#include <atomic>
#include <memory>
#include <mutex>
#include <vector>

#include "calls.h"
#include "module.h"
#include "pin-pipe.h"
#include "pool-thread.h"
#include "ring.h"
#include "slab.h"

class Engine : public std::enable_shared_from_this<Engine> {
 public:
  // Takes over both descriptors.
  Engine(std::shared_ptr<Slab> slab, int completionFd, int pinFd);
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;
  ~Engine();

  // Starts the control thread, which keeps the engine alive until `stop`.
  void start();
  // Lets the threads end after the call they are in, then C_Finalize when all did. Returns at once; `stopped` tells.
  void stop();
  bool stopped() const { return stopped_.load(); }
  // True from `stop` on, and when the JavaScript side gave the slab up: no request may be begun.
  bool ending() const { return stopping_.load(std::memory_order_relaxed) || closed(); }
  bool closed() const { return slab_->header().closed.load(std::memory_order_relaxed) != 0; }
  int pinFd() const { return pins_.fd(); }

 private:
  friend class PoolThread;

  struct Pool {
    explicit Pool(Ring& ring) : requests(ring) {}
    RingConsumer requests;
    std::vector<std::shared_ptr<PoolThread>> threads;
  };

  void controlLoop();
  Outcome control(Operation operation, Call& call);
  Outcome openSessions(Call& call);
  CK_RV openThreads(const uint32_t (&counts)[kThreadClasses - 1]);
  bool startThreads();
  Outcome reopenSessions(Call& call);
  Outcome finalize(Call& call);
  Outcome login(Call& call, uint32_t sequence);
  bool stopPools(uint32_t patienceMs);
  void answerQueued(const Outcome& outcome);
  // Puts an answered slot on the completion ring. JavaScript is woken by `announce`, at the latest after a few completions, or a share
  // of those that still wait: one wake-up for several answers costs a fraction of one for each.
  void complete(uint32_t slot, uint32_t waiting);
  void announce();

  std::shared_ptr<Slab> slab_;
  int completionFd_;
  PinPipe pins_;
  Module module_;
  CK_SLOT_ID slotId_ = 0;
  std::vector<std::unique_ptr<Pool>> pools_;
  std::mutex completionMutex_;
  RingProducer completions_;
  std::atomic<uint32_t> unannounced_{0};
  std::atomic<bool> stopping_{false};
  std::atomic<bool> stopped_{false};
};

#endif

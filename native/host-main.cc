// token-host: the process that maps the vendor library and logs in. It inherits the slab (descriptor 3), the completion doorbell (4)
// and the PIN pipe (5), serves requests until the pipe's other end closes, and leaves no core dump.
#include <chrono>
#include <cstdio>
#include <csignal>
#include <exception>
#include <fcntl.h>
#include <memory>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <thread>
#include <unistd.h>

#include "engine.h"
#include "slab.h"

namespace {

constexpr int kMemoryFd = 3;
constexpr int kCompletionFd = 4;
constexpr int kPinFd = 5;
constexpr int kExitBadStart = 64;
constexpr int kExitBrokenSlab = 70;
constexpr int kPollMs = 1000;
// The worker ends us sooner, by its own grace time; this is for a worker that is gone.
constexpr int kEndPatienceMs = 10 * 1000;

void harden() {
  const rlimit none{0, 0};
  setrlimit(RLIMIT_CORE, &none);
  prctl(PR_SET_DUMPABLE, 0);
  prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  syscall(SYS_close_range, kPinFd + 1, ~0U, 0);
  // A program that the vendor library starts must not inherit the slab or read PINs.
  for (const int ours : {kMemoryFd, kCompletionFd, kPinFd}) fcntl(ours, F_SETFD, FD_CLOEXEC);
  // Signals to the whole group (terminal, service manager) are for the worker, which finishes what is in flight and then ends us.
  for (const int ignored : {SIGINT, SIGTERM, SIGHUP, SIGPIPE}) signal(ignored, SIG_IGN);
}

// Returns when the worker closed its end of the pipe, or when the engine gave up.
void waitForEnd(const Engine& engine) {
  for (;;) {
    pollfd pipe{engine.pinFd(), 0, 0};
    poll(&pipe, 1, kPollMs);
    if ((pipe.revents & (POLLHUP | POLLERR | POLLNVAL)) != 0 || engine.stopped()) return;
  }
}

int serve() {
  auto engine = std::make_shared<Engine>(Slab::attach(kMemoryFd), kCompletionFd, kPinFd);
  engine->start();
  waitForEnd(*engine);
  if (engine->stopped() && !engine->closed()) return kExitBrokenSlab;
  engine->stop();
  for (int waitedMs = 0; waitedMs < kEndPatienceMs && !engine->stopped(); ++waitedMs) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  return 0;
}

}  // namespace

int main() {
  harden();
  int code = kExitBadStart;
  try {
    code = serve();
  } catch (const std::exception& error) {
    fprintf(stderr, "token-host: %s\n", error.what());
  }
  // Not exit(): destructors of a vendor library that is still in a call may hang or crash.
  _exit(code);
}

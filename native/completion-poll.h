// Wakes JavaScript once for each batch of completions: watches the eventfd on the event loop, drains the completion ring into an
// array and calls one function with the count. Keeps the loop alive only while requests are in flight.
#ifndef HSM_KMS_COMPLETION_POLL_H
#define HSM_KMS_COMPLETION_POLL_H

#include <memory>
#include <node_api.h>
#include <uv.h>

#include "ring.h"
#include "slab.h"

class CompletionPoll {
 public:
  // `completed` receives the slot numbers and must hold kSlots of them.
  CompletionPoll(napi_env env, std::shared_ptr<Slab> slab, int completionFd, uint32_t* completed);
  CompletionPoll(const CompletionPoll&) = delete;
  CompletionPoll& operator=(const CompletionPoll&) = delete;

  // False after a JavaScript exception. The callback is kept until `close`.
  bool listen(napi_value self, napi_value callback);
  void submitted();
  // Stops watching and deletes this object when the event loop lets go of it.
  void close();

 private:
  ~CompletionPoll() = default;
  static void onReadable(uv_poll_t* handle, int status, int events);
  static void onEnvironmentEnd(napi_async_cleanup_hook_handle handle, void* data);
  void drain();
  void call(uint32_t count);
  uint32_t takeBatch();

  napi_env env_;
  std::shared_ptr<Slab> slab_;
  RingConsumer completions_;
  int completionFd_;
  uint32_t* completed_;
  uint32_t inFlight_ = 0;
  bool closing_ = false;
  bool ended_ = false;
  uv_poll_t poll_{};
  napi_ref callback_ = nullptr;
  napi_ref self_ = nullptr;
  napi_async_context context_ = nullptr;
  napi_async_cleanup_hook_handle cleanup_ = nullptr;
};

#endif

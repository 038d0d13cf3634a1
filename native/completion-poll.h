// Wakes JavaScript once for each batch of completions: watches the eventfd on the event loop, drains the completion ring into an
// array and calls one function with the count. Keeps the loop alive only while requests are in flight.
#ifndef HSM_KMS_COMPLETION_POLL_H
#define HSM_KMS_COMPLETION_POLL_H

#include <functional>
#include <memory>
#include <node_api.h>
#include <uv.h>

#include "ring.h"
#include "slab.h"

class CompletionPoll {
 public:
  // A Uint32Array of at least kSlots elements, which receives the slot numbers.
  struct Completed {
    napi_value array;
    uint32_t* slots;
  };

  // Starts to watch; takes over `completionFd`. `self`, array and callback are kept until `close`. nullptr when that is not possible.
  // `delivered` is called after each batch of answers, when JavaScript has done what it does next with them.
  static CompletionPoll* listen(napi_env env, std::shared_ptr<Slab> slab, int completionFd, napi_value self, Completed completed,
                                napi_value callback, std::function<void()> delivered);
  CompletionPoll(const CompletionPoll&) = delete;
  CompletionPoll& operator=(const CompletionPoll&) = delete;

  void submitted();
  // True while answers are given to JavaScript: what it submits meanwhile is rung for together, by `delivered`.
  bool delivering() const { return delivering_; }
  // Stops watching and deletes this object when the event loop lets go of it.
  void close();

 private:
  CompletionPoll(napi_env env, std::shared_ptr<Slab> slab, int completionFd, uint32_t* completed, std::function<void()> delivered);
  ~CompletionPoll();
  bool watch();
  bool keep(napi_value self, napi_value array, napi_value callback);
  void letGo();
  static void onReadable(uv_poll_t* handle, int status, int events);
  static void onEnvironmentEnd(napi_async_cleanup_hook_handle handle, void* data);
  void drain();
  bool deliver();
  void call(uint32_t count);
  uint32_t takeBatch();

  napi_env env_;
  std::shared_ptr<Slab> slab_;
  RingConsumer completions_;
  int completionFd_;
  uint32_t* completed_;
  std::function<void()> delivered_;
  bool delivering_ = false;
  uint32_t inFlight_ = 0;
  bool closing_ = false;
  bool ended_ = false;
  uv_poll_t poll_{};
  napi_ref callback_ = nullptr;
  napi_ref self_ = nullptr;
  napi_ref array_ = nullptr;
  napi_async_context context_ = nullptr;
  napi_async_cleanup_hook_handle cleanup_ = nullptr;
};

#endif

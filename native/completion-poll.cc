// Completions on the event loop.
#include "completion-poll.h"

#include <exception>
#include <unistd.h>

namespace {

constexpr int kBatchesPerTurn = 4;

}  // namespace

CompletionPoll::CompletionPoll(napi_env env, std::shared_ptr<Slab> slab, int completionFd, uint32_t* completed, std::function<void()> delivered)
    : env_(env),
      slab_(std::move(slab)),
      completions_(slab_->header().completions),
      completionFd_(completionFd),
      completed_(completed),
      delivered_(std::move(delivered)) {}

CompletionPoll::~CompletionPoll() { ::close(completionFd_); }

CompletionPoll* CompletionPoll::listen(napi_env env, std::shared_ptr<Slab> slab, int completionFd, napi_value self, Completed completed,
                                       napi_value callback, std::function<void()> delivered) {
  auto* made = new CompletionPoll(env, std::move(slab), completionFd, completed.slots, std::move(delivered));
  if (made->keep(self, completed.array, callback) && made->watch()) return made;
  made->letGo();
  delete made;
  return nullptr;
}

bool CompletionPoll::keep(napi_value self, napi_value array, napi_value callback) {
  napi_value name = nullptr;
  return napi_create_string_utf8(env_, "hsm-kms:completions", NAPI_AUTO_LENGTH, &name) == napi_ok &&
         napi_create_reference(env_, callback, 1, &callback_) == napi_ok && napi_create_reference(env_, self, 1, &self_) == napi_ok &&
         napi_create_reference(env_, array, 1, &array_) == napi_ok && napi_async_init(env_, nullptr, name, &context_) == napi_ok;
}

bool CompletionPoll::watch() {
  uv_loop_t* loop = nullptr;
  if (napi_get_uv_event_loop(env_, &loop) != napi_ok || uv_poll_init(loop, &poll_, completionFd_) != 0) return false;
  poll_.data = this;
  uv_poll_start(&poll_, UV_READABLE, onReadable);
  uv_unref(reinterpret_cast<uv_handle_t*>(&poll_));
  napi_add_async_cleanup_hook(env_, onEnvironmentEnd, this, &cleanup_);
  return true;
}

void CompletionPoll::letGo() {
  for (const napi_ref kept : {callback_, self_, array_}) {
    if (kept != nullptr) napi_delete_reference(env_, kept);
  }
  if (context_ != nullptr) napi_async_destroy(env_, context_);
}

void CompletionPoll::submitted() {
  if (inFlight_++ == 0 && !closing_) uv_ref(reinterpret_cast<uv_handle_t*>(&poll_));
}

uint32_t CompletionPoll::takeBatch() {
  uint32_t count = 0;
  while (count < kSlots && completions_.pop(completed_[count])) ++count;
  return count;
}

void CompletionPoll::onReadable(uv_poll_t* handle, int, int) { static_cast<CompletionPoll*>(handle->data)->drain(); }

void CompletionPoll::drain() {
  uint64_t rung = 0;
  if (read(completionFd_, &rung, sizeof rung) < 0) return;
  // A few batches in one turn of the loop cost less than a turn for each; then other work of the loop has its turn.
  for (int batch = 0; batch < kBatchesPerTurn; ++batch) {
    if (!deliver() || closing_) return;
    if (completions_.empty()) break;
  }
  SlabHeader& header = slab_->header();
  header.armed.store(1);
  if (completions_.empty() || header.armed.exchange(0) == 0) return;
  const uint64_t one = 1;
  if (write(completionFd_, &one, sizeof one) < 0) return;
}

// Gives JavaScript what has completed. False when the ring is broken.
bool CompletionPoll::deliver() {
  uint32_t count = 0;
  try {
    count = takeBatch();
  } catch (const std::exception&) {
    uv_poll_stop(&poll_);
    call(kSlots + 1);
    return false;
  }
  inFlight_ = count < inFlight_ ? inFlight_ - count : 0;
  if (inFlight_ == 0) uv_unref(reinterpret_cast<uv_handle_t*>(&poll_));
  delivering_ = true;
  call(count);
  delivering_ = false;
  if (!closing_) delivered_();
  return true;
}

void CompletionPoll::call(uint32_t count) {
  napi_handle_scope scope = nullptr;
  napi_open_handle_scope(env_, &scope);
  napi_value callback = nullptr;
  napi_value self = nullptr;
  napi_value argument = nullptr;
  napi_get_reference_value(env_, callback_, &callback);
  napi_get_reference_value(env_, self_, &self);
  napi_create_uint32(env_, count, &argument);
  if (napi_make_callback(env_, context_, self, callback, 1, &argument, nullptr) == napi_pending_exception) {
    napi_value error = nullptr;
    napi_get_and_clear_last_exception(env_, &error);
    napi_fatal_exception(env_, error);
  }
  napi_close_handle_scope(env_, scope);
}

void CompletionPoll::close() {
  if (closing_) return;
  closing_ = true;
  if (!ended_) letGo();
  uv_close(reinterpret_cast<uv_handle_t*>(&poll_), [](uv_handle_t* handle) {
    auto* closed = static_cast<CompletionPoll*>(handle->data);
    if (closed->cleanup_ != nullptr) napi_remove_async_cleanup_hook(closed->cleanup_);
    delete closed;
  });
}

void CompletionPoll::onEnvironmentEnd(napi_async_cleanup_hook_handle, void* data) {
  auto* poll = static_cast<CompletionPoll*>(data);
  poll->ended_ = true;
  poll->close();
}

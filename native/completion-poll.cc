// Completions on the event loop.
#include "completion-poll.h"

#include <exception>
#include <unistd.h>

CompletionPoll::CompletionPoll(napi_env env, std::shared_ptr<Slab> slab, int completionFd, uint32_t* completed)
    : env_(env), slab_(std::move(slab)), completions_(slab_->header().completions), completionFd_(completionFd), completed_(completed) {
  uv_loop_t* loop = nullptr;
  napi_get_uv_event_loop(env_, &loop);
  uv_poll_init(loop, &poll_, completionFd_);
  poll_.data = this;
  uv_poll_start(&poll_, UV_READABLE, onReadable);
  uv_unref(reinterpret_cast<uv_handle_t*>(&poll_));
  napi_add_async_cleanup_hook(env_, onEnvironmentEnd, this, &cleanup_);
}

bool CompletionPoll::listen(napi_value self, napi_value callback) {
  napi_value name = nullptr;
  return napi_create_string_utf8(env_, "hsm-kms:completions", NAPI_AUTO_LENGTH, &name) == napi_ok &&
         napi_create_reference(env_, callback, 1, &callback_) == napi_ok && napi_create_reference(env_, self, 1, &self_) == napi_ok &&
         napi_async_init(env_, nullptr, name, &context_) == napi_ok;
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
  uint32_t count = 0;
  try {
    count = takeBatch();
  } catch (const std::exception&) {
    uv_poll_stop(&poll_);
    call(kSlots + 1);
    return;
  }
  inFlight_ = count < inFlight_ ? inFlight_ - count : 0;
  if (inFlight_ == 0) uv_unref(reinterpret_cast<uv_handle_t*>(&poll_));
  call(count);
  if (closing_) return;
  // What completed meanwhile is for the next turn of the loop, so that other work of the loop gets its turn too.
  SlabHeader& header = slab_->header();
  header.armed.store(1);
  if (completions_.empty() || header.armed.exchange(0) == 0) return;
  const uint64_t one = 1;
  if (write(completionFd_, &one, sizeof one) < 0) return;
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
  if (!ended_) {
    if (callback_ != nullptr) napi_delete_reference(env_, callback_);
    if (self_ != nullptr) napi_delete_reference(env_, self_);
    if (context_ != nullptr) napi_async_destroy(env_, context_);
  }
  uv_close(reinterpret_cast<uv_handle_t*>(&poll_), [](uv_handle_t* handle) {
    auto* closed = static_cast<CompletionPoll*>(handle->data);
    ::close(closed->completionFd_);
    if (closed->cleanup_ != nullptr) napi_remove_async_cleanup_hook(closed->cleanup_);
    delete closed;
  });
}

void CompletionPoll::onEnvironmentEnd(napi_async_cleanup_hook_handle, void* data) {
  auto* poll = static_cast<CompletionPoll*>(data);
  poll->ended_ = true;
  poll->close();
}

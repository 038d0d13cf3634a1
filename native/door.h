// The JavaScript object `Door`: one slab with its rings, the completion doorbell and the PIN pipe. In process it also starts the
// engine; for a token host it names the descriptors that the host inherits. Has no policy.
#ifndef HSM_KMS_DOOR_H
#define HSM_KMS_DOOR_H

#include <memory>
#include <node_api.h>
#include <vector>

#include "completion-poll.h"
#include "engine.h"
#include "ring.h"
#include "slab.h"

class Door {
 public:
  // Adds the class to the module's exports.
  static napi_status define(napi_env env, napi_value exports);

  Door(const Door&) = delete;
  Door& operator=(const Door&) = delete;
  ~Door();

 private:
  // Throws std::system_error.
  explicit Door(std::shared_ptr<Slab> slab);
  static napi_value construct(napi_env env, napi_callback_info info);
  static napi_value memory(napi_env env, napi_callback_info info);
  static napi_value descriptors(napi_env env, napi_callback_info info);
  static napi_value handedOver(napi_env env, napi_callback_info info);
  static napi_value startEngine(napi_env env, napi_callback_info info);
  static napi_value listen(napi_env env, napi_callback_info info);
  static napi_value submit(napi_env env, napi_callback_info info);
  static napi_value ring(napi_env env, napi_callback_info info);
  static napi_value wake(napi_env env, napi_callback_info info);
  static napi_value sendPin(napi_env env, napi_callback_info info);
  static napi_value engineStopped(napi_env env, napi_callback_info info);
  static napi_value close(napi_env env, napi_callback_info info);

  void closeDescriptor(int& fd);

  std::shared_ptr<Slab> slab_;
  std::vector<std::unique_ptr<RingProducer>> submissions_;
  std::shared_ptr<Engine> engine_;
  CompletionPoll* poll_ = nullptr;
  int completionFd_ = -1;
  int pinReadFd_ = -1;
  int pinWriteFd_ = -1;
  bool lent_ = false;
  bool closed_ = false;
};

#endif

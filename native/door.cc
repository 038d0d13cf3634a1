// Methods of `Door`. Each checks its arguments; a wrong one is a TypeError.
#include "door.h"

#include <cerrno>
#include <cstdlib>
#include <exception>
#include <fcntl.h>
#include <sys/eventfd.h>
#include <system_error>
#include <unistd.h>

#include "js-values.h"

namespace {

constexpr uint32_t kEnvironmentMax = 256;

// Identifies our objects, so that a method called on anything else is a TypeError.
constexpr napi_type_tag kDoorTag = {0x5f1d6a1c0e8b4d2fULL, 0x9a3c7e5b21f04d68ULL};

Door* doorOf(napi_env env, napi_value self) {
  bool ours = false;
  void* door = nullptr;
  if (napi_check_object_type_tag(env, self, &kDoorTag, &ours) == napi_ok && ours) napi_unwrap(env, self, &door);
  if (door == nullptr) napi_throw_type_error(env, nullptr, "this must be a Door");
  return static_cast<Door*>(door);
}

// The arguments and the Door of a method call; nullptr after throwing.
Door* begin(napi_env env, napi_callback_info info, size_t expected, Arguments& arguments) {
  return getArguments(env, info, expected, arguments) ? doorOf(env, arguments.self) : nullptr;
}

bool setEnvironment(napi_env env, napi_value names, napi_value values) {
  uint32_t count = 0;
  uint32_t valueCount = 0;
  if (napi_get_array_length(env, names, &count) != napi_ok || napi_get_array_length(env, values, &valueCount) != napi_ok ||
      count != valueCount || count > kEnvironmentMax) {
    napi_throw_type_error(env, nullptr, "environment must be two arrays of strings of the same length");
    return false;
  }
  for (uint32_t i = 0; i < count; ++i) {
    napi_value name = nullptr;
    napi_value value = nullptr;
    std::string nameText;
    std::string valueText;
    napi_get_element(env, names, i, &name);
    napi_get_element(env, values, i, &value);
    if (!getString(env, name, "an environment name", nameText) || !getString(env, value, "an environment value", valueText)) return false;
    // Unchanged variables stay untouched: setenv while other threads call getenv is not safe.
    const char* present = getenv(nameText.c_str());
    if (present == nullptr || valueText != present) setenv(nameText.c_str(), valueText.c_str(), 1);
  }
  return true;
}

}  // namespace

Door::Door(std::shared_ptr<Slab> slab) : slab_(std::move(slab)) {
  for (Ring& ring : slab_->header().submissions) submissions_.push_back(std::make_unique<RingProducer>(ring));
  int pin[2];
  if (pipe2(pin, O_CLOEXEC) != 0) throw std::system_error(errno, std::generic_category(), "pipe2");
  pinReadFd_ = pin[0];
  pinWriteFd_ = pin[1];
  fcntl(pinWriteFd_, F_SETFL, O_NONBLOCK);
  completionFd_ = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  if (completionFd_ >= 0) return;
  const int error = errno;
  closeDescriptor(pinReadFd_);
  closeDescriptor(pinWriteFd_);
  throw std::system_error(error, std::generic_category(), "eventfd");
}

Door::~Door() {
  closeDescriptor(completionFd_);
  closeDescriptor(pinReadFd_);
  closeDescriptor(pinWriteFd_);
}

void Door::closeDescriptor(int& fd) {
  if (fd >= 0) ::close(fd);
  fd = -1;
}

napi_value Door::construct(napi_env env, napi_callback_info info) {
  Arguments arguments;
  uint32_t generation = 0;
  napi_value target = nullptr;
  napi_get_new_target(env, info, &target);
  if (target == nullptr) {
    napi_throw_type_error(env, nullptr, "Door must be called with new");
    return nullptr;
  }
  if (!getArguments(env, info, 1, arguments) || !getU32(env, arguments.values[0], "generation", generation)) return nullptr;
  Door* door = nullptr;
  try {
    door = new Door(Slab::create(generation));
  } catch (const std::exception& error) {
    return throwError(env, error.what());
  }
  napi_wrap(env, arguments.self, door, [](napi_env, void* data, void*) { delete static_cast<Door*>(data); }, nullptr, nullptr);
  napi_type_tag_object(env, arguments.self, &kDoorTag);
  return arguments.self;
}

// memory(): ArrayBuffer over the slab. Once for each door.
napi_value Door::memory(napi_env env, napi_callback_info info) {
  Arguments arguments;
  Door* door = begin(env, info, 0, arguments);
  if (door == nullptr) return nullptr;
  if (door->lent_) return throwError(env, "the memory of a door is handed out once");
  auto* owner = new std::shared_ptr<Slab>(door->slab_);
  napi_value buffer = nullptr;
  const auto release = [](napi_env, void*, void* hint) { delete static_cast<std::shared_ptr<Slab>*>(hint); };
  if (napi_create_external_arraybuffer(env, door->slab_->bytes(), kSlabBytes, release, owner, &buffer) != napi_ok) {
    delete owner;
    return throwError(env, "this JavaScript engine does not allow memory outside its heap");
  }
  door->lent_ = true;
  return buffer;
}

// descriptors(): [slab, completion doorbell, PIN pipe], in the order in which a token host inherits them.
napi_value Door::descriptors(napi_env env, napi_callback_info info) {
  Arguments arguments;
  Door* door = begin(env, info, 0, arguments);
  if (door == nullptr) return nullptr;
  napi_value list = nullptr;
  napi_create_array(env, &list);
  const int fds[] = {door->slab_->memoryFd(), door->completionFd_, door->pinReadFd_};
  for (uint32_t i = 0; i < 3; ++i) napi_set_element(env, list, i, numberValue(env, static_cast<uint32_t>(fds[i])));
  return list;
}

// handedOver(): the host has its copies; ours of the reading end of the pipe is closed.
napi_value Door::handedOver(napi_env env, napi_callback_info info) {
  Arguments arguments;
  Door* door = begin(env, info, 0, arguments);
  if (door == nullptr) return nullptr;
  door->closeDescriptor(door->pinReadFd_);
  return undefinedValue(env);
}

// startEngine(names, values): sets the environment of this process and starts the engine in it.
napi_value Door::startEngine(napi_env env, napi_callback_info info) {
  Arguments arguments;
  Door* door = begin(env, info, 2, arguments);
  if (door == nullptr) return nullptr;
  if (door->engine_ != nullptr || door->closed_ || door->pinReadFd_ < 0) return throwError(env, "the door is closed or has its engine already");
  if (!setEnvironment(env, arguments.values[0], arguments.values[1])) return nullptr;
  const int doorbell = fcntl(door->completionFd_, F_DUPFD_CLOEXEC, 0);
  if (doorbell < 0) return throwError(env, "no descriptor is free for the engine: raise RLIMIT_NOFILE");
  door->engine_ = std::make_shared<Engine>(door->slab_, doorbell, door->pinReadFd_);
  door->pinReadFd_ = -1;
  try {
    door->engine_->start();
  } catch (const std::exception&) {
    door->engine_ = nullptr;
    return throwError(env, "no thread could be started for the engine: raise RLIMIT_NPROC or the limit of the control group");
  }
  return undefinedValue(env);
}

// listen(completed: Uint32Array, callback: (count) => void)
napi_value Door::listen(napi_env env, napi_callback_info info) {
  Arguments arguments;
  Door* door = begin(env, info, 2, arguments);
  if (door == nullptr) return nullptr;
  napi_typedarray_type type{};
  napi_valuetype callbackType{};
  size_t length = 0;
  void* data = nullptr;
  bool typed = false;
  napi_is_typedarray(env, arguments.values[0], &typed);
  if (typed) napi_get_typedarray_info(env, arguments.values[0], &type, &length, &data, nullptr, nullptr);
  napi_typeof(env, arguments.values[1], &callbackType);
  if (!typed || type != napi_uint32_array || length < kSlots || callbackType != napi_function) {
    napi_throw_type_error(env, nullptr, "listen takes a Uint32Array with room for every slot, and a function");
    return nullptr;
  }
  if (door->poll_ != nullptr || door->closed_) return throwError(env, "the door is closed or has its listener already");
  const int doorbell = fcntl(door->completionFd_, F_DUPFD_CLOEXEC, 0);
  if (doorbell < 0) return throwError(env, "no descriptor is free for the listener: raise RLIMIT_NOFILE");
  const auto delivered = [door] {
    for (auto& submissions : door->submissions_) submissions->ring();
  };
  door->poll_ = CompletionPoll::listen(env, door->slab_, doorbell, arguments.self, {arguments.values[0], static_cast<uint32_t*>(data)},
                                       arguments.values[1], delivered);
  return door->poll_ == nullptr ? throwError(env, "the event loop could not watch the doorbell") : undefinedValue(env);
}

// submit(threadClass, slot, quietly): `quietly` leaves it to a later `ring` to wake the threads.
napi_value Door::submit(napi_env env, napi_callback_info info) {
  Arguments arguments;
  uint32_t threadClass = 0;
  uint32_t slot = 0;
  bool quietly = false;
  Door* door = begin(env, info, 3, arguments);
  if (door == nullptr || !getU32(env, arguments.values[0], "threadClass", threadClass) || !getU32(env, arguments.values[1], "slot", slot)) {
    return nullptr;
  }
  if (napi_get_value_bool(env, arguments.values[2], &quietly) != napi_ok) {
    napi_throw_type_error(env, nullptr, "quietly must be a boolean");
    return nullptr;
  }
  if (threadClass >= kThreadClasses || slot >= kSlots) {
    napi_throw_type_error(env, nullptr, "no such thread class or slot");
    return nullptr;
  }
  if (door->closed_ || door->poll_ == nullptr) return throwError(env, "the door is closed or nobody listens");
  door->poll_->submitted();
  door->submissions_[threadClass]->push(slot);
  if (!quietly && !door->poll_->delivering()) door->submissions_[threadClass]->ring();
  return nullptr;
}

// ring(): wakes the threads for what was submitted quietly.
napi_value Door::ring(napi_env env, napi_callback_info info) {
  Arguments arguments;
  Door* door = begin(env, info, 0, arguments);
  if (door == nullptr || door->closed_) return undefinedValue(env);
  for (auto& submissions : door->submissions_) submissions->ring();
  return undefinedValue(env);
}

// wake(): looks for completions that the engine did not announce, because the call that it then began hangs.
napi_value Door::wake(napi_env env, napi_callback_info info) {
  Arguments arguments;
  Door* door = begin(env, info, 0, arguments);
  if (door == nullptr) return nullptr;
  const uint64_t one = 1;
  if (door->closed_ || write(door->completionFd_, &one, sizeof one) < 0) return undefinedValue(env);
  return undefinedValue(env);
}

// sendPin(sequence, pin: Uint8Array), before the login request of that sequence is submitted.
napi_value Door::sendPin(napi_env env, napi_callback_info info) {
  Arguments arguments;
  uint32_t sequence = 0;
  ByteView pin{};
  Door* door = begin(env, info, 2, arguments);
  if (door == nullptr || !getU32(env, arguments.values[0], "sequence", sequence) || !getBytes(env, arguments.values[1], "pin", pin)) return nullptr;
  if (pin.length > kPinBytesMax) {
    napi_throw_type_error(env, nullptr, "a PIN has at most 1,024 bytes");
    return nullptr;
  }
  if (door->closed_) return throwError(env, "the door is closed");
  if (::sendPin(door->pinWriteFd_, sequence, pin.data, static_cast<uint32_t>(pin.length)) != 0) return throwError(env, "the PIN could not be handed over");
  return undefinedValue(env);
}

// engineStopped(): true when the engine in this process has ended all its threads and the module.
napi_value Door::engineStopped(napi_env env, napi_callback_info info) {
  Arguments arguments;
  Door* door = begin(env, info, 0, arguments);
  if (door == nullptr) return nullptr;
  napi_value stopped = nullptr;
  napi_get_boolean(env, door->engine_ == nullptr || door->engine_->stopped(), &stopped);
  return stopped;
}

// close(): no more requests or callbacks, and nothing stays in the slab; may be repeated. The engine ends by itself; threads that are
// stuck are abandoned.
napi_value Door::close(napi_env env, napi_callback_info info) {
  Arguments arguments;
  Door* door = begin(env, info, 0, arguments);
  if (door == nullptr) return nullptr;
  door->slab_->header().closed.store(1);
  // Each time: a host that has ended since the last time may have left answers there.
  door->slab_->discardSlots();
  if (door->closed_) return undefinedValue(env);
  door->closed_ = true;
  door->closeDescriptor(door->pinReadFd_);
  door->closeDescriptor(door->pinWriteFd_);
  if (door->engine_ != nullptr) door->engine_->stop();
  if (door->poll_ != nullptr) door->poll_->close();
  door->poll_ = nullptr;
  return undefinedValue(env);
}

napi_status Door::define(napi_env env, napi_value exports) {
  const auto method = [](const char* name, napi_callback callback) {
    return napi_property_descriptor{name, nullptr, callback, nullptr, nullptr, nullptr, napi_default, nullptr};
  };
  const napi_property_descriptor methods[] = {
      method("memory", memory),     method("descriptors", descriptors),     method("handedOver", handedOver), method("startEngine", startEngine),
      method("listen", listen),     method("submit", submit),               method("sendPin", sendPin),       method("engineStopped", engineStopped),
      method("wake", wake),         method("close", close),               method("ring", ring),
  };
  napi_value constructor = nullptr;
  const napi_status status =
      napi_define_class(env, "Door", NAPI_AUTO_LENGTH, construct, nullptr, sizeof methods / sizeof methods[0], methods, &constructor);
  return status == napi_ok ? napi_set_named_property(env, exports, "Door", constructor) : status;
}

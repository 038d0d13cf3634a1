// A PKCS#11 module that forwards to the one named by SLOW_MODULE_TARGET and sleeps before calls that use a key: SLOW_MODULE_US
// microseconds each, *Init included. If the file named by SLOW_MODULE_SWITCH exists, each such call sleeps SLOW_MODULE_SWITCH_US instead: a
// token that hangs for a while. Imitates a network HSM.
#include <cstdlib>
#include <ctime>
#include <dlfcn.h>
#include <unistd.h>

#include "../cryptoki.h"

namespace {

CK_FUNCTION_LIST* target = nullptr;
CK_FUNCTION_LIST forwarding{};

long numberFrom(const char* name) {
  const char* text = getenv(name);
  return text == nullptr ? 0 : strtol(text, nullptr, 10);
}

void sleepMicroseconds(long microseconds) {
  timespec left{microseconds / 1000000, (microseconds % 1000000) * 1000};
  while (nanosleep(&left, &left) != 0) continue;
}

void delay() {
  const char* file = getenv("SLOW_MODULE_SWITCH");
  const long microseconds = numberFrom(file != nullptr && access(file, F_OK) == 0 ? "SLOW_MODULE_SWITCH_US" : "SLOW_MODULE_US");
  if (microseconds > 0) sleepMicroseconds(microseconds);
}

// Replaces one member of the list by a function that sleeps and forwards.
template <auto Member>
struct Slowed;

template <typename... Parameters, CK_RV (*CK_FUNCTION_LIST::*Member)(Parameters...)>
struct Slowed<Member> {
  static CK_RV call(Parameters... parameters) {
    delay();
    return (target->*Member)(parameters...);
  }
  static void install() {
    if (target->*Member != nullptr) forwarding.*Member = call;
  }
};

bool loadTarget() {
  const char* path = getenv("SLOW_MODULE_TARGET");
  void* library = path == nullptr ? nullptr : dlopen(path, RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) return false;
  const auto getList = reinterpret_cast<CK_RV (*)(CK_FUNCTION_LIST**)>(dlsym(library, "C_GetFunctionList"));
  if (getList == nullptr || getList(&target) != CKR_OK) return false;
  forwarding = *target;
  forwarding.version = {2, 40};
  Slowed<&CK_FUNCTION_LIST::C_EncryptInit>::install();
  Slowed<&CK_FUNCTION_LIST::C_Encrypt>::install();
  Slowed<&CK_FUNCTION_LIST::C_DecryptInit>::install();
  Slowed<&CK_FUNCTION_LIST::C_Decrypt>::install();
  Slowed<&CK_FUNCTION_LIST::C_SignInit>::install();
  Slowed<&CK_FUNCTION_LIST::C_Sign>::install();
  Slowed<&CK_FUNCTION_LIST::C_GenerateKey>::install();
  Slowed<&CK_FUNCTION_LIST::C_UnwrapKey>::install();
  Slowed<&CK_FUNCTION_LIST::C_DeriveKey>::install();
  Slowed<&CK_FUNCTION_LIST::C_GenerateRandom>::install();
  return true;
}

}  // namespace

extern "C" __attribute__((visibility("default"))) CK_RV C_GetFunctionList(CK_FUNCTION_LIST** list) {
  static const bool loaded = loadTarget();
  if (!loaded) return CKR_GENERAL_ERROR;
  *list = &forwarding;
  return CKR_OK;
}

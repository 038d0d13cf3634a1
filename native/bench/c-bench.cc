// Measures a PKCS#11 module from C: the ceiling that the addon and the service are compared with. One session per thread, each
// operation with its *Init.
//
//   c-bench --module PATH --label LABEL [--threads 1,2] [--seconds 1] [--operations NAME,...]     PIN on standard input
//
// Prints one JSON object: for each operation and number of threads, operations per second and CPU microseconds per operation (of all
// threads). An operation that the token cannot do is listed with the return value. Makes its own keys and destroys them.
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <dlfcn.h>
#include <functional>
#include <map>
#include <memory>
#include <sstream>
#include <string>
#include <sys/resource.h>
#include <thread>
#include <vector>

#include "../cryptoki.h"
#include "../wipe.h"

namespace {

constexpr CK_ULONG kKeyBytes = 32;
constexpr size_t kIvBytes = 12;
constexpr size_t kAadBytes = 64;
constexpr size_t kOutputSlack = 64;

const CK_FUNCTION_LIST* functions = nullptr;
CK_SLOT_ID slotId = 0;

struct Failure {
  const char* function;
  CK_RV returnValue;
};

void check(CK_RV rv, const char* function) {
  if (rv != CKR_OK) throw Failure{function, rv};
}

[[noreturn]] void stop(const std::string& why) {
  fprintf(stderr, "c-bench: %s\n", why.c_str());
  exit(1);
}

CK_SESSION_HANDLE openSession() {
  CK_SESSION_HANDLE session = 0;
  check(functions->C_OpenSession(slotId, CKF_RW_SESSION | CKF_SERIAL_SESSION, nullptr, nullptr, &session), "C_OpenSession");
  return session;
}

// A template under construction. Values live in the object.
class Attributes {
 public:
  Attributes& flag(CK_ATTRIBUTE_TYPE type, bool value) { return add(type, {static_cast<CK_BYTE>(value ? 1 : 0)}); }
  Attributes& number(CK_ATTRIBUTE_TYPE type, CK_ULONG value) {
    const auto* bytes = reinterpret_cast<const CK_BYTE*>(&value);
    return add(type, std::vector<CK_BYTE>(bytes, bytes + sizeof value));
  }
  Attributes& add(CK_ATTRIBUTE_TYPE type, std::vector<CK_BYTE> value) {
    values_.emplace_back(type, std::move(value));
    return *this;
  }
  std::vector<CK_ATTRIBUTE> list() {
    std::vector<CK_ATTRIBUTE> attributes;
    for (auto& [type, value] : values_) attributes.push_back({type, value.data(), value.size()});
    return attributes;
  }

 private:
  std::vector<std::pair<CK_ATTRIBUTE_TYPE, std::vector<CK_BYTE>>> values_;
};

Attributes secretKey(bool token) {
  return Attributes().flag(0x1, token).flag(0x2, true).flag(0x103, true).flag(0x162, false).number(0x161, kKeyBytes);
}

enum class Use : CK_ATTRIBUTE_TYPE { decrypt = 0x105, sign = 0x108, derive = 0x10c };

Attributes privateKey(bool token, Use use) {
  return Attributes().flag(0x1, token).flag(0x2, true).flag(0x103, true).flag(0x162, false).flag(static_cast<CK_ATTRIBUTE_TYPE>(use), true);
}

// DER of the curve's object identifier; edwards25519 goes by its name.
using CurveName = std::vector<CK_BYTE>;
const CurveName p256{0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07};
const CurveName p384{0x06, 0x05, 0x2b, 0x81, 0x04, 0x00, 0x22};
const CurveName ed25519{0x13, 0x0c, 'e', 'd', 'w', 'a', 'r', 'd', 's', '2', '5', '5', '1', '9'};

CK_OBJECT_HANDLE generate(CK_SESSION_HANDLE session, CK_MECHANISM_TYPE type, Attributes wanted) {
  CK_MECHANISM mechanism{type, nullptr, 0};
  CK_OBJECT_HANDLE key = 0;
  auto attributes = wanted.list();
  check(functions->C_GenerateKey(session, &mechanism, attributes.data(), attributes.size(), &key), "C_GenerateKey");
  return key;
}

// Keys that the operations use, made on first demand and destroyed at the end.
class Keys {
 public:
  explicit Keys(CK_SESSION_HANDLE session) : session_(session) {}

  CK_OBJECT_HANDLE aes(bool token) {
    return once(token ? "aes-token" : "aes-session", [&] { return generate(session_, 0x1080, secretKey(token).flag(0x104, true).flag(0x105, true)); });
  }
  CK_OBJECT_HANDLE hmac(bool token) {
    return once(token ? "hmac-token" : "hmac-session",
                [&] { return generate(session_, 0x350, secretKey(token).number(0x100, 0x10).flag(0x108, true)); });
  }
  CK_OBJECT_HANDLE rsa(bool token, CK_ULONG modulusBits, Use use) {
    const Attributes publicPart = Attributes().flag(0x1, token).number(0x121, modulusBits).add(0x122, {1, 0, 1});
    return once(nameOf("rsa", token, use) + std::to_string(modulusBits), [&] { return pair(0x0, publicPart, privateKey(token, use)); });
  }
  CK_OBJECT_HANDLE ec(bool token, const CurveName& curve, Use use) {
    const Attributes publicPart = Attributes().flag(0x1, token).add(0x180, curve);
    const CK_MECHANISM_TYPE type = curve == ed25519 ? 0x1055 : 0x1040;
    return once(nameOf("ec", token, use) + std::to_string(curve.back()), [&] { return pair(type, publicPart, privateKey(token, use)); });
  }
  void destroy() {
    for (CK_OBJECT_HANDLE object : objects_) functions->C_DestroyObject(session_, object);
  }

 private:
  CK_OBJECT_HANDLE once(const std::string& name, const std::function<CK_OBJECT_HANDLE()>& make) {
    const auto known = made_.find(name);
    if (known != made_.end()) return known->second;
    const CK_OBJECT_HANDLE key = make();
    objects_.push_back(key);
    return made_[name] = key;
  }
  static std::string nameOf(const char* kind, bool token, Use use) {
    return kind + std::to_string(static_cast<CK_ULONG>(use)) + (token ? "-token-" : "-session-");
  }
  CK_OBJECT_HANDLE pair(CK_MECHANISM_TYPE type, Attributes publicPart, Attributes secretPart) {
    CK_MECHANISM mechanism{type, nullptr, 0};
    CK_OBJECT_HANDLE publicKey = 0;
    CK_OBJECT_HANDLE secret = 0;
    auto publicList = publicPart.list();
    auto secretList = secretPart.list();
    check(functions->C_GenerateKeyPair(session_, &mechanism, publicList.data(), publicList.size(), secretList.data(), secretList.size(), &publicKey, &secret),
          "C_GenerateKeyPair");
    objects_.push_back(publicKey);
    return secret;
  }

  CK_SESSION_HANDLE session_;
  std::map<std::string, CK_OBJECT_HANDLE> made_;
  std::vector<CK_OBJECT_HANDLE> objects_;
};

// One operation on one session; called again and again by one thread.
using Step = std::function<void(CK_SESSION_HANDLE)>;

struct GcmState {
  CK_BYTE iv[kIvBytes]{};
  CK_BYTE aad[kAadBytes]{};
  CK_GCM_PARAMS params{iv, kIvBytes, kIvBytes * 8, aad, kAadBytes, 128};
  CK_MECHANISM mechanism{0x1087, &params, sizeof params};
  std::vector<CK_BYTE> data;
  std::vector<CK_BYTE> output;
};

std::shared_ptr<GcmState> gcmState(size_t dataBytes) {
  auto state = std::make_shared<GcmState>();
  state->data.resize(dataBytes);
  state->output.resize(dataBytes + kOutputSlack);
  return state;
}

CK_ULONG gcmEncrypt(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE key, GcmState& state) {
  CK_ULONG length = state.output.size();
  check(functions->C_EncryptInit(session, &state.mechanism, key), "C_EncryptInit");
  check(functions->C_Encrypt(session, state.data.data(), state.data.size(), state.output.data(), &length), "C_Encrypt");
  return length;
}

Step encryptStep(CK_OBJECT_HANDLE key, size_t dataBytes) {
  return [key, state = gcmState(dataBytes)](CK_SESSION_HANDLE session) { gcmEncrypt(session, key, *state); };
}

Step decryptStep(CK_OBJECT_HANDLE key, size_t dataBytes) {
  return [key, state = gcmState(dataBytes), sealed = std::vector<CK_BYTE>()](CK_SESSION_HANDLE session) mutable {
    if (sealed.empty()) {
      const CK_ULONG sealedBytes = gcmEncrypt(session, key, *state);
      sealed.assign(state->output.begin(), state->output.begin() + static_cast<long>(sealedBytes));
    }
    CK_ULONG length = state->output.size();
    check(functions->C_DecryptInit(session, &state->mechanism, key), "C_DecryptInit");
    check(functions->C_Decrypt(session, sealed.data(), sealed.size(), state->output.data(), &length), "C_Decrypt");
  };
}

// DigestInfo of SHA-256 (19 bytes) before the digest: what CKM_RSA_PKCS pads and signs.
constexpr CK_ULONG kDigestInfoBytes = 51;

Step signStep(CK_OBJECT_HANDLE key, CK_MECHANISM_TYPE type, CK_ULONG dataBytes, bool pss = false) {
  return [key, type, dataBytes, pss](CK_SESSION_HANDLE session) {
    CK_RSA_PKCS_PSS_PARAMS params{0x250, 2, 32};
    CK_MECHANISM mechanism{type, pss ? &params : nullptr, pss ? sizeof params : 0};
    CK_BYTE data[64]{};
    CK_BYTE signature[512];
    CK_ULONG length = sizeof signature;
    check(functions->C_SignInit(session, &mechanism, key), "C_SignInit");
    check(functions->C_Sign(session, data, dataBytes, signature, &length), "C_Sign");
  };
}

// RSA without padding: what OAEP is composed from where a token lacks it.
Step rawDecryptStep(CK_OBJECT_HANDLE key, CK_ULONG modulusBytes) {
  return [key, modulusBytes](CK_SESSION_HANDLE session) {
    CK_MECHANISM mechanism{0x3, nullptr, 0};
    std::vector<CK_BYTE> block(modulusBytes, 0x2a);
    block[0] = 0;
    std::vector<CK_BYTE> output(modulusBytes);
    CK_ULONG length = output.size();
    check(functions->C_DecryptInit(session, &mechanism, key), "C_DecryptInit");
    check(functions->C_Decrypt(session, block.data(), block.size(), output.data(), &length), "C_Decrypt");
  };
}

// The base point of P-256: a peer's public key that needs no second key pair (SEC 2, 2.4.2).
const CK_BYTE kP256BasePoint[] = {
    0x04, 0x6b, 0x17, 0xd1, 0xf2, 0xe1, 0x2c, 0x42, 0x47, 0xf8, 0xbc, 0xe6, 0xe5, 0x63, 0xa4, 0x40, 0xf2, 0x77, 0x03, 0x7d, 0x81, 0x2d,
    0xeb, 0x33, 0xa0, 0xf4, 0xa1, 0x39, 0x45, 0xd8, 0x98, 0xc2, 0x96, 0x4f, 0xe3, 0x42, 0xe2, 0xfe, 0x1a, 0x7f, 0x9b, 0x8e, 0xe7, 0xeb,
    0x4a, 0x7c, 0x0f, 0x9e, 0x16, 0x2b, 0xce, 0x33, 0x57, 0x6b, 0x31, 0x5e, 0xce, 0xcb, 0xb6, 0x40, 0x68, 0x37, 0xbf, 0x51, 0xf5};

// ECDH to a secret that is read and destroyed.
Step agreeStep(CK_OBJECT_HANDLE key) {
  return [key](CK_SESSION_HANDLE session) {
    CK_BYTE point[sizeof kP256BasePoint];
    memcpy(point, kP256BasePoint, sizeof point);
    CK_ECDH1_DERIVE_PARAMS params{1, 0, nullptr, sizeof point, point};
    CK_MECHANISM mechanism{0x1050, &params, sizeof params};
    Attributes wanted = Attributes().number(0x0, 4).number(0x100, 0x10).flag(0x1, false).flag(0x103, false).flag(0x162, true).number(0x161, 32);
    auto attributes = wanted.list();
    CK_OBJECT_HANDLE secret = 0;
    check(functions->C_DeriveKey(session, &mechanism, key, attributes.data(), attributes.size(), &secret), "C_DeriveKey");
    CK_BYTE value[32];
    CK_ATTRIBUTE read{0x11, value, sizeof value};
    check(functions->C_GetAttributeValue(session, secret, &read, 1), "C_GetAttributeValue");
    check(functions->C_DestroyObject(session, secret), "C_DestroyObject");
  };
}

void randomStep(CK_SESSION_HANDLE session) {
  CK_BYTE bytes[32];
  check(functions->C_GenerateRandom(session, bytes, sizeof bytes), "C_GenerateRandom");
}

struct Operation {
  std::string name;
  // A new Step for each thread: steps have state.
  std::function<Step()> make;
};

std::vector<Operation> operationsWith(Keys& keys) {
  std::vector<Operation> operations;
  for (const bool token : {true, false}) {
    for (const size_t bytes : {32, 1024, 4096}) {
      const std::string suffix = std::string(token ? "token" : "session") + "-" + std::to_string(bytes);
      operations.push_back({"gcm-encrypt-" + suffix, [&keys, token, bytes] { return encryptStep(keys.aes(token), bytes); }});
      operations.push_back({"gcm-decrypt-" + suffix, [&keys, token, bytes] { return decryptStep(keys.aes(token), bytes); }});
    }
  }
  for (const bool token : {true, false}) {
    const std::string suffix = token ? "-token" : "-session";
    const auto add = [&](const char* name, std::function<Step()> make) { operations.push_back({name + suffix, std::move(make)}); };
    add("rsa-2048-pkcs1-sign", [&keys, token] { return signStep(keys.rsa(token, 2048, Use::sign), 0x1, kDigestInfoBytes); });
    add("rsa-2048-pss-sign", [&keys, token] { return signStep(keys.rsa(token, 2048, Use::sign), 0xd, 32, true); });
    add("rsa-4096-pkcs1-sign", [&keys, token] { return signStep(keys.rsa(token, 4096, Use::sign), 0x1, kDigestInfoBytes); });
    add("rsa-2048-raw-decrypt", [&keys, token] { return rawDecryptStep(keys.rsa(token, 2048, Use::decrypt), 256); });
    add("ecdsa-p256-sign", [&keys, token] { return signStep(keys.ec(token, p256, Use::sign), 0x1041, 32); });
    add("ecdsa-p384-sign", [&keys, token] { return signStep(keys.ec(token, p384, Use::sign), 0x1041, 48); });
    add("ed25519-sign", [&keys, token] { return signStep(keys.ec(token, ed25519, Use::sign), 0x1057, 32); });
    add("ecdh-p256", [&keys, token] { return agreeStep(keys.ec(token, p256, Use::derive)); });
    add("hmac-sha256", [&keys, token] { return signStep(keys.hmac(token), 0x251, 32); });
  }
  operations.push_back({"random-32", [] { return Step(randomStep); }});
  return operations;
}

double cpuMicroseconds() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  const auto microseconds = [](const timeval& time) { return static_cast<double>(time.tv_sec) * 1e6 + static_cast<double>(time.tv_usec); };
  return microseconds(usage.ru_utime) + microseconds(usage.ru_stime);
}

struct Measured {
  double perSecond;
  double cpuUs;
};

// Each thread runs its step until the time is over; a failure ends the measurement and is thrown here.
Measured measure(const Operation& operation, const std::vector<CK_SESSION_HANDLE>& sessions, double seconds) {
  std::vector<Step> steps;
  for (CK_SESSION_HANDLE session : sessions) {
    steps.push_back(operation.make());
    steps.back()(session);
  }
  std::atomic<bool> running{true};
  std::atomic<uint64_t> total{0};
  std::atomic<bool> failed{false};
  Failure failure{};
  const auto startedAt = std::chrono::steady_clock::now();
  const double cpuBefore = cpuMicroseconds();
  std::vector<std::thread> threads;
  for (size_t i = 0; i < sessions.size(); ++i) {
    threads.emplace_back([&, i] {
      uint64_t count = 0;
      try {
        while (running.load(std::memory_order_relaxed)) {
          steps[i](sessions[i]);
          ++count;
        }
      } catch (const Failure& caught) {
        if (!failed.exchange(true)) failure = caught;
      }
      total += count;
    });
  }
  std::this_thread::sleep_for(std::chrono::duration<double>(seconds));
  running.store(false);
  for (std::thread& thread : threads) thread.join();
  if (failed.load()) throw failure;
  const double elapsed = std::chrono::duration<double>(std::chrono::steady_clock::now() - startedAt).count();
  const auto count = static_cast<double>(total.load());
  return {count / elapsed, (cpuMicroseconds() - cpuBefore) / count};
}

struct Options {
  std::string module;
  std::string label;
  std::string reserved;
  std::vector<int> threads{1};
  double seconds = 1;
  std::vector<std::string> operations;
};

std::vector<std::string> split(const std::string& text) {
  std::vector<std::string> parts;
  std::stringstream stream(text);
  for (std::string part; std::getline(stream, part, ',');) parts.push_back(part);
  return parts;
}

Options parse(int count, char** arguments) {
  Options options;
  for (int i = 1; i + 1 < count; i += 2) {
    const std::string name = arguments[i];
    const std::string value = arguments[i + 1];
    if (name == "--module") options.module = value;
    else if (name == "--label") options.label = value;
    else if (name == "--reserved") options.reserved = value;
    else if (name == "--seconds") options.seconds = atof(value.c_str());
    else if (name == "--operations") options.operations = split(value);
    else if (name == "--threads") {
      options.threads.clear();
      for (const std::string& part : split(value)) options.threads.push_back(atoi(part.c_str()));
    } else stop("unknown option " + name);
  }
  if (options.module.empty() || options.label.empty() || count % 2 == 0) {
    stop("usage: c-bench --module PATH --label LABEL [--reserved TEXT] [--threads 1,2] [--seconds 1] [--operations NAME,...] < pin");
  }
  for (const int threads : options.threads) {
    if (threads < 1 || threads > 512) stop("--threads takes numbers from 1 to 512");
  }
  return options;
}

void load(Options& options) {
  void* library = dlopen(options.module.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) stop(dlerror());
  const auto getList = reinterpret_cast<CK_RV (*)(const CK_FUNCTION_LIST**)>(dlsym(library, "C_GetFunctionList"));
  if (getList == nullptr || getList(&functions) != CKR_OK) stop("the library has no function list");
  CK_C_INITIALIZE_ARGS arguments{};
  arguments.flags = CKF_OS_LOCKING_OK;
  if (!options.reserved.empty()) arguments.pReserved = options.reserved.data();
  check(functions->C_Initialize(&arguments), "C_Initialize");
}

void findSlot(const std::string& label) {
  CK_ULONG count = 0;
  check(functions->C_GetSlotList(1, nullptr, &count), "C_GetSlotList");
  std::vector<CK_SLOT_ID> slots(count);
  check(functions->C_GetSlotList(1, slots.data(), &count), "C_GetSlotList");
  for (CK_ULONG i = 0; i < count && i < slots.size(); ++i) {
    CK_TOKEN_INFO info{};
    if (functions->C_GetTokenInfo(slots[i], &info) != CKR_OK) continue;
    std::string found(reinterpret_cast<char*>(info.label), sizeof info.label);
    found.resize(found.find_last_not_of(' ') + 1);
    if (found != label) continue;
    slotId = slots[i];
    return;
  }
  stop("no token has the label " + label);
}

void login(CK_SESSION_HANDLE session) {
  CK_BYTE pin[1024];
  size_t length = fread(pin, 1, sizeof pin, stdin);
  while (length > 0 && (pin[length - 1] == '\n' || pin[length - 1] == '\r')) --length;
  const CK_RV rv = functions->C_Login(session, CKU_USER, pin, length);
  wipe(pin, sizeof pin);
  check(rv, "C_Login");
}

bool isWanted(const Options& options, const std::string& name) {
  if (options.operations.empty()) return true;
  for (const std::string& wanted : options.operations) {
    if (wanted == name) return true;
  }
  return false;
}

void report(const Options& options, Keys& keys, const std::vector<CK_SESSION_HANDLE>& sessions) {
  printf("{\"results\":[");
  bool first = true;
  for (const Operation& operation : operationsWith(keys)) {
    if (!isWanted(options, operation.name)) continue;
    for (const int threads : options.threads) {
      printf("%s\n  {\"operation\":\"%s\",\"threads\":%d,", first ? "" : ",", operation.name.c_str(), threads);
      first = false;
      try {
        const Measured measured = measure(operation, {sessions.begin(), sessions.begin() + threads}, options.seconds);
        printf("\"perSecond\":%.0f,\"cpuMicroseconds\":%.3f}", measured.perSecond, measured.cpuUs);
      } catch (const Failure& failure) {
        printf("\"failedFunction\":\"%s\",\"returnValue\":%lu}", failure.function, failure.returnValue);
      }
      fflush(stdout);
    }
  }
  printf("\n]}\n");
}

}  // namespace

int main(int count, char** arguments) {
  Options options = parse(count, arguments);
  try {
    load(options);
    findSlot(options.label);
    int most = 1;
    for (const int threads : options.threads) most = threads > most ? threads : most;
    std::vector<CK_SESSION_HANDLE> sessions;
    for (int i = 0; i < most; ++i) sessions.push_back(openSession());
    login(sessions[0]);
    // Keys are made in a session of their own, so that the measured ones do nothing else.
    const CK_SESSION_HANDLE keySession = openSession();
    Keys keys(keySession);
    report(options, keys, sessions);
    keys.destroy();
    functions->C_Finalize(nullptr);
  } catch (const Failure& failure) {
    stop(std::string(failure.function) + " returned " + std::to_string(failure.returnValue));
  }
  return 0;
}

// Values between JavaScript and C++: every getter checks the type and throws a TypeError that names the argument.
#ifndef HSM_KMS_JS_VALUES_H
#define HSM_KMS_JS_VALUES_H

#include <cstddef>
#include <cstdint>
#include <node_api.h>
#include <string>

struct ByteView {
  const uint8_t* data;
  size_t length;
};

// Reads the arguments and `this` of a call.
struct Arguments {
  static constexpr size_t kMost = 3;
  napi_value values[kMost];
  napi_value self;
  size_t count;
};

// Each returns false after throwing.
bool getArguments(napi_env env, napi_callback_info info, size_t expected, Arguments& arguments);
bool getU32(napi_env env, napi_value value, const char* name, uint32_t& number);
bool getBytes(napi_env env, napi_value value, const char* name, ByteView& bytes);
bool getString(napi_env env, napi_value value, const char* name, std::string& text);

napi_value throwError(napi_env env, const char* message);
napi_value undefinedValue(napi_env env);
napi_value numberValue(napi_env env, uint32_t number);

#endif

// Checked conversions.
#include "js-values.h"

namespace {

bool throwType(napi_env env, const char* name, const char* expected) {
  const std::string message = std::string(name) + " must be " + expected;
  napi_throw_type_error(env, nullptr, message.c_str());
  return false;
}

}  // namespace

bool getArguments(napi_env env, napi_callback_info info, size_t expected, Arguments& arguments) {
  arguments.count = Arguments::kMost;
  if (napi_get_cb_info(env, info, &arguments.count, arguments.values, &arguments.self, nullptr) != napi_ok) return false;
  if (arguments.count == expected) return true;
  napi_throw_type_error(env, nullptr, "wrong number of arguments");
  return false;
}

bool getU32(napi_env env, napi_value value, const char* name, uint32_t& number) {
  double given = 0;
  if (napi_get_value_double(env, value, &given) != napi_ok || !(given >= 0 && given <= 4294967295.0) ||
      given != static_cast<double>(static_cast<uint32_t>(given))) {
    return throwType(env, name, "an unsigned 32-bit integer");
  }
  number = static_cast<uint32_t>(given);
  return true;
}

bool getBytes(napi_env env, napi_value value, const char* name, ByteView& bytes) {
  bool typed = false;
  napi_typedarray_type type{};
  void* data = nullptr;
  size_t length = 0;
  napi_is_typedarray(env, value, &typed);
  if (!typed || napi_get_typedarray_info(env, value, &type, &length, &data, nullptr, nullptr) != napi_ok || type != napi_uint8_array) {
    return throwType(env, name, "a Uint8Array");
  }
  bytes = {static_cast<const uint8_t*>(data), length};
  return true;
}

bool getString(napi_env env, napi_value value, const char* name, std::string& text) {
  size_t length = 0;
  if (napi_get_value_string_utf8(env, value, nullptr, 0, &length) != napi_ok) return throwType(env, name, "a string");
  text.resize(length + 1);
  napi_get_value_string_utf8(env, value, text.data(), text.size(), &length);
  text.resize(length);
  if (text.find('\0') != std::string::npos) return throwType(env, name, "a string without NUL");
  return true;
}

napi_value throwError(napi_env env, const char* message) {
  napi_throw_error(env, nullptr, message);
  return nullptr;
}

napi_value undefinedValue(napi_env env) {
  napi_value value = nullptr;
  napi_get_undefined(env, &value);
  return value;
}

napi_value numberValue(napi_env env, uint32_t number) {
  napi_value value = nullptr;
  napi_create_uint32(env, number, &value);
  return value;
}

// Mechanism parameters: from the request's layout to the structures of the PKCS#11 mechanism specifications.
#include "decoder.h"

namespace {

constexpr size_t kAesBlockBytes = 16;

// A parameter structure in the arena, made the parameter of the mechanism. Fails the reader when there is no room.
template <typename T>
T* parameter(Reader& reader, Arena& arena, CK_MECHANISM& mechanism) {
  T* made = arena.allocate<T>(1);
  if (made == nullptr) {
    reader.fail();
    return nullptr;
  }
  mechanism.pParameter = made;
  mechanism.ulParameterLen = sizeof(T);
  return made;
}

// Empty bytes become NULL, as the standard wants for absent optional data.
CK_BYTE* orNull(const Bytes& bytes) { return bytes.length == 0 ? nullptr : bytes.data; }

void decodeBytes(Reader& reader, CK_MECHANISM& mechanism) {
  const Bytes bytes = reader.bytes();
  mechanism.pParameter = orNull(bytes);
  mechanism.ulParameterLen = bytes.length;
}

void decodeCounter(Reader& reader, CK_AES_CTR_PARAMS& params) {
  params.ulCounterBits = reader.u32();
  const Bytes block = reader.bytes();
  if (block.length != kAesBlockBytes) return reader.fail();
  memcpy(params.cb, block.data, kAesBlockBytes);
}

void decodeGcm(Reader& reader, CK_GCM_PARAMS& params, DecodedMechanism& decoded) {
  const uint32_t source = reader.u32();
  params.ulTagBits = reader.u32();
  decoded.iv = reader.bytes();
  const Bytes aad = reader.bytes();
  if (source > static_cast<uint32_t>(GcmIvSource::kTokenAppended) || params.ulTagBits > 128 || params.ulTagBits % 8 != 0) return reader.fail();
  decoded.isGcm = true;
  decoded.ivSource = static_cast<GcmIvSource>(source);
  params.pAAD = orNull(aad);
  params.ulAADLen = aad.length;
  if (decoded.ivSource == GcmIvSource::kTokenAppended) return;
  params.pIv = orNull(decoded.iv);
  params.ulIvLen = decoded.iv.length;
  params.ulIvBits = decoded.iv.length * 8;
}

void decodeOaep(Reader& reader, CK_RSA_PKCS_OAEP_PARAMS& params) {
  params.hashAlg = reader.u64();
  params.mgf = reader.u64();
  const Bytes label = reader.bytes();
  params.source = CKZ_DATA_SPECIFIED;
  params.pSourceData = orNull(label);
  params.ulSourceDataLen = label.length;
}

void decodePss(Reader& reader, CK_RSA_PKCS_PSS_PARAMS& params) {
  params.hashAlg = reader.u64();
  params.mgf = reader.u64();
  params.sLen = reader.u64();
}

void decodeRsaAesWrap(Reader& reader, Arena& arena, CK_RSA_AES_KEY_WRAP_PARAMS& params) {
  params.ulAESKeyBits = reader.u64();
  params.pOAEPParams = arena.allocate<CK_RSA_PKCS_OAEP_PARAMS>(1);
  if (params.pOAEPParams == nullptr) return reader.fail();
  decodeOaep(reader, *params.pOAEPParams);
}

void decodeStringData(Reader& reader, CK_KEY_DERIVATION_STRING_DATA& params) {
  const Bytes data = reader.bytes();
  params.pData = data.data;
  params.ulLen = data.length;
}

void decodeCbcEncryptData(Reader& reader, CK_AES_CBC_ENCRYPT_DATA_PARAMS& params) {
  const Bytes iv = reader.bytes();
  const Bytes data = reader.bytes();
  if (iv.length != kAesBlockBytes) return reader.fail();
  memcpy(params.iv, iv.data, kAesBlockBytes);
  params.pData = data.data;
  params.length = data.length;
}

void decodeEcdh1(Reader& reader, CK_ECDH1_DERIVE_PARAMS& params) {
  params.kdf = reader.u64();
  const Bytes point = reader.bytes();
  const Bytes shared = reader.bytes();
  params.pPublicData = point.data;
  params.ulPublicDataLen = point.length;
  params.pSharedData = orNull(shared);
  params.ulSharedDataLen = shared.length;
}

void decodeEddsa(Reader& reader, CK_EDDSA_PARAMS& params) {
  params.phFlag = reader.u32() != 0;
  const Bytes context = reader.bytes();
  params.pContextData = orNull(context);
  params.ulContextDataLen = context.length;
}

void decodeHkdf(Reader& reader, CK_HKDF_PARAMS& params) {
  params.bExtract = reader.u32() != 0;
  params.bExpand = reader.u32() != 0;
  params.prfHashMechanism = reader.u64();
  const Bytes salt = reader.bytes();
  const Bytes info = reader.bytes();
  params.ulSaltType = salt.length == 0 ? CKF_HKDF_SALT_NULL : CKF_HKDF_SALT_DATA;
  params.pSalt = orNull(salt);
  params.ulSaltLen = salt.length;
  params.pInfo = orNull(info);
  params.ulInfoLen = info.length;
}

void decodeSp800108(Reader& reader, Arena& arena, CK_SP800_108_KDF_PARAMS& params) {
  params.prfType = reader.u64();
  const uint32_t counterBits = reader.u32();
  const Bytes fixedInput = reader.bytes();
  auto* counter = arena.allocate<CK_SP800_108_COUNTER_FORMAT>(1);
  auto* fields = arena.allocate<CK_PRF_DATA_PARAM>(2);
  if (counter == nullptr || fields == nullptr) return reader.fail();
  counter->ulWidthInBits = counterBits;
  fields[0] = {CK_SP800_108_ITERATION_VARIABLE, counter, sizeof *counter};
  fields[1] = {CK_SP800_108_BYTE_ARRAY, fixedInput.data, fixedInput.length};
  params.pDataParams = fields;
  params.ulNumberOfDataParams = 2;
}

template <typename T, typename Decode>
void decodeInto(Reader& reader, Arena& arena, CK_MECHANISM& mechanism, Decode decode) {
  T* params = parameter<T>(reader, arena, mechanism);
  if (params != nullptr) decode(*params);
}

void decodeParameter(Reader& reader, Arena& arena, DecodedMechanism& decoded) {
  CK_MECHANISM& mechanism = decoded.mechanism;
  switch (static_cast<ParameterLayout>(reader.u32())) {
    case ParameterLayout::kNone:
      return;
    case ParameterLayout::kBytes:
      return decodeBytes(reader, mechanism);
    case ParameterLayout::kCounter:
      return decodeInto<CK_AES_CTR_PARAMS>(reader, arena, mechanism, [&](auto& params) { decodeCounter(reader, params); });
    case ParameterLayout::kGcm:
      return decodeInto<CK_GCM_PARAMS>(reader, arena, mechanism, [&](auto& params) { decodeGcm(reader, params, decoded); });
    case ParameterLayout::kOaep:
      return decodeInto<CK_RSA_PKCS_OAEP_PARAMS>(reader, arena, mechanism, [&](auto& params) { decodeOaep(reader, params); });
    case ParameterLayout::kPss:
      return decodeInto<CK_RSA_PKCS_PSS_PARAMS>(reader, arena, mechanism, [&](auto& params) { decodePss(reader, params); });
    case ParameterLayout::kRsaAesWrap:
      return decodeInto<CK_RSA_AES_KEY_WRAP_PARAMS>(reader, arena, mechanism, [&](auto& params) { decodeRsaAesWrap(reader, arena, params); });
    case ParameterLayout::kStringData:
      return decodeInto<CK_KEY_DERIVATION_STRING_DATA>(reader, arena, mechanism, [&](auto& params) { decodeStringData(reader, params); });
    case ParameterLayout::kCbcEncryptData:
      return decodeInto<CK_AES_CBC_ENCRYPT_DATA_PARAMS>(reader, arena, mechanism, [&](auto& params) { decodeCbcEncryptData(reader, params); });
    case ParameterLayout::kEcdh1:
      return decodeInto<CK_ECDH1_DERIVE_PARAMS>(reader, arena, mechanism, [&](auto& params) { decodeEcdh1(reader, params); });
    case ParameterLayout::kEddsa:
      return decodeInto<CK_EDDSA_PARAMS>(reader, arena, mechanism, [&](auto& params) { decodeEddsa(reader, params); });
    case ParameterLayout::kHkdf:
      return decodeInto<CK_HKDF_PARAMS>(reader, arena, mechanism, [&](auto& params) { decodeHkdf(reader, params); });
    case ParameterLayout::kSp800108Counter:
      return decodeInto<CK_SP800_108_KDF_PARAMS>(reader, arena, mechanism, [&](auto& params) { decodeSp800108(reader, arena, params); });
  }
  reader.fail();
}

}  // namespace

bool decodeMechanism(Reader& reader, Arena& arena, DecodedMechanism& decoded) {
  decoded = {};
  decoded.mechanism.mechanism = reader.u64();
  decodeParameter(reader, arena, decoded);
  return !reader.failed();
}

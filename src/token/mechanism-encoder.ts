/**
 * Mechanisms of a request: number, layout of the parameter, parameter, as `native/decode-mechanism.cc` reads them. One function
 * for each mechanism that has a parameter. Wrong types and lengths are TypeErrors.
 */
import { HASH_NUMBERS, KDF_NUMBERS, MECHANISM_NUMBERS, MGF_NUMBERS } from './cryptoki-numbers.ts';
import type { StandardMechanismName } from './cryptoki-numbers.ts';
import type { GcmIvSource, HashName, Mechanism } from './mechanism.ts';
import { checkedBytes, checkedFlag, checkedInteger, checkedName } from './request-writer.ts';
import type { RequestWriter } from './request-writer.ts';

/** Parameter layouts of `native/decoder.h`. */
const LAYOUT = {
  none: 0,
  bytes: 1,
  counter: 2,
  gcm: 3,
  oaep: 4,
  pss: 5,
  rsaAesWrap: 6,
  stringData: 7,
  cbcEncryptData: 8,
  ecdh1: 9,
  eddsa: 10,
  hkdf: 11,
  sp800108: 12,
};

const GCM_IV_SOURCES: Readonly<Record<GcmIvSource, number>> = { supplied: 0, 'token-zeroed': 1, 'token-appended': 2 };
const GCM_IV_BYTES_MAX = 64;
const AES_BLOCK_BYTES = 16;
const AES_BITS: readonly number[] = [128, 192, 256];
const COUNTER_BITS: readonly number[] = [8, 16, 24, 32];
const PSS_SALT_BYTES_MAX = 512;
const NO_BYTES = new Uint8Array(0);

type Named<Name> = Mechanism & { readonly name: Name };
type ParameterWriters = { readonly [Name in StandardMechanismName]?: (writer: RequestWriter, mechanism: Named<Name>) => void };

/** Mechanisms that are not here have no parameter. */
const PARAMETER_WRITERS: ParameterWriters = {
  AES_CBC: writeIv,
  AES_CBC_PAD: writeIv,
  AES_CTR: writeCounter,
  AES_GCM: writeGcm,
  AES_KEY_WRAP: (writer, { iv }) => writeOptionalBytes(writer, iv, 'mechanism.iv'),
  AES_KEY_WRAP_PAD: (writer, { iv }) => writeOptionalBytes(writer, iv, 'mechanism.iv'),
  AES_KEY_WRAP_KWP: (writer, { iv }) => writeOptionalBytes(writer, iv, 'mechanism.iv'),
  AES_CBC_ENCRYPT_DATA: writeCbcEncryptData,
  AES_ECB_ENCRYPT_DATA: writeStringData,
  RSA_PKCS_OAEP: writeOaepParameter,
  RSA_AES_KEY_WRAP: writeRsaAesWrap,
  RSA_PKCS_PSS: writePss,
  SHA256_RSA_PKCS_PSS: writePss,
  SHA384_RSA_PKCS_PSS: writePss,
  SHA512_RSA_PKCS_PSS: writePss,
  ECDH1_DERIVE: writeEcdh1,
  EDDSA: writeEddsa,
  HKDF_DERIVE: writeHkdf,
  SP800_108_COUNTER_KDF: writeSp800108,
};

/** Writes a mechanism: number, layout of its parameter, parameter. */
export function writeMechanism(writer: RequestWriter, mechanism: Mechanism): void {
  if (typeof mechanism !== 'object' || mechanism === null) throw new TypeError('mechanism must be an object with a name');
  if (mechanism.name === 'VENDOR') {
    writeVendor(writer, mechanism);
    return;
  }
  writer.u64(checkedName(MECHANISM_NUMBERS, mechanism.name, 'mechanism.name'));
  const writeParameter = PARAMETER_WRITERS[mechanism.name] as ((writer: RequestWriter, mechanism: Mechanism) => void) | undefined;
  if (writeParameter === undefined) writer.u32(LAYOUT.none);
  else writeParameter(writer, mechanism);
}

function writeVendor(writer: RequestWriter, { number, parameter }: Named<'VENDOR'>): void {
  if (typeof number !== 'bigint' || number < 0n || number >= 2n ** 64n) throw new TypeError('mechanism.number must be a bigint of 64 bits');
  writer.bigint(number);
  writeOptionalBytes(writer, parameter, 'mechanism.parameter');
}

function writeOptionalBytes(writer: RequestWriter, bytes: Uint8Array | undefined, name: string): void {
  if (bytes === undefined) {
    writer.u32(LAYOUT.none);
    return;
  }
  writer.u32(LAYOUT.bytes);
  writer.bytes(checkedBytes(bytes, name));
}

function writeIv(writer: RequestWriter, { iv }: { readonly iv: Uint8Array }): void {
  writer.u32(LAYOUT.bytes);
  writer.bytes(checkedBytes(iv, 'mechanism.iv', AES_BLOCK_BYTES));
}

function writeCounter(writer: RequestWriter, { counterBits, counterBlock }: Named<'AES_CTR'>): void {
  writer.u32(LAYOUT.counter);
  writer.u32(checkedInteger(counterBits, 'mechanism.counterBits', 128));
  writer.bytes(checkedBytes(counterBlock, 'mechanism.counterBlock', AES_BLOCK_BYTES));
}

function writeGcm(writer: RequestWriter, { iv, aad, tagBits, ivSource }: Named<'AES_GCM'>): void {
  checkedBytes(iv, 'mechanism.iv');
  if (iv.length === 0 || iv.length > GCM_IV_BYTES_MAX) throw new TypeError(`mechanism.iv must have 1 to ${GCM_IV_BYTES_MAX} bytes`);
  if (tagBits !== 128) throw new TypeError('mechanism.tagBits must be 128');
  writer.u32(LAYOUT.gcm);
  writer.u32(checkedName(GCM_IV_SOURCES, ivSource, 'mechanism.ivSource'));
  writer.u32(tagBits);
  writer.bytes(iv);
  writer.bytes(checkedBytes(aad, 'mechanism.aad'));
}

function writeStringData(writer: RequestWriter, { data }: Named<'AES_ECB_ENCRYPT_DATA'>): void {
  writer.u32(LAYOUT.stringData);
  writer.bytes(checkedBytes(data, 'mechanism.data'));
}

function writeCbcEncryptData(writer: RequestWriter, { iv, data }: Named<'AES_CBC_ENCRYPT_DATA'>): void {
  writer.u32(LAYOUT.cbcEncryptData);
  writer.bytes(checkedBytes(iv, 'mechanism.iv', AES_BLOCK_BYTES));
  writer.bytes(checkedBytes(data, 'mechanism.data'));
}

function writeOaepParameter(writer: RequestWriter, { hash, label }: Named<'RSA_PKCS_OAEP'>): void {
  writer.u32(LAYOUT.oaep);
  writeOaep(writer, hash, label);
}

function writeRsaAesWrap(writer: RequestWriter, { aesBits, hash }: Named<'RSA_AES_KEY_WRAP'>): void {
  if (!AES_BITS.includes(aesBits)) throw new TypeError('mechanism.aesBits must be 128, 192 or 256');
  writer.u32(LAYOUT.rsaAesWrap);
  writer.u64(aesBits);
  writeOaep(writer, hash, undefined);
}

function writeOaep(writer: RequestWriter, hash: unknown, label: Uint8Array | undefined): void {
  writer.u64(checkedName(HASH_NUMBERS, hash, 'mechanism.hash'));
  writer.u64(checkedName(MGF_NUMBERS, hash, 'mechanism.hash'));
  writer.bytes(checkedBytes(label ?? NO_BYTES, 'mechanism.label'));
}

function writePss(writer: RequestWriter, { hash, saltBytes }: { readonly hash: HashName; readonly saltBytes: number }): void {
  writer.u32(LAYOUT.pss);
  writer.u64(checkedName(HASH_NUMBERS, hash, 'mechanism.hash'));
  writer.u64(checkedName(MGF_NUMBERS, hash, 'mechanism.hash'));
  writer.u64(checkedInteger(saltBytes, 'mechanism.saltBytes', PSS_SALT_BYTES_MAX));
}

function writeEcdh1(writer: RequestWriter, { kdf, publicPoint, sharedData }: Named<'ECDH1_DERIVE'>): void {
  writer.u32(LAYOUT.ecdh1);
  writer.u64(checkedName(KDF_NUMBERS, kdf, 'mechanism.kdf'));
  writer.bytes(checkedBytes(publicPoint, 'mechanism.publicPoint'));
  writer.bytes(checkedBytes(sharedData ?? NO_BYTES, 'mechanism.sharedData'));
}

/** Without prehash and context EdDSA takes no parameter (PKCS#11 v3.0, section 2.3.12); some modules refuse an empty one. */
function writeEddsa(writer: RequestWriter, { prehash, context }: Named<'EDDSA'>): void {
  if (prehash === undefined && context === undefined) {
    writer.u32(LAYOUT.none);
    return;
  }
  writer.u32(LAYOUT.eddsa);
  writer.flag(checkedFlag(prehash ?? false, 'mechanism.prehash'));
  writer.bytes(checkedBytes(context ?? NO_BYTES, 'mechanism.context'));
}

function writeHkdf(writer: RequestWriter, { extract, expand, hash, salt, info }: Named<'HKDF_DERIVE'>): void {
  writer.u32(LAYOUT.hkdf);
  writer.flag(checkedFlag(extract, 'mechanism.extract'));
  writer.flag(checkedFlag(expand, 'mechanism.expand'));
  writer.u64(checkedName(HASH_NUMBERS, hash, 'mechanism.hash'));
  writer.bytes(checkedBytes(salt, 'mechanism.salt'));
  writer.bytes(checkedBytes(info, 'mechanism.info'));
}

function writeSp800108(writer: RequestWriter, { prf, counterBits, fixedInput }: Named<'SP800_108_COUNTER_KDF'>): void {
  if (!COUNTER_BITS.includes(counterBits)) throw new TypeError('mechanism.counterBits must be 8, 16, 24 or 32');
  writer.u32(LAYOUT.sp800108);
  writer.u64(checkedName(MECHANISM_NUMBERS, prf, 'mechanism.prf'));
  writer.u32(counterBits);
  writer.bytes(checkedBytes(fixedInput, 'mechanism.fixedInput'));
}

/**
 * Requests of the door: mechanisms, templates and lists of attributes from their names to the layouts that the native engine
 * decodes (`native/decoder.h`, `native/calls.h`). Wrong types and lengths are TypeErrors.
 */
import type { ObjectHandle } from './cryptoki.ts';
import type { AttributeKind } from './cryptoki-numbers.ts';
import {
  ATTRIBUTES,
  CLASS_NUMBERS,
  HASH_NUMBERS,
  KDF_NUMBERS,
  KEY_TYPE_NUMBERS,
  MECHANISM_NUMBERS,
  MGF_NUMBERS,
} from './cryptoki-numbers.ts';
import type { AttributeName, GcmIvSource, Mechanism, Template } from './mechanism.ts';
import { checkedBytes, checkedFlag, checkedInteger, checkedName, checkedText } from './request-writer.ts';
import type { RequestWriter } from './request-writer.ts';

/** Operation numbers; the same as in `native/calls.h`. */
export const OPERATIONS = {
  ping: 1,
  load: 2,
  slots: 3,
  mechanisms: 4,
  openSessions: 5,
  login: 6,
  logout: 7,
  reopenSessions: 8,
  closeAllSessions: 9,
  sessionState: 10,
  finalize: 11,
  encrypt: 12,
  decrypt: 13,
  sign: 14,
  verify: 15,
  generateKey: 16,
  generateKeyPair: 17,
  wrapKey: 18,
  unwrapKey: 19,
  deriveKey: 20,
  createObject: 21,
  copyObject: 22,
  setAttributes: 23,
  getAttributes: 24,
  destroyObject: 25,
  findObjects: 26,
  random: 27,
  readObjects: 28,
} as const;

export type OperationName = keyof typeof OPERATIONS;

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

/** Value kinds of `native/decoder.h`. */
const VALUE_KINDS: Readonly<Record<AttributeKind, number>> = {
  bool: 0,
  ulong: 1,
  class: 1,
  keyType: 1,
  bytes: 2,
  text: 2,
  mechanisms: 3,
  template: 4,
};

const GCM_IV_SOURCES: Readonly<Record<GcmIvSource, number>> = { supplied: 0, 'token-zeroed': 1, 'token-appended': 2 };

const ATTRIBUTES_MAX = 64;
const TEMPLATE_DEPTH_MAX = 2;
const MECHANISMS_MAX = 256;
const U32_MAX = 0xffff_ffff;
const AES_BLOCK_BYTES = 16;
const GCM_IV_BYTES_MAX = 64;
const COUNTER_BITS: readonly number[] = [8, 16, 24, 32];
const NO_BYTES = new Uint8Array(0);

/** Writes a mechanism: number, layout of its parameter, parameter. */
export function writeMechanism(writer: RequestWriter, mechanism: Mechanism): void {
  if (typeof mechanism !== 'object' || mechanism === null) throw new TypeError('mechanism must be an object with a name');
  if (mechanism.name === 'VENDOR') {
    if (typeof mechanism.number !== 'bigint' || mechanism.number < 0n || mechanism.number >= 2n ** 64n)
      throw new TypeError('mechanism.number must be a bigint of 64 bits');
    writer.bigint(mechanism.number);
    writeOptionalBytes(writer, mechanism.parameter, 'mechanism.parameter');
    return;
  }
  writer.u64(checkedName(MECHANISM_NUMBERS, mechanism.name, 'mechanism.name'));
  writeParameter(writer, mechanism);
}

function writeParameter(writer: RequestWriter, mechanism: Exclude<Mechanism, { name: 'VENDOR' }>): void {
  switch (mechanism.name) {
    case 'AES_CBC':
    case 'AES_CBC_PAD':
      writer.u32(LAYOUT.bytes);
      writer.bytes(checkedBytes(mechanism.iv, 'mechanism.iv', AES_BLOCK_BYTES));
      return;
    case 'AES_KEY_WRAP':
    case 'AES_KEY_WRAP_PAD':
    case 'AES_KEY_WRAP_KWP':
      writeOptionalBytes(writer, mechanism.iv, 'mechanism.iv');
      return;
    case 'AES_GCM':
      writeGcm(writer, mechanism);
      return;
    case 'AES_CTR':
      writer.u32(LAYOUT.counter);
      writer.u32(checkedInteger(mechanism.counterBits, 'mechanism.counterBits', 128));
      writer.bytes(checkedBytes(mechanism.counterBlock, 'mechanism.counterBlock', AES_BLOCK_BYTES));
      return;
    case 'RSA_PKCS_OAEP':
      writer.u32(LAYOUT.oaep);
      writeOaep(writer, mechanism.hash, mechanism.label);
      return;
    case 'RSA_AES_KEY_WRAP':
      writer.u32(LAYOUT.rsaAesWrap);
      writer.u64(checkedInteger(mechanism.aesBits, 'mechanism.aesBits', 256));
      writeOaep(writer, mechanism.hash, undefined);
      return;
    case 'RSA_PKCS_PSS':
    case 'SHA256_RSA_PKCS_PSS':
    case 'SHA384_RSA_PKCS_PSS':
    case 'SHA512_RSA_PKCS_PSS':
      writer.u32(LAYOUT.pss);
      writer.u64(checkedName(HASH_NUMBERS, mechanism.hash, 'mechanism.hash'));
      writer.u64(checkedName(MGF_NUMBERS, mechanism.hash, 'mechanism.hash'));
      writer.u64(checkedInteger(mechanism.saltBytes, 'mechanism.saltBytes', 512));
      return;
    case 'EDDSA':
      writeEddsa(writer, mechanism);
      return;
    case 'AES_CBC_ENCRYPT_DATA':
    case 'AES_ECB_ENCRYPT_DATA':
    case 'ECDH1_DERIVE':
    case 'HKDF_DERIVE':
    case 'SP800_108_COUNTER_KDF':
      writeDerivation(writer, mechanism);
      return;
    default:
      writer.u32(LAYOUT.none);
  }
}

type Derivation = Extract<
  Mechanism,
  { name: 'AES_CBC_ENCRYPT_DATA' | 'AES_ECB_ENCRYPT_DATA' | 'ECDH1_DERIVE' | 'HKDF_DERIVE' | 'SP800_108_COUNTER_KDF' }
>;

function writeDerivation(writer: RequestWriter, mechanism: Derivation): void {
  switch (mechanism.name) {
    case 'AES_CBC_ENCRYPT_DATA':
      writer.u32(LAYOUT.cbcEncryptData);
      writer.bytes(checkedBytes(mechanism.iv, 'mechanism.iv', AES_BLOCK_BYTES));
      writer.bytes(checkedBytes(mechanism.data, 'mechanism.data'));
      return;
    case 'AES_ECB_ENCRYPT_DATA':
      writer.u32(LAYOUT.stringData);
      writer.bytes(checkedBytes(mechanism.data, 'mechanism.data'));
      return;
    case 'ECDH1_DERIVE':
      writer.u32(LAYOUT.ecdh1);
      writer.u64(checkedName(KDF_NUMBERS, mechanism.kdf, 'mechanism.kdf'));
      writer.bytes(checkedBytes(mechanism.publicPoint, 'mechanism.publicPoint'));
      writer.bytes(checkedBytes(mechanism.sharedData ?? NO_BYTES, 'mechanism.sharedData'));
      return;
    case 'HKDF_DERIVE':
      writer.u32(LAYOUT.hkdf);
      writer.flag(checkedFlag(mechanism.extract, 'mechanism.extract'));
      writer.flag(checkedFlag(mechanism.expand, 'mechanism.expand'));
      writer.u64(checkedName(HASH_NUMBERS, mechanism.hash, 'mechanism.hash'));
      writer.bytes(checkedBytes(mechanism.salt, 'mechanism.salt'));
      writer.bytes(checkedBytes(mechanism.info, 'mechanism.info'));
      return;
    case 'SP800_108_COUNTER_KDF':
      writer.u32(LAYOUT.sp800108);
      writer.u64(checkedName(MECHANISM_NUMBERS, mechanism.prf, 'mechanism.prf'));
      if (!COUNTER_BITS.includes(mechanism.counterBits)) throw new TypeError('mechanism.counterBits must be 8, 16, 24 or 32');
      writer.u32(mechanism.counterBits);
      writer.bytes(checkedBytes(mechanism.fixedInput, 'mechanism.fixedInput'));
  }
}

/** Also the hot path: AES-GCM is what most calls carry. */
function writeGcm(writer: RequestWriter, mechanism: Extract<Mechanism, { name: 'AES_GCM' }>): void {
  const iv = checkedBytes(mechanism.iv, 'mechanism.iv');
  if (iv.length === 0 || iv.length > GCM_IV_BYTES_MAX) throw new TypeError(`mechanism.iv must have 1 to ${GCM_IV_BYTES_MAX} bytes`);
  if (mechanism.tagBits !== 128) throw new TypeError('mechanism.tagBits must be 128');
  writer.u32(LAYOUT.gcm);
  writer.u32(checkedName(GCM_IV_SOURCES, mechanism.ivSource, 'mechanism.ivSource'));
  writer.u32(mechanism.tagBits);
  writer.bytes(iv);
  writer.bytes(checkedBytes(mechanism.aad, 'mechanism.aad'));
}

function writeOaep(writer: RequestWriter, hash: unknown, label: Uint8Array | undefined): void {
  writer.u64(checkedName(HASH_NUMBERS, hash, 'mechanism.hash'));
  writer.u64(checkedName(MGF_NUMBERS, hash, 'mechanism.hash'));
  writer.bytes(checkedBytes(label ?? NO_BYTES, 'mechanism.label'));
}

/** Without prehash and context EdDSA takes no parameter (PKCS#11 v3.0, section 2.3.5); some modules refuse an empty one. */
function writeEddsa(writer: RequestWriter, mechanism: Extract<Mechanism, { name: 'EDDSA' }>): void {
  if (mechanism.prehash === undefined && mechanism.context === undefined) {
    writer.u32(LAYOUT.none);
    return;
  }
  writer.u32(LAYOUT.eddsa);
  writer.flag(checkedFlag(mechanism.prehash ?? false, 'mechanism.prehash'));
  writer.bytes(checkedBytes(mechanism.context ?? NO_BYTES, 'mechanism.context'));
}

function writeOptionalBytes(writer: RequestWriter, bytes: Uint8Array | undefined, name: string): void {
  if (bytes === undefined) {
    writer.u32(LAYOUT.none);
    return;
  }
  writer.u32(LAYOUT.bytes);
  writer.bytes(checkedBytes(bytes, name));
}

/** Writes a template; nested templates one level deep. */
export function writeTemplate(writer: RequestWriter, template: Template, depth = 0): void {
  if (typeof template !== 'object' || template === null) throw new TypeError('template must be an object');
  if (depth >= TEMPLATE_DEPTH_MAX) throw new TypeError('a template inside a template cannot hold a third one');
  const entries = Object.entries(template) as [AttributeName, unknown][];
  if (entries.length > ATTRIBUTES_MAX) throw new TypeError(`a template holds at most ${ATTRIBUTES_MAX} attributes`);
  writer.u32(entries.length);
  for (const [name, value] of entries) {
    const definition = checkedName(ATTRIBUTES, name, 'an attribute');
    writer.u64(definition.number);
    writer.u32(VALUE_KINDS[definition.kind]);
    writeValue(writer, name, definition.kind, value, depth);
  }
}

function writeValue(writer: RequestWriter, name: string, kind: AttributeKind, value: unknown, depth: number): void {
  switch (kind) {
    case 'bool':
      writer.flag(checkedFlag(value, name));
      return;
    case 'ulong':
      writer.u64(checkedInteger(value, name, U32_MAX));
      return;
    case 'class':
      writer.u64(checkedName(CLASS_NUMBERS, value, name));
      return;
    case 'keyType':
      writer.u64(checkedName(KEY_TYPE_NUMBERS, value, name));
      return;
    case 'bytes':
      writer.bytes(checkedBytes(value, name));
      return;
    case 'text':
      writer.text(checkedText(value, name));
      return;
    case 'template':
      writeTemplate(writer, value as Template, depth + 1);
      return;
    case 'mechanisms':
      writeMechanismNumbers(writer, value, name);
  }
}

function writeMechanismNumbers(writer: RequestWriter, names: unknown, attribute: string): void {
  if (!Array.isArray(names) || names.length > MECHANISMS_MAX)
    throw new TypeError(`${attribute} must be an array of at most ${MECHANISMS_MAX} mechanism names`);
  writer.u32(names.length);
  for (const name of names) writer.u64(checkedName(MECHANISM_NUMBERS, name, attribute));
}

/** Writes the attributes to read: number and kind of each. */
export function writeReadBack(writer: RequestWriter, names: readonly AttributeName[]): void {
  if (!Array.isArray(names) || names.length > ATTRIBUTES_MAX)
    throw new TypeError(`readBack must be an array of at most ${ATTRIBUTES_MAX} attribute names`);
  writer.u32(names.length);
  for (const name of names as readonly AttributeName[]) {
    const definition = checkedName(ATTRIBUTES, name, 'an attribute to read');
    writer.u64(definition.number);
    writer.u32(VALUE_KINDS[definition.kind]);
  }
}

/** Writes an object handle. */
export function writeHandle(writer: RequestWriter, handle: ObjectHandle): void {
  if (typeof handle !== 'object' || handle === null) throw new TypeError('an object handle must have low and high');
  writer.u32(checkedInteger(handle.low, 'handle.low', U32_MAX));
  writer.u32(checkedInteger(handle.high, 'handle.high', U32_MAX));
}

/** Writes a slot identifier given in decimal. */
export function writeSlotId(writer: RequestWriter, slotId: string): void {
  if (typeof slotId !== 'string' || !/^[0-9]{1,20}$/.test(slotId) || BigInt(slotId) >= 2n ** 64n)
    throw new TypeError('slotId must be a CK_SLOT_ID in decimal');
  writer.bigint(BigInt(slotId));
}

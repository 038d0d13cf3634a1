/**
 * Responses of the native engine: from its layouts (`native/wire.h`) to names and typed values. Responses come out of memory that
 * another process writes: every length is checked, and a response that does not fit its layout is a ResponseError.
 */
import type { CreatedObject, ModuleDescription, ObjectHandle, SlotDescription } from './cryptoki.ts';
import type { AttributeKind, StandardMechanismName } from './cryptoki-numbers.ts';
import { ATTRIBUTES, CLASS_NUMBERS, KEY_TYPE_NUMBERS, MECHANISM_NUMBERS } from './cryptoki-numbers.ts';
import type { AttributeName, KeyType, ObjectClass, Template } from './mechanism.ts';

/** The engine answered something that its layout does not allow. */
export class ResponseError extends Error {
  override readonly name = 'ResponseError';
}

const MISSING = 0xffff_ffff;
const TWO_TO_32 = 2 ** 32;
const utf8 = new TextDecoder();

/** Reads the fields of a response in turn. */
export class ResponseReader {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  #offset = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  get remainingBytes(): number {
    return this.#bytes.length - this.#offset;
  }

  u32(): number {
    return this.#view.getUint32(this.#advance(4), true);
  }

  /** A CK_ULONG; undefined for CK_UNAVAILABLE_INFORMATION and for what a number cannot hold. */
  u64(): number | undefined {
    const low = this.u32();
    const high = this.u32();
    const value = high * TWO_TO_32 + low;
    return Number.isSafeInteger(value) ? value : undefined;
  }

  bigint(): bigint {
    return this.#view.getBigUint64(this.#advance(8), true);
  }

  take(lengthBytes: number): Uint8Array {
    const start = this.#advance(lengthBytes);
    return this.#bytes.slice(start, start + lengthBytes);
  }

  bytes(): Uint8Array {
    return this.take(this.u32());
  }

  handle(): ObjectHandle {
    return { low: this.u32(), high: this.u32() };
  }

  /** A count of things that take at least `bytesEach`. */
  count(bytesEach: number): number {
    const count = this.u32();
    if (count * bytesEach > this.remainingBytes) throw new ResponseError('a count in the response is larger than the response');
    return count;
  }

  #advance(lengthBytes: number): number {
    const start = this.#offset;
    if (lengthBytes > this.#bytes.length - start) throw new ResponseError('the response is shorter than its layout');
    this.#offset = start + lengthBytes;
    return start;
  }
}

/** The attributes that were asked for; those that could not be read are missing. */
export function readAttributes(reader: ResponseReader, names: readonly AttributeName[]): Template {
  const attributes: Partial<Record<AttributeName, unknown>> = {};
  for (const name of names) {
    const lengthBytes = reader.u32();
    if (lengthBytes === MISSING) continue;
    const value = VALUE_READERS[ATTRIBUTES[name].kind](reader.take(lengthBytes));
    if (value !== undefined) attributes[name] = value;
  }
  return attributes as Template;
}

/** Handle and attributes of an object that was made. */
export function readCreatedObject(reader: ResponseReader, names: readonly AttributeName[]): CreatedObject {
  return { handle: reader.handle(), attributes: readAttributes(reader, names) };
}

const VALUE_READERS: Readonly<Record<AttributeKind, (bytes: Uint8Array) => unknown>> = {
  bytes: (bytes) => bytes,
  text: (bytes) => utf8.decode(bytes),
  bool: (bytes) => (bytes.length === 1 ? bytes[0] !== 0 : undefined),
  ulong: (bytes) => ulongs(bytes)?.[0],
  class: (bytes) => nameOf<ObjectClass>(CLASS_NUMBERS, ulongs(bytes)?.[0]),
  keyType: (bytes) => nameOf<KeyType>(KEY_TYPE_NUMBERS, ulongs(bytes)?.[0]),
  mechanisms: (bytes) => ulongs(bytes)?.flatMap((number) => nameOf<StandardMechanismName>(MECHANISM_NUMBERS, number) ?? []),
  template: (bytes) => nestedTemplate(new ResponseReader(bytes)),
};

/** CK_ULONG values; undefined when the length is not a multiple of eight. */
function ulongs(bytes: Uint8Array): (number | undefined)[] | undefined {
  if (bytes.length % 8 !== 0) return undefined;
  const reader = new ResponseReader(bytes);
  return Array.from({ length: bytes.length / 8 }, () => reader.u64());
}

function nameOf<Name extends string>(numbers: Readonly<Record<Name, number>>, number: number | undefined): Name | undefined {
  const names = Object.keys(numbers) as Name[];
  return names.find((name) => numbers[name] === number);
}

function nestedTemplate(reader: ResponseReader): Template {
  const attributes: Partial<Record<AttributeName, unknown>> = {};
  const names = Object.keys(ATTRIBUTES) as AttributeName[];
  for (let left = reader.count(12); left > 0; left--) {
    const number = reader.u64();
    const bytes = reader.bytes();
    const name = names.find((candidate) => ATTRIBUTES[candidate].number === number);
    if (name !== undefined && ATTRIBUTES[name].kind !== 'template') attributes[name] = VALUE_READERS[ATTRIBUTES[name].kind](bytes);
  }
  return attributes as Template;
}

/** Text of a fixed-width field, padded with blanks (some modules pad with NUL). */
function paddedText(bytes: Uint8Array): string {
  return utf8.decode(bytes).replace(/[\0 ]+$/, '');
}

const FUNCTION_LISTS = ['C_GetInterface', 'C_GetFunctionList', 'FC_GetFunctionList'] as const;

/** The answer to `load`. */
export function readModuleDescription(reader: ResponseReader): ModuleDescription {
  const cryptokiVersion = `${reader.u32()}.${reader.u32()}`;
  const functionList = FUNCTION_LISTS[reader.u32()];
  if (functionList === undefined) throw new ResponseError('unknown way to find the function list');
  const manufacturer = paddedText(reader.bytes());
  const libraryDescription = paddedText(reader.bytes());
  return { cryptokiVersion, functionList, manufacturer, libraryDescription, libraryVersion: `${reader.u32()}.${reader.u32()}` };
}

/** The answer to `slots`. */
export function readSlots(reader: ResponseReader): SlotDescription[] {
  return Array.from({ length: reader.count(64) }, () => readSlot(reader));
}

function readSlot(reader: ResponseReader): SlotDescription {
  const slotId = reader.bigint().toString();
  const tokenPresent = reader.u32() !== 0;
  const label = paddedText(reader.bytes());
  const manufacturer = paddedText(reader.bytes());
  const model = paddedText(reader.bytes());
  const serial = paddedText(reader.bytes());
  const flags = reader.u64() ?? 0;
  // 0 is CK_EFFECTIVELY_INFINITE.
  const sessionsMax = reader.u64() || undefined;
  const pinBytesMin = reader.u64() ?? 0;
  const pinBytesMax = reader.u64() ?? 0;
  return { slotId, tokenPresent, label, manufacturer, model, serial, flags, sessionsMax, pinBytesMin, pinBytesMax };
}

/** One page of a search: `listed` were looked at; those that were destroyed meanwhile are left out of `objects`. */
export interface ObjectPage {
  readonly listed: number;
  readonly objects: readonly CreatedObject[];
}

/** Descriptions of the objects of a list, as many as fitted. */
export function readObjectPage(reader: ResponseReader, names: readonly AttributeName[]): ObjectPage {
  if (reader.remainingBytes === 0) return { listed: 0, objects: [] };
  const listed = reader.count(12);
  const objects: CreatedObject[] = [];
  for (let index = 0; index < listed; index++) {
    const present = reader.u32() !== 0;
    const handle = reader.handle();
    if (present) objects.push({ handle, attributes: readAttributes(reader, names) });
  }
  return { listed, objects };
}

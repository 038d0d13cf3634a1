/**
 * Requests of the door: operations, templates and lists of attributes from their names to the layouts that the native engine
 * decodes (`native/decoder.h`, `native/calls.h`). Wrong types are TypeErrors. Mechanisms: `mechanism-encoder.ts`.
 */
import type { ObjectHandle } from './cryptoki.ts';
import type { AttributeKind } from './cryptoki-numbers.ts';
import { ATTRIBUTES, CLASS_NUMBERS, KEY_TYPE_NUMBERS, MECHANISM_NUMBERS } from './cryptoki-numbers.ts';
import type { AttributeName, Template } from './mechanism.ts';
import { checkedBytes, checkedFlag, checkedInteger, checkedName, checkedText } from './request-writer.ts';
import type { RequestWriter } from './request-writer.ts';

/** Operation numbers; the same as in `native/calls.h`. */
export const OPERATIONS = {
  cancelled: 0,
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

const ATTRIBUTES_MAX = 64;
const TEMPLATE_DEPTH_MAX = 2;
const MECHANISMS_MAX = 256;
const U32_MAX = 0xffff_ffff;

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

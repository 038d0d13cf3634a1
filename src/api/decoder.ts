/**
 * Compiles shapes into decoders: closures that check a JSON value and turn it into what operations work with (blobs to bytes,
 * timestamps to milliseconds). Compiled once per operation; a request then costs property reads and comparisons only.
 */
import { wrongType } from './violations.ts';
import { KmsError } from '../errors.ts';
import type { BlobShape, EnumShape, IntegerShape, ListShape, Members, Shape, StringShape } from './shape.ts';
import type { Violations } from './violations.ts';

/** Turns a present JSON value into its decoded form. Throws on a wrong JSON type, records broken constraints. */
export type Decoder = (value: unknown, path: string, violations: Violations) => unknown;

const LONE_SURROGATE = /\p{Surrogate}/u;
const MS_PER_SECOND = 1000;

/** The decoder of a shape. */
export function compileShape(shape: Shape): Decoder {
  switch (shape.kind) {
    case 'structure':
      return compileMembers(shape.members);
    case 'string':
      return compileString(shape);
    case 'enum':
      return compileEnum(shape);
    case 'blob':
      return compileBlob(shape);
    case 'integer':
      return compileInteger(shape);
    case 'boolean':
      return decodeBoolean;
    case 'timestamp':
      return decodeTimestamp;
    case 'map':
      return decodeStringMap;
    case 'list':
      break;
  }
  return compileList(shape);
}

/** The decoder of a structure. Members that the shape does not know are dropped; a null member counts as absent. */
export function compileMembers(members: Members): Decoder {
  const compiled = Object.entries(members).map(([name, shape]) => ({
    name,
    pathName: name.charAt(0).toLowerCase() + name.slice(1),
    required: shape.required === true,
    decode: compileShape(shape),
  }));
  return (value, path, violations) => {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) throw wrongType(value, 'a structure');
    const decoded: Record<string, unknown> = {};
    for (const member of compiled) {
      const memberValue: unknown = Object.hasOwn(value, member.name) ? (value as Record<string, unknown>)[member.name] : undefined;
      const memberPath = path === '' ? member.pathName : `${path}.${member.pathName}`;
      if (memberValue !== undefined && memberValue !== null) {
        decoded[member.name] = member.decode(memberValue, memberPath, violations);
      } else if (member.required) {
        violations.addMissing(memberPath);
      }
    }
    return decoded;
  };
}

function compileString(shape: StringShape): Decoder {
  const pattern = shape.pattern === undefined ? undefined : new RegExp(`^(?:${shape.pattern})$`);
  return (value, path, violations) => {
    if (typeof value !== 'string') throw wrongType(value, 'a String');
    refuseLoneSurrogates(value);
    const shown = shape.sensitive === true ? undefined : value;
    checkLength(value.length, shape, shown, path, violations);
    // A text beyond its length is refused anyway: the pattern never runs over more than the model allows.
    if (value.length <= shape.lengthMax && pattern?.test(value) === false) {
      violations.add(shown, path, `Member must satisfy regular expression pattern: ${shape.pattern}`);
    }
    return value;
  };
}

function compileEnum(shape: EnumShape): Decoder {
  const values = new Set(shape.values);
  return (value, path, violations) => {
    if (typeof value !== 'string') throw wrongType(value, 'a String');
    if (!values.has(value)) violations.add(value, path, `Member must satisfy enum value set: [${shape.values.join(', ')}]`);
    return value;
  };
}

function compileBlob(shape: BlobShape): Decoder {
  return (value, path, violations) => {
    if (typeof value !== 'string') throw wrongType(value, 'a Blob');
    const bytes = fromBase64(value);
    const shown = shape.sensitive === true ? undefined : `java.nio.HeapByteBuffer[pos=0 lim=${bytes.length} cap=${bytes.length}]`;
    checkLength(bytes.length, shape, shown, path, violations);
    return bytes;
  };
}

function compileInteger(shape: IntegerShape): Decoder {
  return (value, path, violations) => {
    if (typeof value !== 'number' || !Number.isInteger(value)) throw wrongType(value, 'an Integer');
    if (value < shape.min) violations.add(String(value), path, `Member must have value greater than or equal to ${shape.min}`);
    if (value > shape.max) violations.add(String(value), path, `Member must have value less than or equal to ${shape.max}`);
    return value;
  };
}

function compileList(shape: ListShape): Decoder {
  const decode = compileShape(shape.member);
  return (value, path, violations) => {
    if (!Array.isArray(value)) throw wrongType(value, 'a list');
    const items = value as readonly unknown[];
    if (items.length > shape.lengthMax) {
      violations.add(listText(items), path, `Member must have length less than or equal to ${shape.lengthMax}`);
      return [];
    }
    const decoded: unknown[] = [];
    for (const [index, item] of items.entries()) {
      if (item === null || item === undefined) throw wrongType(null, 'a list member');
      decoded.push(decode(item, `${path}.${index + 1}.member`, violations));
      if (violations.full) break;
    }
    return decoded;
  };
}

/** A list in an error text; what is no text in it is not shown, and never asked to turn itself into one. */
function listText(items: readonly unknown[]): string {
  return `[${items.map((item) => (typeof item === 'string' ? item : '...')).join(', ')}]`;
}

function decodeBoolean(value: unknown): boolean {
  if (typeof value !== 'boolean') throw wrongType(value, 'a Boolean');
  return value;
}

function decodeTimestamp(value: unknown): number {
  if (typeof value !== 'number' || !Number.isFinite(value)) throw wrongType(value, 'a Timestamp');
  return Math.round(value * MS_PER_SECOND);
}

/** An encryption context: values that are numbers or booleans are taken as their text (kms-api.md 1.3). */
function decodeStringMap(value: unknown): Readonly<Record<string, string>> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw wrongType(value, 'a map');
  // Without a prototype, so that `__proto__` is a name like any other.
  const decoded: Record<string, string> = Object.create(null) as Record<string, string>;
  for (const [name, item] of Object.entries(value as Readonly<Record<string, unknown>>)) {
    const text = textOf(item);
    refuseLoneSurrogates(name);
    refuseLoneSurrogates(text);
    decoded[name] = text;
  }
  return decoded;
}

function textOf(item: unknown): string {
  if (typeof item === 'string') return item;
  // A number that has lost digits would authenticate another text than the caller wrote.
  const exact = typeof item === 'number' && (!Number.isInteger(item) || Number.isSafeInteger(item)) && Number.isFinite(item);
  if (!exact && typeof item !== 'boolean') throw wrongType(item, 'a String');
  return String(item);
}

function checkLength(
  length: number,
  bounds: { readonly lengthMin: number; readonly lengthMax: number },
  shown: string | undefined,
  path: string,
  violations: Violations,
): void {
  if (length < bounds.lengthMin) violations.add(shown, path, `Member must have length greater than or equal to ${bounds.lengthMin}`);
  if (length > bounds.lengthMax) violations.add(shown, path, `Member must have length less than or equal to ${bounds.lengthMax}`);
}

/** Half of a surrogate pair has no UTF-8 form: two different texts would be stored, or authenticated, as the same bytes. */
function refuseLoneSurrogates(text: string): void {
  if (LONE_SURROGATE.test(text)) throw new KmsError('SerializationException', 'A string holds half of a UTF-16 surrogate pair');
}

/** Standard base64 with padding, nothing else. Node's reader skips what it does not know: the length shows whether it did. */
function fromBase64(text: string): Uint8Array {
  const bytes = Buffer.from(text, 'base64');
  const padding = text.endsWith('==') ? 2 : text.endsWith('=') ? 1 : 0;
  const wellFormed =
    text.length % 4 === 0 &&
    bytes.length === (text.length / 4) * 3 - padding &&
    !text.includes('-') &&
    !text.includes('_') &&
    // The reader looks at the low byte of a character only: beyond ASCII it would take a stranger for a digit.
    Buffer.byteLength(text, 'utf8') === text.length;
  if (!wellFormed) throw new KmsError('SerializationException', 'A blob is not standard base64 with padding');
  return bytes;
}

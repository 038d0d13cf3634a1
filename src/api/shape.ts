/**
 * The vocabulary in which the KMS API is written down as data: strings with lengths and patterns, blobs, lists, structures.
 * Knows nothing of single operations and checks nothing itself (`decoder.ts` compiles shapes into checks).
 */

/** What every shape may carry: `required` holds for it as a member of a structure. */
interface MemberTraits {
  readonly required?: boolean;
}

/** Text; lengths in UTF-16 code units, as AWS counts them. A sensitive value is never repeated in an error. */
export interface StringShape extends MemberTraits {
  readonly kind: 'string';
  readonly lengthMin: number;
  readonly lengthMax: number;
  /** Regular expression that the whole text must match, in the notation of the model. */
  readonly pattern?: string;
  readonly sensitive?: boolean;
}

/** One of a closed set of texts. */
export interface EnumShape extends MemberTraits {
  readonly kind: 'enum';
  readonly values: readonly string[];
}

/** Bytes; lengths in bytes after base64 decoding. */
export interface BlobShape extends MemberTraits {
  readonly kind: 'blob';
  readonly lengthMin: number;
  readonly lengthMax: number;
  readonly sensitive?: boolean;
}

/** A whole number within bounds, both included. */
export interface IntegerShape extends MemberTraits {
  readonly kind: 'integer';
  readonly min: number;
  readonly max: number;
}

export interface BooleanShape extends MemberTraits {
  readonly kind: 'boolean';
}

/** Seconds since the Unix epoch on the wire, milliseconds once decoded. */
export interface TimestampShape extends MemberTraits {
  readonly kind: 'timestamp';
}

/** Text by text: the encryption context. Numbers and booleans are taken as their text. */
export interface StringMapShape extends MemberTraits {
  readonly kind: 'map';
}

export interface ListShape extends MemberTraits {
  readonly kind: 'list';
  readonly member: Shape;
  readonly lengthMax: number;
}

export interface StructureShape extends MemberTraits {
  readonly kind: 'structure';
  readonly members: Members;
}

export type Members = Readonly<Record<string, Shape>>;

export type Shape =
  StringShape | EnumShape | BlobShape | IntegerShape | BooleanShape | TimestampShape | StringMapShape | ListShape | StructureShape;

export const boolean: BooleanShape = { kind: 'boolean' };
export const timestamp: TimestampShape = { kind: 'timestamp' };
export const stringMap: StringMapShape = { kind: 'map' };

export function string(lengthMin: number, lengthMax: number, pattern?: string): StringShape {
  return pattern === undefined ? { kind: 'string', lengthMin, lengthMax } : { kind: 'string', lengthMin, lengthMax, pattern };
}

export function enumeration(...values: readonly string[]): EnumShape {
  return { kind: 'enum', values };
}

export function blob(lengthMin: number, lengthMax: number): BlobShape {
  return { kind: 'blob', lengthMin, lengthMax };
}

export function integer(min: number, max: number): IntegerShape {
  return { kind: 'integer', min, max };
}

/** A list; without `lengthMax` the size of the request body is its only bound. */
export function list(member: Shape, lengthMax: number = Number.POSITIVE_INFINITY): ListShape {
  return { kind: 'list', member, lengthMax };
}

export function structure(members: Members): StructureShape {
  return { kind: 'structure', members };
}

/** The same shape as a member that a request must have. */
export function required<T extends Shape>(shape: T): T {
  return { ...shape, required: true };
}

/** The same text or bytes, kept out of error messages. */
export function sensitive<T extends StringShape | BlobShape>(shape: T): T {
  return { ...shape, sensitive: true };
}

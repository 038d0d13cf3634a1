/**
 * Writes the fields of a request: little-endian integers and length-prefixed bytes, the counterpart of `native/wire.h`.
 * Checks types as it writes, so that a wrong argument is a TypeError before anything is submitted. Knows no operation.
 */

/** The largest request: what a large slot holds. */
const REQUEST_BYTES_MAX = 1024 * 1024 - 64;

const TWO_TO_32 = 2 ** 32;
const utf8 = new TextEncoder();

/** A reusable writer over a buffer of its own. */
export class RequestWriter {
  readonly #bytes = new Uint8Array(REQUEST_BYTES_MAX);
  readonly #view: DataView = new DataView(this.#bytes.buffer);
  #length = 0;

  get length(): number {
    return this.#length;
  }

  /** What was written. Valid until the next `clear`. */
  get written(): Uint8Array {
    return this.#bytes.subarray(0, this.#length);
  }

  /** Starts over; wipes what was written before. */
  clear(): void {
    this.#bytes.fill(0, 0, this.#length);
    this.#length = 0;
  }

  u32(value: number): void {
    this.#reserve(4);
    this.#view.setUint32(this.#length, value, true);
    this.#length += 4;
  }

  u64(value: number): void {
    this.u32(value % TWO_TO_32);
    this.u32(Math.floor(value / TWO_TO_32));
  }

  bigint(value: bigint): void {
    this.#reserve(8);
    this.#view.setBigUint64(this.#length, value, true);
    this.#length += 8;
  }

  bytes(value: Uint8Array): void {
    this.u32(value.length);
    this.#reserve(value.length);
    this.#bytes.set(value, this.#length);
    this.#length += value.length;
  }

  text(value: string): void {
    this.bytes(utf8.encode(value));
  }

  flag(value: boolean): void {
    this.u32(value ? 1 : 0);
  }

  #reserve(lengthBytes: number): void {
    if (this.#length + lengthBytes > REQUEST_BYTES_MAX) throw new TypeError(`a request holds at most ${REQUEST_BYTES_MAX} bytes`);
  }
}

/** `value`, if it is an integer from 0 to `max`. */
export function checkedInteger(value: unknown, name: string, max: number): number {
  if (typeof value !== 'number' || !Number.isInteger(value) || value < 0 || value > max) {
    throw new TypeError(`${name} must be an integer from 0 to ${max}`);
  }
  return value;
}

/** `value`, if it is a Uint8Array (of `lengthBytes`, if given) whose memory was not transferred away. */
export function checkedBytes(value: unknown, name: string, lengthBytes?: number): Uint8Array {
  if (!(value instanceof Uint8Array)) throw new TypeError(`${name} must be a Uint8Array`);
  if (lengthBytes !== undefined && value.length !== lengthBytes) throw new TypeError(`${name} must have ${lengthBytes} bytes`);
  return value;
}

/** `value`, if it is a boolean. */
export function checkedFlag(value: unknown, name: string): boolean {
  if (typeof value !== 'boolean') throw new TypeError(`${name} must be true or false`);
  return value;
}

/** `value`, if it is a string. */
export function checkedText(value: unknown, name: string): string {
  if (typeof value !== 'string') throw new TypeError(`${name} must be a string`);
  return value;
}

/** `table[name]`, if it is there. */
export function checkedName<Value>(table: Readonly<Record<string, Value>>, name: unknown, what: string): Value {
  const found = typeof name === 'string' && Object.hasOwn(table, name) ? table[name] : undefined;
  if (found === undefined) throw new TypeError(`${what} must be one of ${Object.keys(table).join(', ')}`);
  return found;
}

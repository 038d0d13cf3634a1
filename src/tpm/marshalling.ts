/**
 * The byte form of TPM 2.0 structures: big-endian integers, and sized buffers (TPM2B) that carry their length in 16 bits.
 * Source: TPM 2.0 Library, Part 2, sections 4 and 10.4. Knows no command.
 */
import { TpmError } from './tpm-error.ts';

/** No TPM takes or gives a longer message (Part 2, TPM_PT_MAX_COMMAND_SIZE; 4,096 in the PC Client profile). */
export const messageBytesMax = 4_096;

const sizeBytesMax = 0xffff;

/** UINT32, big-endian. */
export function uint32(value: number): Uint8Array {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setUint32(0, value);
  return bytes;
}

/**
 * Writes a structure from its first byte to its last. What is written may be secret: the buffer is one that V8 does not move, and
 * `wipe` overwrites it.
 */
export class TpmWriter {
  readonly #bytes = new Uint8Array(new ArrayBuffer(messageBytesMax));
  readonly #view = new DataView(this.#bytes.buffer);
  #length = 0;

  u8(value: number): this {
    this.#view.setUint8(this.#advance(1), value);
    return this;
  }

  u16(value: number): this {
    this.#view.setUint16(this.#advance(2), value);
    return this;
  }

  u32(value: number): this {
    this.#view.setUint32(this.#advance(4), value);
    return this;
  }

  bytes(value: Uint8Array): this {
    this.#bytes.set(value, this.#advance(value.length));
    return this;
  }

  /** A TPM2B: the length in 16 bits, then the bytes. */
  sized(value: Uint8Array): this {
    return this.u16(value.length).bytes(value);
  }

  /** A TPM2B around what `write` writes. */
  sizedBy(write: (writer: this) => void): this {
    const at = this.#advance(2);
    write(this);
    const length = this.#length - at - 2;
    if (length > sizeBytesMax) throw new RangeError(`a TPM2B of ${length} bytes`);
    this.#view.setUint16(at, length);
    return this;
  }

  /** What was written so far; the array is a view that `wipe` overwrites. */
  written(): Uint8Array {
    return this.#bytes.subarray(0, this.#length);
  }

  wipe(): void {
    this.#bytes.fill(0);
    this.#length = 0;
  }

  #advance(count: number): number {
    const at = this.#length;
    if (at + count > messageBytesMax) throw new RangeError(`a TPM message is longer than ${messageBytesMax} bytes`);
    this.#length += count;
    return at;
  }
}

/** Reads a structure strictly: past its end, or with bytes left over, is an error `malformed`. Arrays that it gives are views. */
export class TpmReader {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  readonly #what: string;
  #at = 0;

  /** `what` names the structure in errors. */
  constructor(bytes: Uint8Array, what: string) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#what = what;
  }

  u8(): number {
    return this.#view.getUint8(this.#advance(1));
  }

  u16(): number {
    return this.#view.getUint16(this.#advance(2));
  }

  u32(): number {
    return this.#view.getUint32(this.#advance(4));
  }

  bytes(count: number): Uint8Array {
    const at = this.#advance(count);
    return this.#bytes.subarray(at, at + count);
  }

  /** A TPM2B of at most `bytesMax` bytes. */
  sized(bytesMax: number): Uint8Array {
    const size = this.u16();
    if (size > bytesMax) throw this.malformed(`a field of ${size} bytes where ${bytesMax} are the most`);
    return this.bytes(size);
  }

  /** A count of 32 bits, at most `countMax`. */
  count(countMax: number): number {
    const count = this.u32();
    if (count > countMax) throw this.malformed(`a list of ${count} where ${countMax} are the most`);
    return count;
  }

  rest(): Uint8Array {
    return this.bytes(this.#bytes.length - this.#at);
  }

  end(): void {
    const left = this.#bytes.length - this.#at;
    if (left > 0) throw this.malformed(`${left} bytes too many`);
  }

  malformed(words: string): TpmError {
    return new TpmError('malformed', `${this.#what} is malformed: ${words}`);
  }

  #advance(count: number): number {
    const at = this.#at;
    if (count > this.#bytes.length - at) throw this.malformed('it ends too early');
    this.#at += count;
    return at;
  }
}

/**
 * Secret bytes as a type: a PIN, a credential's secret, a plaintext key. It cannot be printed, serialised or inspected;
 * the bytes are lent to a callback and can be wiped. (Private fields do not show in `util.inspect`.)
 */
import { copyOffHeap } from './bytes.ts';

const REDACTED = '[secret]';

/** Bytes that must not reach a log, an error or a file. */
export class SecretBytes {
  readonly #bytes: Uint8Array;

  /** Moves the secret out of `bytes`, which are wiped. */
  constructor(bytes: Uint8Array) {
    this.#bytes = copyOffHeap(bytes);
    bytes.fill(0);
  }

  /** A secret from UTF-8 text. The string itself cannot be wiped: prefer bytes where there is a choice. */
  static fromText(text: string): SecretBytes {
    return new SecretBytes(new TextEncoder().encode(text));
  }

  get length(): number {
    return this.#bytes.length;
  }

  /** Lends the bytes to `use`, which must not keep them. */
  expose<T>(use: (bytes: Uint8Array) => T): T {
    return use(this.#bytes);
  }

  /** Overwrites the bytes with zeros. The secret is empty of meaning afterwards. */
  wipe(): void {
    this.#bytes.fill(0);
  }

  toString(): string {
    return REDACTED;
  }

  toJSON(): string {
    return REDACTED;
  }
}

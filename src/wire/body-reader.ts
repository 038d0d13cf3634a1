/** Reads request bodies, bounded per request and in sum. Time is bounded by the HTTP server's own request timeout. */
import type { IncomingMessage } from 'node:http';
import { KmsError } from '../errors.ts';

/** Bounds on what is kept and on what is thrown away. */
export interface BodyLimits {
  readonly bodyBytesMax: number;
  /** Bytes of all bodies held at once. */
  readonly heldBytesMax: number;
  /** Bodies up to here are taken even then, so that nobody can keep the others out by holding large ones. Their number is that of connections. */
  readonly smallBodyBytesMax: number;
  /** A larger body is read on and dropped up to here, so that its sender sees the refusal instead of a reset connection. */
  readonly discardBytesMax: number;
}

/** A body, or why there is none. `complete` says that the request was read to its end and the connection can go on. */
export type ReadBody = { readonly body: Uint8Array } | { readonly refusal: KmsError; readonly complete: boolean };

const EMPTY = new Uint8Array(0);

export class BodyReader {
  readonly #limits: BodyLimits;
  #heldBytes = 0;

  constructor(limits: BodyLimits) {
    this.#limits = limits;
  }

  /** True when a Content-Length announces more than is accepted. */
  refusesLength(contentLength: string | undefined): boolean {
    return contentLength !== undefined && Number(contentLength) > this.#limits.bodyBytesMax;
  }

  /**
   * Reads a body and calls `done` once; never, when the client goes away before the end. Whoever gets a body gives its bytes back
   * with `release`.
   */
  read(message: IncomingMessage, done: (read: ReadBody) => void): void {
    const gathered = new GatheredBytes();
    let seenBytes = 0;
    let refusal: KmsError | undefined;
    let settled = false;
    const settle = (read: ReadBody): void => {
      settled = true;
      done(read);
    };
    message.on('data', (chunk: Buffer) => {
      seenBytes += chunk.length;
      refusal ??= this.#refusal(seenBytes, chunk.length);
      if (refusal === undefined) {
        this.#heldBytes += chunk.length;
        gathered.add(chunk);
        return;
      }
      this.release(gathered.take());
      if (seenBytes > this.#limits.discardBytesMax && !settled) settle({ refusal, complete: false });
    });
    message.on('end', () => {
      if (settled) return;
      settle(refusal === undefined ? { body: gathered.take() } : { refusal, complete: true });
    });
    message.on('close', () => {
      if (!settled) this.release(gathered.take());
    });
  }

  /** Gives back the bytes of a body. */
  release(body: Uint8Array): void {
    this.#heldBytes -= body.length;
    body.fill(0);
  }

  #refusal(seenBytes: number, chunkBytes: number): KmsError | undefined {
    const { bodyBytesMax, heldBytesMax, smallBodyBytesMax } = this.#limits;
    if (seenBytes > bodyBytesMax) {
      return new KmsError('RequestEntityTooLargeException', `The request body must not be larger than ${bodyBytesMax} bytes.`);
    }
    if (seenBytes <= smallBodyBytesMax || this.#heldBytes + chunkBytes <= heldBytesMax) return undefined;
    return new KmsError('ServiceUnavailableException', 'Too many large requests at once. Try again.');
  }
}

/** Bytes that come in pieces, kept in one: a sender of single bytes must not make an object of each. */
class GatheredBytes {
  #buffer: Uint8Array = EMPTY;
  #lengthBytes = 0;

  add(piece: Uint8Array): void {
    const lengthBytes = this.#lengthBytes + piece.length;
    if (this.#lengthBytes === 0) this.#buffer = piece;
    else {
      if (lengthBytes > this.#buffer.length) this.#grow(Math.max(lengthBytes, 2 * this.#buffer.length));
      this.#buffer.set(piece, this.#lengthBytes);
      piece.fill(0);
    }
    this.#lengthBytes = lengthBytes;
  }

  /** All bytes so far; none are left. */
  take(): Uint8Array {
    const bytes = this.#buffer.subarray(0, this.#lengthBytes);
    this.#buffer = EMPTY;
    this.#lengthBytes = 0;
    return bytes;
  }

  #grow(capacityBytes: number): void {
    const grown = new Uint8Array(capacityBytes);
    grown.set(this.#buffer);
    this.#buffer.fill(0);
    this.#buffer = grown;
  }
}

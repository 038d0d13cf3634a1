/** Reads request bodies, bounded per request and in sum. Time is bounded by the HTTP server's own request timeout. */
import type { IncomingMessage } from 'node:http';
import { KmsError } from '../errors.ts';

/** Bounds on what is kept and on what is thrown away. */
export interface BodyLimits {
  readonly bodyBytesMax: number;
  /** Bytes of all bodies held at once. */
  readonly heldBytesMax: number;
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
    let chunks: Uint8Array[] = [];
    let seenBytes = 0;
    let refusal: KmsError | undefined;
    let settled = false;
    const drop = (): void => {
      for (const chunk of chunks) this.release(chunk);
      chunks = [];
    };
    const settle = (read: ReadBody): void => {
      settled = true;
      done(read);
    };
    message.on('data', (chunk: Buffer) => {
      seenBytes += chunk.length;
      refusal ??= this.#refusal(seenBytes, chunk.length);
      if (refusal === undefined) {
        this.#heldBytes += chunk.length;
        chunks.push(chunk);
        return;
      }
      drop();
      if (seenBytes > this.#limits.discardBytesMax && !settled) settle({ refusal, complete: false });
    });
    message.on('end', () => {
      if (settled) return;
      settle(refusal === undefined ? { body: joined(chunks, seenBytes) } : { refusal, complete: true });
    });
    message.on('close', () => {
      if (!settled) drop();
    });
  }

  /** Gives back the bytes of a body. */
  release(body: Uint8Array): void {
    this.#heldBytes -= body.length;
    body.fill(0);
  }

  #refusal(seenBytes: number, chunkBytes: number): KmsError | undefined {
    const { bodyBytesMax, heldBytesMax } = this.#limits;
    if (seenBytes > bodyBytesMax) {
      return new KmsError('RequestEntityTooLargeException', `The request body must not be larger than ${bodyBytesMax} bytes.`);
    }
    if (this.#heldBytes + chunkBytes <= heldBytesMax) return undefined;
    return new KmsError('ServiceUnavailableException', 'Too many large requests at once. Try again.');
  }
}

function joined(chunks: readonly Uint8Array[], lengthBytes: number): Uint8Array {
  if (chunks.length <= 1) return chunks[0] ?? EMPTY;
  const body = Buffer.concat(chunks, lengthBytes);
  for (const chunk of chunks) chunk.fill(0);
  return body;
}

/** What one client connection carries between its requests: who is at the other end, and what must not outlive it. */
import type { ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import type { ConnectionFacts } from './authenticator.ts';
import type { EncodedOutput } from './aws-json.ts';

/** One connection. Calls `onIdle` whenever its last reply was sent, and when it is closed. */
export class Connection {
  readonly facts: ConnectionFacts;
  readonly #onIdle: (connection: Connection) => void;
  readonly #gone = new AbortController();
  readonly #unsent = new Set<Uint8Array>();
  #answering = 0;

  constructor(socket: Socket, onIdle: (connection: Connection) => void) {
    this.facts = { sourceAddress: socket.remoteAddress, secureTransport: (socket as Partial<TLSSocket>).encrypted === true };
    this.#onIdle = onIdle;
    socket.once('close', () => this.#close());
  }

  /** Aborted when the connection is closed. */
  get signal(): AbortSignal {
    return this.#gone.signal;
  }

  /** True while a request that arrived completely waits for its reply or the reply is being sent. */
  get busy(): boolean {
    return this.#answering > 0;
  }

  /** Counts a request that arrived completely. */
  begin(): void {
    this.#answering++;
  }

  /** Counts its reply once it was handed to the operating system, and overwrites the body then if it is bytes. */
  endWith(response: ServerResponse, body: EncodedOutput): void {
    if (typeof body !== 'string') this.#unsent.add(body);
    if (this.#gone.signal.aborted) this.#wipeUnsent();
    else response.once('finish', () => this.#sent(body));
  }

  #sent(body: EncodedOutput): void {
    if (typeof body !== 'string') {
      body.fill(0);
      this.#unsent.delete(body);
    }
    this.#answering--;
    if (this.#answering === 0) this.#onIdle(this);
  }

  #close(): void {
    this.#gone.abort();
    this.#wipeUnsent();
    this.#onIdle(this);
  }

  #wipeUnsent(): void {
    for (const body of this.#unsent) body.fill(0);
    this.#unsent.clear();
  }
}

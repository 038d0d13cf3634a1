/** What one client connection carries between its requests: who is at the other end, and what must not outlive it. */
import type { ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import type { ConnectionFacts } from './authenticator.ts';

export class Connection {
  readonly facts: ConnectionFacts;
  /** Requests received completely whose reply is not yet handed over. */
  answering = 0;
  readonly #gone = new AbortController();
  readonly #unsent = new Set<Uint8Array>();

  constructor(socket: Socket) {
    this.facts = { sourceAddress: socket.remoteAddress, secureTransport: (socket as Partial<TLSSocket>).encrypted === true };
    socket.once('close', () => this.#close());
  }

  /** Aborted when the connection is closed. */
  get signal(): AbortSignal {
    return this.#gone.signal;
  }

  /** Overwrites a reply's body when it was handed to the operating system, or when the connection is gone. */
  wipeOnceSent(body: Uint8Array, response: ServerResponse): void {
    if (this.#gone.signal.aborted) {
      body.fill(0);
      return;
    }
    this.#unsent.add(body);
    response.once('finish', () => {
      body.fill(0);
      this.#unsent.delete(body);
    });
  }

  #close(): void {
    this.#gone.abort();
    for (const body of this.#unsent) body.fill(0);
    this.#unsent.clear();
  }
}

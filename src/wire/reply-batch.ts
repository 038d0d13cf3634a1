/**
 * Replies leave together, once per turn of the event loop. Sent one by one, each would wake its client by itself, and under load
 * those wake-ups cost more than all the rest of a request.
 */
import type { ServerResponse } from 'node:http';
import type { WireResponse } from './request-handler.ts';

export class ReplyBatch {
  #waiting: { readonly response: ServerResponse; readonly reply: WireResponse }[] = [];

  /** Sends a reply at the end of this turn. */
  add(response: ServerResponse, reply: WireResponse): void {
    this.#waiting.push({ response, reply });
    if (this.#waiting.length === 1) setImmediate(() => this.#send());
  }

  #send(): void {
    const batch = this.#waiting;
    this.#waiting = [];
    for (const { response, reply } of batch) {
      response.writeHead(reply.status, reply.headers);
      response.end(reply.body);
    }
  }
}

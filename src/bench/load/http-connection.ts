/**
 * One keep-alive connection that carries one request at a time: the least HTTP/1.1 client that a load generator needs, so that it takes
 * little of the CPU that it shares with the server. Answers must have a Content-Length (RFC 9112 section 6.3).
 */
import { connect as connectTcp, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';

export interface HttpAnswer {
  readonly status: number;
  readonly body: Buffer;
}

interface Waiting {
  readonly resolve: (answer: HttpAnswer) => void;
  readonly reject: (error: Error) => void;
}

const CONNECT_TIMEOUT_MS = 5_000;
const ANSWER_TIMEOUT_MS = 30_000;
const ANSWER_BYTES_MAX = 65_536;
const END_OF_HEAD = '\r\n\r\n';
const STATUS_AT = 9;

/** Where to connect. `authority` is the certificate to trust; without it the connection is in clear. */
export interface Target {
  readonly host: string;
  readonly port: number;
  readonly authority?: string;
}

export class HttpConnection {
  readonly #socket: Socket;
  #received: Buffer = Buffer.alloc(0);
  #waiting: Waiting | undefined;
  #failure: Error | undefined;

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.setNoDelay(true);
    socket.setTimeout(ANSWER_TIMEOUT_MS, () => {
      if (this.#waiting) socket.destroy(new Error(`The server did not answer within ${ANSWER_TIMEOUT_MS} ms`));
    });
    socket.on('data', (chunk: Buffer) => this.#receive(chunk));
    socket.on('error', (error) => this.#fail(error));
    socket.on('close', () => this.#fail(new Error('The server closed the connection')));
  }

  static async open(target: Target): Promise<HttpConnection> {
    const { host, port, authority } = target;
    const secure = authority !== undefined;
    const socket = secure ? connectTls({ host, port, ca: authority, servername: 'localhost' }) : connectTcp({ host, port });
    await new Promise<void>((resolve, reject) => {
      socket.setTimeout(CONNECT_TIMEOUT_MS, () =>
        socket.destroy(new Error(`No connection to ${host}:${port} within ${CONNECT_TIMEOUT_MS} ms`)),
      );
      socket.once('error', reject);
      socket.once(secure ? 'secureConnect' : 'connect', () => {
        socket.off('error', reject);
        socket.removeAllListeners('timeout');
        resolve();
      });
    });
    return new HttpConnection(socket);
  }

  /** Sends a whole request and resolves to its answer. One at a time. */
  exchange(request: Uint8Array): Promise<HttpAnswer> {
    return new Promise((resolve, reject) => {
      if (this.#failure !== undefined) {
        reject(this.#failure);
        return;
      }
      this.#waiting = { resolve, reject };
      this.#socket.write(request);
    });
  }

  /** False once the server has ended the connection, as it does when it was idle for long. */
  get isOpen(): boolean {
    return this.#failure === undefined;
  }

  close(): void {
    this.#socket.destroy();
  }

  #receive(chunk: Buffer): void {
    this.#received = this.#received.length === 0 ? chunk : Buffer.concat([this.#received, chunk]);
    const headEnd = this.#received.indexOf(END_OF_HEAD, 0, 'latin1');
    if (headEnd === -1 && this.#received.length < ANSWER_BYTES_MAX) return;
    const head = this.#received.toString('latin1', 0, Math.max(0, headEnd));
    const lengthText = /\r\ncontent-length: *(\d+)/i.exec(head)?.[1];
    if (lengthText === undefined || Number(lengthText) > ANSWER_BYTES_MAX) {
      this.#socket.destroy(new Error('The answer has no Content-Length that the load generator accepts'));
      return;
    }
    const bodyAt = headEnd + END_OF_HEAD.length;
    const end = bodyAt + Number(lengthText);
    if (this.#received.length < end) return;
    this.#answer({ status: Number(head.slice(STATUS_AT, STATUS_AT + 3)), body: this.#received.subarray(bodyAt, end) });
  }

  #answer(answer: HttpAnswer): void {
    const waiting = this.#waiting;
    this.#waiting = undefined;
    this.#received = Buffer.alloc(0);
    waiting?.resolve(answer);
  }

  #fail(error: Error): void {
    this.#failure ??= error;
    this.#waiting?.reject(this.#failure);
    this.#waiting = undefined;
  }
}

/**
 * The HTTP listener: sockets, TLS, bounds, graceful end. What a request means is the request handler's business; what arrives here
 * too late, too large or out of form is answered here, in the same shape.
 */
import { readFileSync } from 'node:fs';
import { type IncomingMessage, STATUS_CODES, type Server, type ServerOptions, type ServerResponse, createServer } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { Config, ListenerConfig } from '../config/config.ts';
import { KmsError } from '../errors.ts';
import { BodyReader } from './body-reader.ts';
import { Connection } from './connection.ts';
import { ReplyBatch } from './reply-batch.ts';
import { RequestHandler, type RequestHandlerParts, type WireResponse } from './request-handler.ts';

/** What a server needs. */
export interface WireServerOptions extends RequestHandlerParts {
  readonly listener: ListenerConfig;
  readonly limits: Config['limits'];
}

/** Where a server listens. */
export interface WireAddress {
  readonly host: string;
  readonly port: number;
  /** For example `http://127.0.0.1:4599`. */
  readonly url: string;
}

/** A server of the KMS API. */
export interface WireServer {
  /** Starts to accept. Rejects with what to do when the address cannot be had. */
  listen(): Promise<WireAddress>;
  /** Stops accepting, lets requests that arrived completely finish, and ends every connection after `drainMs` at the latest. */
  close(options: { readonly drainMs: number }): Promise<void>;
}

/** Longer than clients keep an idle connection, so that it is the client that ends it. */
const KEEP_ALIVE_MS = 65_000;
/** A connection without a byte for so long is dead, even if a key is being generated for it. */
const SOCKET_IDLE_MS = 15 * 60_000;
const TIMEOUT_CHECK_MS_MAX = 1000;
const REQUESTS_IN_FLIGHT_MAX = 4096;
/** Full-size bodies held at once, and how many times the limit is read and dropped for a polite refusal. */
const BODIES_HELD_MAX = 64;
const BODIES_DISCARDED_MAX = 16;
/** Room for every request that uses a key: 6,144 bytes of ciphertext in base64 and an encryption context of 8,192. */
const SMALL_BODY_BYTES_MAX = 20_480;

/**
 * A server, not yet listening. Throws when the listener is not allowed (beyond loopback without TLS, or with an authenticator for
 * this machine only) and when certificate or key cannot be read.
 */
export function openWireServer(options: WireServerOptions): WireServer {
  requireAllowed(options.listener, options.authenticator.loopbackOnly);
  return new NodeWireServer(options);
}

class NodeWireServer implements WireServer {
  readonly #listener: ListenerConfig;
  readonly #handler: RequestHandler;
  readonly #bodies: BodyReader;
  readonly #replies = new ReplyBatch();
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  readonly #connections = new WeakMap<Duplex, Connection>();
  /** Connections with a request that arrived completely and is not yet answered. */
  readonly #busy = new Set<Connection>();
  #requestsInFlight = 0;
  #closing = false;

  constructor(options: WireServerOptions) {
    const { bodyBytesMax } = options.limits;
    this.#listener = options.listener;
    this.#handler = new RequestHandler(options);
    this.#bodies = new BodyReader({
      bodyBytesMax,
      heldBytesMax: BODIES_HELD_MAX * bodyBytesMax,
      smallBodyBytesMax: SMALL_BODY_BYTES_MAX,
      discardBytesMax: BODIES_DISCARDED_MAX * bodyBytesMax,
    });
    this.#server = createNodeServer(options.listener, options.limits);
    this.#server.on('connection', (socket: Socket) => this.#track(socket));
    this.#server.on('request', (request: IncomingMessage, response: ServerResponse) => this.#receive(request, response));
    this.#server.on('checkContinue', (request: IncomingMessage, response: ServerResponse) => this.#checkContinue(request, response));
    this.#server.on('checkExpectation', (_request: IncomingMessage, response: ServerResponse) => {
      const refusal = new KmsError('MalformedHttpRequestException', 'The only expectation that is met is 100-continue.');
      this.#send(response, this.#handler.refuse(refusal), false);
    });
    this.#server.on('clientError', (error: NodeJS.ErrnoException, socket: Duplex) => this.#refuseBytes(error, socket));
  }

  async listen(): Promise<WireAddress> {
    const { host, port, tls } = this.#listener;
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', (error) => reject(listenError(error, host, port)));
      this.#server.listen({ host, port }, resolve);
    });
    const bound = (this.#server.address() as AddressInfo).port;
    const name = host.includes(':') ? `[${host}]` : host;
    return { host, port: bound, url: `${tls === undefined ? 'http' : 'https'}://${name}:${bound}` };
  }

  async close({ drainMs }: { readonly drainMs: number }): Promise<void> {
    this.#closing = true;
    const deadline = setTimeout(() => this.#destroySockets(), drainMs);
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    if (this.#busy.size === 0) this.#destroySockets();
    await closed;
    clearTimeout(deadline);
  }

  #track(socket: Socket): void {
    this.#sockets.add(socket);
    socket.once('close', () => this.#sockets.delete(socket));
  }

  #destroySockets(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  #connectionOf(socket: Duplex): Connection {
    let connection = this.#connections.get(socket);
    if (connection === undefined) {
      connection = new Connection(socket as Socket, (idle) => this.#becameIdle(idle));
      this.#connections.set(socket, connection);
    }
    return connection;
  }

  /** At the end nobody waits for connections without a complete request: they could keep silent for ever. */
  #becameIdle(connection: Connection): void {
    this.#busy.delete(connection);
    if (this.#closing && this.#busy.size === 0) setImmediate(() => this.#destroySockets());
  }

  #checkContinue(request: IncomingMessage, response: ServerResponse): void {
    if (this.#bodies.refusesLength(request.headers['content-length'])) {
      const refusal = new KmsError('RequestEntityTooLargeException', 'The announced request body is larger than is accepted.');
      this.#send(response, this.#handler.refuse(refusal), false);
      return;
    }
    response.writeContinue();
    this.#receive(request, response);
  }

  #receive(request: IncomingMessage, response: ServerResponse): void {
    this.#bodies.read(request, (read) => {
      if ('refusal' in read) this.#send(response, this.#handler.refuse(read.refusal), read.complete);
      else void this.#answer(request, response, read.body);
    });
  }

  async #answer(request: IncomingMessage, response: ServerResponse, body: Uint8Array): Promise<void> {
    const connection = this.#connectionOf(request.socket);
    if (connection.signal.aborted) {
      this.#bodies.release(body);
      return;
    }
    connection.begin();
    this.#busy.add(connection);
    this.#requestsInFlight++;
    const { method = '', url: target = '', rawHeaders } = request;
    const reply =
      this.#requestsInFlight > REQUESTS_IN_FLIGHT_MAX
        ? this.#handler.refuse(new KmsError('ServiceUnavailableException', 'Too many requests at once. Try again.'))
        : await this.#handler.handle({ method, target, rawHeaders, body, connection: connection.facts, signal: connection.signal });
    this.#requestsInFlight--;
    this.#bodies.release(body);
    connection.endWith(response, reply.body);
    this.#send(response, reply, true);
  }

  #send(response: ServerResponse, reply: WireResponse, keepAlive: boolean): void {
    if (!keepAlive || this.#closing) reply.headers.push('Connection', 'close');
    this.#replies.add(response, reply);
  }

  /** Answers what is no HTTP request: bytes out of form, a head too large, a request that took too long. */
  #refuseBytes(error: NodeJS.ErrnoException, socket: Duplex): void {
    // A reply out of turn would be taken for the reply to an earlier request of the same connection.
    if (!socket.writable || error.code === 'ECONNRESET' || this.#connectionOf(socket).busy) {
      socket.destroy();
      return;
    }
    const { status, headers, body } = this.#handler.refuse(parseRefusal(error.code));
    let head = `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\nConnection: close\r\n`;
    for (let i = 0; i < headers.length; i += 2) head += `${headers[i]}: ${headers[i + 1]}\r\n`;
    socket.end(`${head}\r\n${body as string}`, () => socket.destroy());
  }
}

function createNodeServer(listener: ListenerConfig, limits: Config['limits']): Server {
  const options: ServerOptions = {
    maxHeaderSize: limits.headerBytesMax,
    headersTimeout: limits.requestTimeoutMs,
    requestTimeout: limits.requestTimeoutMs,
    connectionsCheckingInterval: Math.min(TIMEOUT_CHECK_MS_MAX, limits.requestTimeoutMs),
    keepAliveTimeout: KEEP_ALIVE_MS,
    // The handler refuses it itself, with a reply in the API's shape.
    requireHostHeader: false,
  };
  const { tls } = listener;
  const server =
    tls === undefined
      ? createServer(options)
      : createTlsServer({
          ...options,
          cert: readPem(tls.certificateFile, 'certificate'),
          key: readPem(tls.keyFile, 'private key'),
          minVersion: 'TLSv1.2',
          handshakeTimeout: limits.requestTimeoutMs,
        });
  // Headers are bounded in bytes; a bound on their number would make Node drop the rest without a word.
  server.maxHeadersCount = 0;
  server.maxConnections = limits.connectionsMax;
  server.timeout = SOCKET_IDLE_MS;
  return server;
}

function parseRefusal(code: string | undefined): KmsError {
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT') return new KmsError('RequestTimeoutException', 'The request took too long to arrive.');
  if (code === 'HPE_HEADER_OVERFLOW') return new KmsError('MalformedHttpRequestException', 'The request headers are too large.');
  return new KmsError('MalformedHttpRequestException', 'The request is not valid HTTP/1.1.');
}

function requireAllowed(listener: ListenerConfig, loopbackOnly: boolean): void {
  if (/^(localhost|127\.\d+\.\d+\.\d+|::1)$/.test(listener.host)) return;
  if (loopbackOnly) {
    throw new Error(`auth: emulator listens on loopback only, not on ${listener.host}: use host 127.0.0.1, or auth: sigv4 with TLS`);
  }
  if (listener.tls === undefined) {
    throw new Error(
      `a listener beyond loopback needs TLS: give ${listener.host} a certificate and key (listener.tls), or use host 127.0.0.1`,
    );
  }
}

function readPem(path: string, what: string): Buffer {
  try {
    return readFileSync(path);
  } catch (error) {
    throw new Error(`cannot read the TLS ${what} ${path}: check that the file exists and that this user may read it`, { cause: error });
  }
}

function listenError(error: NodeJS.ErrnoException, host: string, port: number): Error {
  const advice: Record<string, string> = {
    EADDRINUSE: 'another process listens there: stop it, or choose another port',
    EACCES: 'this user may not: choose a port above 1023',
    EADDRNOTAVAIL: 'this machine has no such address',
  };
  return new Error(`cannot listen on ${host}:${port}: ${advice[error.code ?? ''] ?? error.message}`, { cause: error });
}

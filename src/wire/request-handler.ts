/**
 * From one complete HTTP request to one reply, whatever carried them. The order of the steps is a promise: nothing of a body is
 * interpreted before its sender is known, and the service is called last.
 */
import { randomUUID } from 'node:crypto';
import type { Clock } from '../clock.ts';
import { KmsError, isKmsError } from '../errors.ts';
import type { Kms } from '../kms.ts';
import type { Log } from '../log.ts';
import { type Administration, administrationPrefix } from './administration.ts';
import type { Authenticator, ConnectionFacts } from './authenticator.ts';
import { AMZ_JSON, type EncodedOutput, decodeInput, encodeOutput, isAmzJson } from './aws-json.ts';
import { errorReply } from './error-response.ts';
import { type RequestHead, readHead } from './request-head.ts';

/** A request, complete. */
export interface WireRequest {
  readonly method: string;
  /** Request target as it stood in the request line. */
  readonly target: string;
  /** Headers as they came: name, value, name, value. Each character is one byte. */
  readonly rawHeaders: readonly string[];
  /** Overwritten with zeros once it was decoded, because it may hold a plaintext. */
  readonly body: Uint8Array;
  readonly connection: ConnectionFacts;
  /** Aborted when the client has gone. */
  readonly signal?: AbortSignal;
}

/** A reply. */
export interface WireResponse {
  readonly status: number;
  /** Name, value, name, value; Content-Length and Date included, connection management not. */
  readonly headers: string[];
  /** Text, or bytes to be wiped once they were sent. */
  readonly body: EncodedOutput;
}

/** What a request handler needs. */
export interface RequestHandlerParts {
  readonly kms: Kms;
  readonly authenticator: Authenticator;
  /** What a test may ask of the service besides the API. */
  readonly administration?: Administration | undefined;
  readonly clock: Clock;
  readonly log: Log;
  /** True when the service can use its keys; answers GET /readyz. */
  readonly ready: () => boolean | Promise<boolean>;
  /** Makes a request id (UUID). */
  readonly newRequestId?: () => string;
}

const TARGET_PREFIX = 'TrentService.';
const TEXT = 'text/plain; charset=utf-8';

/** What is known of a request while it is answered. */
interface Trace {
  readonly requestId: string;
  readonly startedMs: number;
  operation: string | undefined;
}

/** Answers requests. Has no state but the cached Date header, so that any transport and any number of requests may share it. */
export class RequestHandler {
  readonly #parts: RequestHandlerParts;
  readonly #newRequestId: () => string;
  #dateSecond = Number.NaN;
  #date = '';

  constructor(parts: RequestHandlerParts) {
    this.#parts = parts;
    this.#newRequestId = parts.newRequestId ?? randomUUID;
  }

  /** Answers a request. Never rejects: whatever goes wrong is a reply. */
  async handle(request: WireRequest): Promise<WireResponse> {
    const trace: Trace = { requestId: this.#newRequestId(), startedMs: this.#parts.clock.monotonicMs(), operation: undefined };
    let response: WireResponse;
    try {
      const head = readHead(request.method, request.target, request.rawHeaders);
      response = isHealthCheck(head) ? await this.#health(head, trace) : await this.#operate(head, request, trace);
    } catch (error) {
      response = this.refuse(error, trace.requestId);
    }
    const microseconds = Math.round((this.#parts.clock.monotonicMs() - trace.startedMs) * 1000);
    this.#parts.log.debug({ operation: trace.operation, status: response.status, microseconds, requestId: trace.requestId }, 'answered');
    return response;
  }

  /** The reply for an error; one that is not a KmsError is logged and answered without detail. Others were logged where they arose. */
  refuse(error: unknown, requestId: string = this.#newRequestId()): WireResponse {
    if (!isKmsError(error)) this.#parts.log.error({ err: error, requestId }, 'request failed for a reason that is not the caller’s');
    else if (error.cause !== undefined) this.#parts.log.debug({ err: error.cause, code: error.code, requestId }, 'request refused');
    const { status, body } = errorReply(error);
    return this.#response(status, AMZ_JSON, body, requestId);
  }

  async #operate(head: RequestHead, request: WireRequest, trace: Trace): Promise<WireResponse> {
    if (head.method !== 'POST' || head.path !== '/') throw new KmsError('UnknownOperationException');
    const { body, connection, signal } = request;
    const caller = this.#parts.authenticator.authenticate({ head, body, connection, requestId: trace.requestId });
    const administrative = this.#administrativeOf(head);
    const operation = administrative === undefined ? this.#operationOf(head) : 'administration';
    trace.operation = operation;
    const input = decodeInput(body);
    body.fill(0);
    const output = await (administrative === undefined ? this.#parts.kms.perform(operation, input, caller, signal) : administrative(input));
    return this.#response(200, AMZ_JSON, encodeOutput(output), trace.requestId);
  }

  #administrativeOf(head: RequestHead): ReturnType<Administration['get']> {
    const { administration } = this.#parts;
    const target = administration === undefined ? undefined : head.headers.get('x-amz-target');
    return target?.startsWith(administrationPrefix) ? administration?.get(target.slice(administrationPrefix.length)) : undefined;
  }

  #operationOf(head: RequestHead): string {
    const target = head.headers.get('x-amz-target');
    const operation = target?.startsWith(TARGET_PREFIX) ? target.slice(TARGET_PREFIX.length) : '';
    if (!isAmzJson(head.headers.get('content-type')) || !this.#parts.kms.has(operation)) throw new KmsError('UnknownOperationException');
    return operation;
  }

  async #health(head: RequestHead, trace: Trace): Promise<WireResponse> {
    if (head.path === '/healthz') return this.#response(200, TEXT, 'ok\n', trace.requestId);
    const ready = await this.#parts.ready();
    return this.#response(ready ? 200 : 503, TEXT, ready ? 'ok\n' : 'not ready\n', trace.requestId);
  }

  #response(status: number, contentType: string, body: EncodedOutput, requestId: string): WireResponse {
    const length = typeof body === 'string' ? Buffer.byteLength(body) : body.length;
    const headers = ['x-amzn-RequestId', requestId, 'Content-Type', contentType, 'Content-Length', String(length), 'Date', this.#dateNow()];
    return { status, headers, body };
  }

  /** IMF-fixdate of now; clients correct their clocks by it. */
  #dateNow(): string {
    const second = Math.floor(this.#parts.clock.nowMs() / 1000);
    if (second !== this.#dateSecond) {
      this.#dateSecond = second;
      this.#date = new Date(second * 1000).toUTCString();
    }
    return this.#date;
  }
}

function isHealthCheck(head: RequestHead): boolean {
  return (head.method === 'GET' || head.method === 'HEAD') && (head.path === '/healthz' || head.path === '/readyz');
}

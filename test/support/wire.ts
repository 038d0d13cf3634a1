/** What the wire's tests share: a service that records its calls, a clock that stands still, fresh credentials, a foreign signer, raw sockets. */
import { createHash, createHmac, randomBytes } from 'node:crypto';
import { type Socket, connect } from 'node:net';
import { SignatureV4 } from '@smithy/signature-v4';
import type { Clock } from '../../src/clock.ts';
import type { Config } from '../../src/config/config.ts';
import type { Credential } from '../../src/config/credentials.ts';
import type { Caller, Kms } from '../../src/kms.ts';
import type { Log } from '../../src/log.ts';
import type { OperationOutput } from '../../src/operations/operation.ts';
import { SecretBytes } from '../../src/secret-bytes.ts';

/** A clock whose wall time is set by the test; its monotonic time stands still. */
export class StillClock implements Clock {
  ms: number;
  constructor(ms: number) {
    this.ms = ms;
  }
  nowMs(): number {
    return this.ms;
  }
  monotonicMs(): number {
    return 0;
  }
}

export interface KmsCall {
  readonly operation: string;
  readonly input: unknown;
  readonly caller: Caller;
  readonly signal: AbortSignal | undefined;
}

/** A service with the operations Encrypt, Decrypt, DescribeKey and CreateAlias that records each call and answers with `answer`. */
export class RecordingKms implements Kms {
  readonly calls: KmsCall[] = [];
  answer: (call: KmsCall) => OperationOutput | Promise<OperationOutput> = () => ({});

  perform(operation: string, input: unknown, caller: Caller, signal?: AbortSignal): Promise<OperationOutput> {
    const call = { operation, input, caller, signal };
    this.calls.push(call);
    return new Promise((resolve) => resolve(this.answer(call)));
  }

  /** Makes the next calls wait: `called` resolves with the first, `release` answers the last. */
  hold(): { readonly called: Promise<KmsCall>; readonly release: (output: OperationOutput) => void } {
    let settle: ((output: OperationOutput) => void) | undefined;
    const called = new Promise<KmsCall>((resolve) => {
      this.answer = (call) => {
        resolve(call);
        return new Promise((answered) => (settle = answered));
      };
    });
    return { called, release: (output) => settle?.(output) };
  }

  has(operation: string): boolean {
    return ['Encrypt', 'Decrypt', 'DescribeKey', 'CreateAlias'].includes(operation);
  }
}

/** A log that keeps what it was given, as the lines a reader would see. */
export class RecordingLog implements Log {
  readonly lines: string[] = [];
  debug = (fields: object, message: string): void => void this.lines.push(`debug ${message} ${JSON.stringify(fields)}`);
  info = (fields: object, message: string): void => void this.lines.push(`info ${message} ${JSON.stringify(fields)}`);
  warn = (fields: object, message: string): void => void this.lines.push(`warn ${message} ${JSON.stringify(fields)}`);
  error = (fields: object, message: string): void => void this.lines.push(`error ${message} ${JSON.stringify(fields)}`);
  child = (): Log => this;
}

export interface TestCredential extends Credential {
  readonly secretText: string;
}

/** A credential with a random secret. */
export function newCredential(extra: Partial<Credential> = {}): TestCredential {
  const secretText = randomBytes(30).toString('base64');
  return {
    accessKeyId: `AKIA${randomBytes(8).toString('hex').toUpperCase()}`,
    secret: SecretBytes.fromText(secretText),
    principalArn: 'arn:aws:iam::111122223333:user/alice',
    partition: 'aws',
    account: '111122223333',
    secretText,
    ...extra,
  };
}

/** SHA-256 and HMAC-SHA-256 in the form that the foreign signer asks for. */
class NodeSha256 {
  readonly #hash;
  constructor(secret?: string | ArrayBuffer | ArrayBufferView) {
    this.#hash = secret === undefined ? createHash('sha256') : createHmac('sha256', secret as string);
  }
  update(data: string | Uint8Array): void {
    this.#hash.update(data);
  }
  async digest(): Promise<Uint8Array> {
    return Promise.resolve(this.#hash.digest());
  }
}

export interface SignOptions {
  readonly credential: { readonly accessKeyId: string; readonly secretText: string };
  readonly atMs: number;
  readonly body?: string | Uint8Array;
  readonly region?: string;
  readonly service?: string;
  readonly host?: string;
  readonly operation?: string;
  readonly sessionToken?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly path?: string;
  readonly query?: Readonly<Record<string, string>>;
}

/** Headers of a request signed by @smithy/signature-v4, which shares no code with ours. */
export async function signedHeaders(options: SignOptions): Promise<Record<string, string>> {
  const { credential, region = 'eu-central-1', service = 'kms', host = '127.0.0.1', operation = 'Encrypt', body = '{}' } = options;
  const signer = new SignatureV4({
    service,
    region,
    sha256: NodeSha256,
    credentials: {
      accessKeyId: credential.accessKeyId,
      secretAccessKey: credential.secretText,
      ...(options.sessionToken === undefined ? {} : { sessionToken: options.sessionToken }),
    },
  });
  const signed = await signer.sign(
    {
      method: 'POST',
      protocol: 'http:',
      hostname: host,
      path: options.path ?? '/',
      query: { ...options.query },
      headers: { host, 'content-type': 'application/x-amz-json-1.1', 'x-amz-target': `TrentService.${operation}`, ...options.headers },
      body,
    },
    { signingDate: new Date(options.atMs) },
  );
  return signed.headers;
}

/** Headers as a transport gives them: name, value, name, value. */
export function rawHeadersOf(headers: Readonly<Record<string, string>>): string[] {
  return Object.entries(headers).flat();
}

/** A request as bytes on the wire, with its Content-Length. */
export function requestBytes(
  headers: Readonly<Record<string, string>>,
  body: string | Uint8Array = '{}',
  requestLine = 'POST / HTTP/1.1',
): Buffer {
  const bytes = Buffer.from(body);
  const lines = Object.entries({ ...headers, 'content-length': String(bytes.length) }).map(([name, value]) => `${name}: ${value}\r\n`);
  return Buffer.concat([Buffer.from(`${requestLine}\r\n${lines.join('')}\r\n`, 'latin1'), bytes]);
}

/** Limits small enough that tests reach them at once. */
export const smallLimits: Config['limits'] = { bodyBytesMax: 16_384, headerBytesMax: 8_192, requestTimeoutMs: 300, connectionsMax: 50 };

/** A socket that remembers what it received. */
export class RawClient {
  readonly socket: Socket;
  received = '';
  closed = false;
  readonly #waiting: (() => void)[] = [];

  constructor(port: number) {
    this.socket = connect(port, '127.0.0.1');
    this.socket.on('data', (chunk: Buffer) => {
      this.received += chunk.toString('latin1');
      this.#wake();
    });
    this.socket.on('connect', () => this.#wake());
    this.socket.on('error', () => {});
    this.socket.on('close', () => {
      this.closed = true;
      this.#wake();
    });
  }

  /** Resolves when `reached` holds; rejects when it does not within the bound. */
  async until(reached: (client: RawClient) => boolean, boundMs = 10_000): Promise<void> {
    const deadline = Date.now() + boundMs;
    while (!reached(this)) {
      const leftMs = deadline - Date.now();
      if (leftMs <= 0) throw new Error(`not reached within ${boundMs} ms; received: ${this.received.slice(0, 2000)}`);
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, leftMs);
        this.#waiting.push(() => {
          clearTimeout(timer);
          resolve();
        });
      });
    }
  }

  #wake(): void {
    for (const resolve of this.#waiting.splice(0)) resolve();
  }
}

/** Status codes of the replies in a stream of bytes, in order. */
export function statusesIn(received: string): number[] {
  return Array.from(received.matchAll(/HTTP\/1\.1 (\d{3})/g), ([, status]) => Number(status));
}

import { beforeEach, describe, expect, it } from 'vitest';
import { KmsError } from '../../../src/errors.ts';
import { type WireRequest, type WireResponse, RequestHandler } from '../../../src/wire/request-handler.ts';
import { emulatorAuthenticator } from '../../../src/wire/emulator-authenticator.ts';
import { sigv4Authenticator } from '../../../src/wire/sigv4/sigv4-authenticator.ts';
import {
  RecordingKms,
  RecordingLog,
  StillClock,
  type SignOptions,
  newCredential,
  rawHeadersOf,
  signedHeaders,
} from '../../support/wire.ts';

const NOW = Date.UTC(2026, 10, 23, 12, 0, 0);
const alice = newCredential();
const emulatorCredential =
  'AWS4-HMAC-SHA256 Credential=test/20261123/us-east-1/kms/aws4_request, SignedHeaders=host, Signature=' + '0'.repeat(64);

let kms: RecordingKms;
let log: RecordingLog;
let clock: StillClock;
let ready: boolean;
let handler: RequestHandler;
beforeEach(() => {
  kms = new RecordingKms();
  log = new RecordingLog();
  clock = new StillClock(NOW);
  ready = true;
  handler = new RequestHandler({
    kms,
    log,
    clock,
    authenticator: sigv4Authenticator({ credentials: { find: (id) => (id === alice.accessKeyId ? alice : undefined) }, clock }),
    ready: () => ready,
    newRequestId: () => 'request-1',
  });
});

async function send(
  body: string | Uint8Array,
  options: Partial<SignOptions> = {},
  change: Partial<WireRequest> = {},
): Promise<WireResponse> {
  const headers = await signedHeaders({ credential: alice, atMs: clock.ms, body, ...options });
  return handler.handle({
    method: 'POST',
    target: '/',
    rawHeaders: rawHeadersOf(headers),
    body: Buffer.from(body),
    connection: { sourceAddress: '192.0.2.7', secureTransport: false },
    ...change,
  });
}

const headersIn = (response: WireResponse): Record<string, string> =>
  Object.fromEntries(
    Array.from({ length: response.headers.length / 2 }, (_, i) => response.headers.slice(2 * i, 2 * i + 2)) as [string, string][],
  );
const textOf = (response: WireResponse): string =>
  typeof response.body === 'string' ? response.body : Buffer.from(response.body).toString();
const errorOf = (response: WireResponse): string | undefined => /^\{"__type":"(\w+)"/.exec(textOf(response))?.[1];

const get = (target: string): Promise<WireResponse> => send('', {}, { method: 'GET', target, rawHeaders: ['host', 'x'] });

describe('the request handler', () => {
  it('hands the decoded input, the caller and the signal to the service, and encodes its answer', async () => {
    kms.answer = () => ({ CiphertextBlob: Uint8Array.of(1, 2, 3) });
    const { signal } = new AbortController();
    const response = await send('{"KeyId":"alias/x","Plaintext":"aGk="}', {}, { signal });
    expect(response).toEqual({
      status: 200,
      headers: rawHeadersOf({
        'x-amzn-RequestId': 'request-1',
        'Content-Type': 'application/x-amz-json-1.1',
        'Content-Length': '25',
        Date: 'Mon, 23 Nov 2026 12:00:00 GMT',
      }),
      body: '{"CiphertextBlob":"AQID"}',
    });
    expect(kms.calls).toHaveLength(1);
    expect(kms.calls[0]).toMatchObject({
      operation: 'Encrypt',
      input: { KeyId: 'alias/x', Plaintext: 'aGk=' },
      caller: { account: '111122223333', requestId: 'request-1' },
    });
    expect(kms.calls[0]?.signal).toBe(signal);
  });

  it('has administrative requests only where it was given some, from callers it knows', async () => {
    const parts = { kms, log, clock, ready: () => ready, authenticator: emulatorAuthenticator() };
    const counting = new RequestHandler({
      ...parts,
      administration: new Map([['Count', async (input) => ({ Members: Object.keys(input).length })]]),
    });
    const headers = {
      host: 'localhost',
      'content-type': 'application/x-amz-json-1.1',
      'x-amz-target': 'HsmKms.Count',
      authorization: emulatorCredential,
    };
    const ask = async (to: RequestHandler, change: object = {}): Promise<WireResponse> =>
      to.handle({
        method: 'POST',
        target: '/',
        rawHeaders: rawHeadersOf({ ...headers, ...change }),
        body: Buffer.from('{"a":1}'),
        connection: { sourceAddress: '127.0.0.1', secureTransport: false },
      });
    expect(textOf(await ask(counting))).toBe('{"Members":1}');
    expect(errorOf(await ask(counting, { origin: 'http://localhost' }))).toBe('AccessDeniedException');
    expect(errorOf(await ask(counting, { 'x-amz-target': 'HsmKms.Other' }))).toBe('UnknownOperationException');
    expect(errorOf(await ask(new RequestHandler(parts)))).toBe('UnknownOperationException');
    expect(kms.calls).toEqual([]);
  });

  it('dates replies by the clock it was given', async () => {
    await send('{}');
    clock.ms += 1500;
    expect(headersIn(await send('{}'))['Date']).toBe('Mon, 23 Nov 2026 12:00:01 GMT');
  });

  it('answers an operation without output with an empty body', async () => {
    kms.answer = () => undefined;
    const response = await send('{}', { operation: 'CreateAlias' });
    expect([response.status, response.body, headersIn(response)['Content-Length']]).toEqual([200, '', '0']);
  });

  it('answers errors with all headers of a reply', async () => {
    kms.answer = () => {
      throw new KmsError('InvalidCiphertextException');
    };
    const response = await send('{}', { operation: 'Decrypt' });
    expect([response.status, response.body]).toEqual([400, '{"__type":"InvalidCiphertextException"}']);
    expect(headersIn(response)).toEqual({
      'x-amzn-RequestId': 'request-1',
      'Content-Type': 'application/x-amz-json-1.1',
      'Content-Length': '39',
      Date: 'Mon, 23 Nov 2026 12:00:00 GMT',
    });
  });

  it('tells the client nothing of a failure that is not a KmsError, and the log its request id', async () => {
    kms.answer = () => {
      throw new Error('the token is on fire');
    };
    const response = await send('{}');
    expect([response.status, response.body]).toEqual([500, '{"__type":"KMSInternalException"}']);
    expect(log.lines.filter((line) => line.startsWith('error') && line.includes('request-1'))).toHaveLength(1);
  });

  it('refuses an answer that JSON cannot carry as a failure of its own', async () => {
    kms.answer = () => ({ Limit: 1n });
    expect(errorOf(await send('{}'))).toBe('KMSInternalException');
  });

  it('logs operation, status and request id, never a body or a credential', async () => {
    kms.answer = () => ({ Plaintext: Buffer.from('very secret') });
    await send('{"KeyId":"alias/x","Plaintext":"c2VjcmV0"}', { operation: 'Decrypt' });
    expect(log.lines).toEqual(['debug answered {"operation":"Decrypt","status":200,"microseconds":0,"requestId":"request-1"}']);
  });

  it('overwrites the body of a request once it was decoded', async () => {
    const text = '{"Plaintext":"c2VjcmV0"}';
    const body = Buffer.from(text);
    await send(text, {}, { body });
    expect(body.every((byte) => byte === 0)).toBe(true);
  });

  it('interprets nothing of a body whose sender is not known', async () => {
    const bad = await send(
      '{not json',
      {},
      { rawHeaders: ['host', 'x', 'content-type', 'application/x-amz-json-1.1', 'x-amz-target', 'TrentService.Nonsense'] },
    );
    expect(errorOf(bad)).toBe('MissingAuthenticationTokenException');
    expect(errorOf(await send('{not json'))).toBe('SerializationException');
    expect(kms.calls).toEqual([]);
  });

  it.each([
    ['Nonsense', undefined],
    ['', undefined],
    ['Encrypt', 'application/json'],
    ['Encrypt', 'application/x-amz-json-1.0'],
  ])('does not know the operation %j with content type %s', async (operation, contentType) => {
    const headers = contentType === undefined ? {} : { headers: { 'content-type': contentType } };
    const response = await send('{}', { operation, ...headers });
    expect([response.status, response.body]).toEqual([400, '{"__type":"UnknownOperationException"}']);
    expect(kms.calls).toEqual([]);
  });

  it.each([
    ['GET', '/'],
    ['PUT', '/'],
    ['OPTIONS', '*'],
    ['POST', '/index'],
    ['POST', 'http://attacker.example/'],
    ['POST', '//'],
  ])('does not serve %s %s', async (method, target) => {
    expect(errorOf(await send('{}', {}, { method, target }))).toBe('UnknownOperationException');
    expect(kms.calls).toEqual([]);
  });

  it('answers health checks without a signature', async () => {
    expect(await get('/healthz')).toMatchObject({ status: 200, body: 'ok\n' });
    expect(await get('/readyz')).toMatchObject({ status: 200, body: 'ok\n' });
    ready = false;
    expect(await get('/readyz')).toMatchObject({ status: 503, body: 'not ready\n' });
    expect(await get('/healthz')).toMatchObject({ status: 200 });
  });
});

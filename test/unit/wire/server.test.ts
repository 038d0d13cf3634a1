import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect as connectTls } from 'node:tls';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { systemClock } from '../../../src/clock.ts';
import type { ListenerConfig } from '../../../src/config/config.ts';
import { emulatorAuthenticator } from '../../../src/wire/emulator-authenticator.ts';
import { type WireServer, openWireServer } from '../../../src/wire/server.ts';
import { sigv4Authenticator } from '../../../src/wire/sigv4/sigv4-authenticator.ts';
import {
  RawClient,
  RecordingKms,
  RecordingLog,
  newCredential,
  requestBytes,
  signedHeaders,
  smallLimits,
  statusesIn,
} from '../../support/wire.ts';

const alice = newCredential();
const loopback: ListenerConfig = { host: '127.0.0.1', port: 0, tls: undefined };

let kms: RecordingKms;
let log: RecordingLog;
let server: WireServer;
let port: number;
const clients: RawClient[] = [];

function open(listener: ListenerConfig = loopback, limits = smallLimits): WireServer {
  const credentials = { find: (id: string) => (id === alice.accessKeyId ? alice : undefined) };
  const authenticator = sigv4Authenticator({ credentials, clock: systemClock });
  return openWireServer({ kms, log, clock: systemClock, authenticator, ready: () => true, listener, limits });
}

function client(): RawClient {
  const opened = new RawClient(port);
  clients.push(opened);
  return opened;
}

const sign = (body: string | Uint8Array = '{}'): Promise<Record<string, string>> =>
  signedHeaders({ credential: alice, atMs: Date.now(), body });
const answered = (count: number) => (raw: RawClient) => statusesIn(raw.received).length >= count && raw.received.endsWith('}');

/** What every refusal must be: one reply of the API's shape, with its id and date, and no call. */
function expectRefusal(raw: RawClient, status: number, type: string): void {
  expect(statusesIn(raw.received)).toEqual([status]);
  expect(raw.received).toContain(`{"__type":"${type}"`);
  expect(raw.received).toMatch(/x-amzn-RequestId: [0-9a-f-]{36}\r\n/);
  expect(raw.received).toMatch(/Date: \w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT\r\n/);
  expect(raw.received).toMatch(/Content-Type: application\/x-amz-json-1.1\r\n/);
  expect(raw.received).toMatch(/Content-Length: \d+\r\n/);
  expect(kms.calls).toEqual([]);
}

beforeEach(async () => {
  kms = new RecordingKms();
  log = new RecordingLog();
  server = open();
  ({ port } = await server.listen());
});
afterEach(async () => {
  for (const { socket } of clients.splice(0)) socket.destroy();
  await server.close({ drainMs: 0 });
});

describe('ordinary traffic', () => {
  it('keeps the connection, and answers pipelined requests in order', async () => {
    let turn = 0;
    kms.answer = async () => {
      const mine = turn++;
      // The first one is answered last.
      if (mine === 0) await new Promise((resolve) => setImmediate(() => setImmediate(resolve)));
      return { Turn: mine };
    };
    const raw = client();
    const request = requestBytes(await sign());
    raw.socket.write(Buffer.concat([request, request, request]));
    await raw.until(answered(3));
    expect(Array.from(raw.received.matchAll(/"Turn":(\d)/g), ([, n]) => n)).toEqual(['0', '1', '2']);
    expect(raw.received).toMatch(/Connection: keep-alive/);
    raw.socket.write(request);
    await raw.until(answered(4));
  });

  it('takes a body in chunks, and one sent byte by byte', async () => {
    const { 'content-length': _, ...headers } = await sign('{"KeyId":"x"}');
    const chunked = client();
    const head = Object.entries(headers)
      .map(([name, value]) => `${name}: ${value}\r\n`)
      .join('');
    chunked.socket.write(`POST / HTTP/1.1\r\n${head}transfer-encoding: chunked\r\n\r\n5\r\n{"Key\r\n8\r\nId":"x"}\r\n0\r\n\r\n`);
    await chunked.until(answered(1));
    const slow = client();
    slow.socket.setNoDelay(true);
    for (const byte of requestBytes(headers, '{"KeyId":"x"}')) slow.socket.write(Uint8Array.of(byte));
    await slow.until(answered(1));
    expect(kms.calls.map(({ input }) => input)).toEqual([{ KeyId: 'x' }, { KeyId: 'x' }]);
  });

  it('says 100 Continue to who asks, and refuses at once what would be too large', async () => {
    const raw = client();
    const bytes = requestBytes({ ...(await sign()), expect: '100-continue' });
    raw.socket.write(bytes.subarray(0, -2));
    await raw.until(({ received }) => received.includes('100 Continue'));
    expect(kms.calls).toEqual([]);
    raw.socket.write('{}');
    await raw.until(answered(2));
    expect(statusesIn(raw.received)).toEqual([100, 200]);
    kms.calls.length = 0;
    const large = client();
    large.socket.write(`POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 20000\r\nexpect: 100-continue\r\n\r\n`);
    await large.until(({ closed }) => closed);
    expectRefusal(large, 413, 'RequestEntityTooLargeException');
    const odd = client();
    odd.socket.write(`POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 2\r\nexpect: miracles\r\n\r\n{}`);
    await odd.until(({ closed }) => closed);
    expectRefusal(odd, 400, 'MalformedHttpRequestException');
  });

  it('tells the service when the client has gone', async () => {
    const { called } = kms.hold();
    const raw = client();
    raw.socket.write(requestBytes(await sign()));
    const signal = (await called).signal!;
    expect(signal.aborted).toBe(false);
    const aborted = new Promise((resolve) => signal.addEventListener('abort', resolve));
    raw.socket.destroy();
    await aborted;
  });

  it('overwrites a reply with a plaintext once it was sent', async () => {
    const plaintext = Buffer.from('a data key');
    kms.answer = () => ({ Plaintext: plaintext });
    const raw = client();
    raw.socket.write(requestBytes(await sign()));
    await raw.until(answered(1));
    expect(raw.received).toContain(`{"Plaintext":"${Buffer.from('a data key').toString('base64')}"}`);
    expect(plaintext.every((byte) => byte === 0)).toBe(true);
  });
});

describe('hostile input', () => {
  it.each([1, 15])('refuses a body of %i KiB over the limit after reading it, and keeps the connection', async (excess) => {
    const raw = client();
    raw.socket.write(requestBytes(await sign(), Buffer.alloc(smallLimits.bodyBytesMax + excess * 1024, 0x20)));
    await raw.until(answered(1));
    expectRefusal(raw, 413, 'RequestEntityTooLargeException');
    raw.socket.write(requestBytes(await sign()));
    await raw.until(answered(2));
  });

  it('stops reading a body without end', async () => {
    const raw = client();
    raw.socket.write('POST / HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n');
    const chunk = Buffer.concat([Buffer.from('10000\r\n'), Buffer.alloc(65_536), Buffer.from('\r\n')]);
    const pump = (): void => {
      while (!raw.closed && raw.socket.write(chunk));
    };
    raw.socket.on('drain', pump);
    pump();
    await raw.until(({ closed }) => closed);
    expect(statusesIn(raw.received)[0] ?? 413).toBe(413);
    // 16 times the limit was read, the rest is in the kernel's buffers.
    expect(raw.socket.bytesWritten).toBeLessThan(16 * 1024 * 1024);
    expect(kms.calls).toEqual([]);
  });

  it('answers 408 to each of several bodies that never end, and serves on', async () => {
    const senders = Array.from({ length: 3 }, client);
    for (const raw of senders) raw.socket.write(requestBytes(await sign(), Buffer.alloc(smallLimits.bodyBytesMax)).subarray(0, -1));
    for (const raw of senders) await raw.until(({ closed }) => closed);
    for (const raw of senders) expectRefusal(raw, 408, 'RequestTimeoutException');
    const next = client();
    next.socket.write(requestBytes(await sign()));
    await next.until(answered(1));
    expect(statusesIn(next.received)).toEqual([200]);
  });

  it.each([
    ['a head that never ends', 'POST / HTTP/1.1\r\nhost: x\r\n'],
    ['a body that never ends', 'POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 10\r\n\r\n{'],
  ])('ends %s with 408 in bounded time', async (_what, start) => {
    const raw = client();
    raw.socket.write(start);
    await raw.until(({ closed }) => closed);
    expectRefusal(raw, 408, 'RequestTimeoutException');
  });

  it.each([
    ['headers larger than the limit', `POST / HTTP/1.1\r\nhost: x\r\nx-large: ${'a'.repeat(9000)}\r\n\r\n`],
    ['more than 100 headers', `POST / HTTP/1.1\r\nhost: x\r\n${'x: 1\r\n'.repeat(100)}\r\n`],
    ['no HTTP', '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03'],
    ['no Host', 'POST / HTTP/1.1\r\ncontent-length: 2\r\n\r\n{}'],
    ['two Hosts', 'POST / HTTP/1.1\r\nhost: x\r\nhost: y\r\ncontent-length: 2\r\n\r\n{}'],
    ['two targets', 'POST / HTTP/1.1\r\nhost: x\r\nx-amz-target: a\r\nx-amz-target: b\r\ncontent-length: 2\r\n\r\n{}'],
    ['two signatures', 'POST / HTTP/1.1\r\nhost: x\r\nauthorization: a\r\nauthorization: b\r\ncontent-length: 2\r\n\r\n{}'],
    ['two dates', 'POST / HTTP/1.1\r\nhost: x\r\nx-amz-date: a\r\nx-amz-date: b\r\ncontent-length: 2\r\n\r\n{}'],
    ['two lengths', 'POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 2\r\ncontent-length: 2\r\n\r\n{}'],
    ['two lengths in one', 'POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 2, 2\r\n\r\n{}'],
    ['a negative length', 'POST / HTTP/1.1\r\nhost: x\r\ncontent-length: -1\r\n\r\n'],
    ['a length and chunks', 'POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 2\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n'],
    ['an unknown coding', 'POST / HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked, gzip\r\n\r\n0\r\n\r\n'],
    ['a chunk size that is none', 'POST / HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n'],
    ['a header name with a blank', 'POST / HTTP/1.1\r\nhost: x\r\ncontent-length : 2\r\n\r\n{}'],
    ['a NUL in a header', 'POST / HTTP/1.1\r\nhost: x\r\nx-note: a\0b\r\n\r\n'],
    ['lines that end in LF alone', 'POST / HTTP/1.1\nhost: x\ncontent-length: 2\n\n{}'],
  ])('refuses %s', async (_what, bytes) => {
    const raw = client();
    raw.socket.write(Buffer.from(bytes, 'latin1'));
    await raw.until((reached) => reached.closed || answered(1)(reached));
    expectRefusal(raw, 400, 'MalformedHttpRequestException');
  });

  it.each<[string, string | Uint8Array]>([
    ['malformed JSON', '{"KeyId":'],
    ['JSON that is no object', '[]'],
    ['deep nesting', `{"a":${'['.repeat(8000)}${']'.repeat(8000)}}`],
    ['invalid UTF-8', Buffer.from('{"KeyId":"\xff"}', 'latin1')],
  ])('refuses %s, properly signed', async (_what, body) => {
    const raw = client();
    raw.socket.write(requestBytes(await sign(body), body));
    await raw.until(answered(1));
    expectRefusal(raw, 400, 'SerializationException');
  });

  it('does not answer out of turn: bad bytes behind a good request end the connection', async () => {
    const { called, release } = kms.hold();
    const raw = client();
    raw.socket.write(requestBytes(await sign()));
    await called;
    raw.socket.write('\0\0\0\0\r\n\r\n');
    await raw.until(({ closed }) => closed);
    expect(raw.received).toBe('');
    release({});
  });

  it('serves others while many connections stall', async () => {
    const stalled = Array.from({ length: 30 }, client);
    for (const raw of stalled) raw.socket.write('POST / HTTP/1.1\r\nhost: x\r\n');
    const raw = client();
    raw.socket.write(requestBytes(await sign()));
    await raw.until(answered(1));
    expect(statusesIn(raw.received)).toEqual([200]);
  });

  it('drops connections beyond its bound', async () => {
    const others = Array.from({ length: smallLimits.connectionsMax }, client);
    for (const other of others) await other.until(({ socket }) => socket.readyState === 'open');
    const surplus = client();
    await surplus.until(({ closed }) => closed);
    expect(surplus.received).toBe('');
  });
});

describe('the end', () => {
  it('lets a request in flight finish, refuses new connections, and closes idle ones', async () => {
    const { called, release } = kms.hold();
    const idle = client();
    await idle.until(({ socket }) => socket.readyState === 'open');
    const busy = client();
    busy.socket.write(requestBytes(await sign()));
    await called;
    const closed = server.close({ drainMs: 10_000 });
    const late = client();
    await late.until((raw) => raw.closed);
    release({ Done: true });
    await closed;
    await busy.until((raw) => raw.closed);
    expect(busy.received).toContain('{"Done":true}');
    expect(busy.received).toMatch(/Connection: close/i);
  });

  it('is not delayed beyond its bound by a request that never ends', async () => {
    const { called } = kms.hold();
    const raw = client();
    raw.socket.write(requestBytes(await sign()));
    await called;
    await server.close({ drainMs: 10 });
    await raw.until(({ closed }) => closed);
    expect(raw.received).toBe('');
  });
});

describe('where a server may listen', () => {
  it('is told when the address is taken, and what to do', async () => {
    const taken = createServer();
    await new Promise<void>((resolve) => taken.listen(0, '127.0.0.1', resolve));
    const { port: takenPort } = taken.address() as { port: number };
    await expect(open({ ...loopback, port: takenPort }).listen()).rejects.toThrow(
      `cannot listen on 127.0.0.1:${takenPort}: another process listens there: stop it, or choose another port`,
    );
    await new Promise((resolve) => taken.close(resolve));
  });

  it('is loopback only without TLS, and with the emulator’s authentication', () => {
    expect(() => open({ ...loopback, host: '0.0.0.0' })).toThrow('a listener beyond loopback needs TLS');
    const tls = { certificateFile: '/none', keyFile: '/none' };
    const emulator = { kms, log, clock: systemClock, authenticator: emulatorAuthenticator(), ready: () => true, limits: smallLimits };
    expect(() => openWireServer({ ...emulator, listener: { host: '0.0.0.0', port: 0, tls } })).toThrow(
      'auth: emulator listens on loopback only',
    );
  });

  it('is over TLS 1.2 or newer with a certificate, which must be readable', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'wire-tls-'));
    const tls = { certificateFile: join(directory, 'certificate.pem'), keyFile: join(directory, 'key.pem') };
    expect(() => open({ ...loopback, tls })).toThrow(`cannot read the TLS certificate ${tls.certificateFile}`);
    const subject = ['-subj', '/CN=localhost', '-days', '1', '-keyout', tls.keyFile, '-out', tls.certificateFile];
    execFileSync('openssl', ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', ...subject], {
      stdio: 'ignore',
    });
    const secure = open({ ...loopback, tls });
    const { url, port: tlsPort } = await secure.listen();
    expect(url).toBe(`https://127.0.0.1:${tlsPort}`);
    const protocol = (maxVersion: 'TLSv1.1' | 'TLSv1.2' | 'TLSv1.3'): Promise<string | null> =>
      new Promise((resolve, reject) => {
        const socket = connectTls({ host: '127.0.0.1', port: tlsPort, rejectUnauthorized: false, minVersion: 'TLSv1', maxVersion }, () => {
          resolve(socket.getProtocol());
          socket.destroy();
        });
        socket.on('error', reject);
      });
    expect(await protocol('TLSv1.3')).toBe('TLSv1.3');
    expect(await protocol('TLSv1.2')).toBe('TLSv1.2');
    await expect(protocol('TLSv1.1')).rejects.toThrow();
    await secure.close({ drainMs: 100 });
    rmSync(directory, { recursive: true });
  });
});

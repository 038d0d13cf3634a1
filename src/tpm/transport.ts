/**
 * The way to a TPM: one command out, one response back. A TCP connection to an emulator (swtpm), or a child process that holds the
 * device. Knows of a message no more than its header.
 */
import { spawn } from 'node:child_process';
import { accessSync, constants, statSync } from 'node:fs';
import { connect } from 'node:net';
import type { Readable, Writable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { messageBytesMax } from './marshalling.ts';
import { TpmError } from './tpm-error.ts';

/** Tag, size and code (Part 1, section 18.2): the size stands at byte 2. */
export const headerBytes = 10;
const sizeOffset = 2;

/** Where a TPM is: a character device such as /dev/tpmrm0, or an emulator that takes commands over TCP. */
export type TpmAddress =
  { readonly kind: 'device'; readonly path: string } | { readonly kind: 'tcp'; readonly host: string; readonly port: number };

/** An open way to a TPM. One exchange at a time. */
export interface TpmTransport {
  /** Sends one command and gives its response, whose size field is right. Rejects with TpmError, at the latest when `close` is called. */
  exchange(command: Uint8Array): Promise<Uint8Array>;
  /** Ends the connection, and with `reason` the exchange under way. */
  close(reason?: TpmError): void;
}

/** The address as a person writes it. */
export function addressText(address: TpmAddress): string {
  return address.kind === 'device' ? address.path : `${address.host}:${address.port}`;
}

/** Opens the way to a TPM. Throws TpmError `unreachable` where the device is not there; a broken connection shows at the first exchange. */
export function openTransport(address: TpmAddress): TpmTransport {
  return address.kind === 'device' ? openDevice(address.path) : openTcp(address);
}

function openTcp(address: TpmAddress & { kind: 'tcp' }): TpmTransport {
  const socket = connect({ host: address.host, port: address.port, noDelay: true });
  const transport = new StreamTransport(socket, socket, () => socket.destroy());
  const at = addressText(address);
  socket.on('error', (error) =>
    transport.close(new TpmError('unreachable', `no TPM answers at ${at}: ${error.message}. Start the emulator`, { cause: error })),
  );
  socket.on('close', () =>
    transport.close(new TpmError('unreachable', `the TPM at ${at} closed the connection. Is it in use by another program?`)),
  );
  return transport;
}

/** A call into a device cannot be given up: it would hold this process even at its end. So a child process makes it, and can be killed. */
function openDevice(path: string): TpmTransport {
  checkDevice(path);
  const child = spawn(process.execPath, [...deviceProcessArguments(), path], { stdio: ['pipe', 'pipe', 'pipe'], env: {} });
  const transport = new StreamTransport(child.stdout, child.stdin, () => {
    child.kill('SIGKILL');
    // One that the kernel does not let end keeps this process neither.
    for (const stream of [child.stdin, child.stdout, child.stderr]) stream.destroy();
    child.unref();
  });
  let words = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    words = `${words}${text}`.slice(0, messageBytesMax);
  });
  child.on('error', (error) => transport.close(new TpmError('unreachable', `no process for the TPM could be started: ${error.message}`)));
  child.on('close', () =>
    transport.close(new TpmError('unreachable', `the TPM ${path} cannot be used: ${words.trim() || 'its process ended'}`)),
  );
  return transport;
}

function checkDevice(path: string): void {
  try {
    if (!statSync(path).isCharacterDevice()) throw new Error('it is not a device');
    accessSync(path, constants.R_OK | constants.W_OK);
  } catch (error) {
    const remedy = 'Is a TPM 2.0 enabled in the firmware, and this user in the group of the device (tss)?';
    throw new TpmError('unreachable', `the TPM ${path} cannot be opened: ${(error as Error).message}. ${remedy}`, { cause: error });
  }
}

/** From source, the child loads TypeScript with tsx, a development dependency. */
function deviceProcessArguments(): readonly string[] {
  if (!import.meta.url.endsWith('.ts')) return [fileURLToPath(new URL('device-process.js', import.meta.url))];
  return ['--import', import.meta.resolve('tsx'), fileURLToPath(new URL('device-process.ts', import.meta.url))];
}

/** Cuts a stream of bytes into responses. */
class StreamTransport implements TpmTransport {
  readonly #output: Writable;
  readonly #end: () => void;
  #received: Uint8Array[] = [];
  #waiting: PromiseWithResolvers | undefined;
  #closed: TpmError | undefined;

  constructor(input: Readable, output: Writable, end: () => void) {
    this.#output = output;
    this.#end = end;
    input.on('data', (chunk: Uint8Array) => this.#receive(chunk));
    // A broken pipe is told by the end of the other side too.
    output.on('error', () => {});
  }

  exchange(command: Uint8Array): Promise<Uint8Array> {
    return new Promise((resolve, reject) => {
      if (this.#closed !== undefined) return reject(this.#closed);
      this.#waiting = { resolve, reject };
      this.#output.write(command.slice());
    });
  }

  close(reason = new TpmError('unreachable', 'the connection to the TPM was closed')): void {
    if (this.#closed !== undefined) return;
    this.#closed = reason;
    this.#end();
    this.#waiting?.reject(reason);
    this.#waiting = undefined;
  }

  #receive(chunk: Uint8Array): void {
    this.#received.push(chunk);
    const bytes = Buffer.concat(this.#received);
    if (this.#waiting === undefined || bytes.length > messageBytesMax) return this.#refuse();
    if (bytes.length < headerBytes) return;
    const size = bytes.readUInt32BE(sizeOffset);
    if (size < headerBytes || size > messageBytesMax || bytes.length > size) return this.#refuse();
    if (bytes.length < size) return;
    this.#received = [];
    const { resolve } = this.#waiting;
    this.#waiting = undefined;
    resolve(bytes);
  }

  #refuse(): void {
    this.close(new TpmError('malformed', 'what answers is not a TPM 2.0: its messages have no valid size. Check the address'));
  }
}

interface PromiseWithResolvers {
  readonly resolve: (response: Uint8Array) => void;
  readonly reject: (reason: TpmError) => void;
}

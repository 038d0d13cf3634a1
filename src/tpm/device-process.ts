/**
 * The process that holds the device of a TPM: commands on standard input, responses on standard output. A call into the kernel that
 * does not return costs this process only. What passes is encrypted where it is secret. Argument: the path of the device.
 */
import { closeSync, constants, openSync, readSync, writeSync } from 'node:fs';

const messageBytesMax = 4_096;
const headerBytes = 10;
const sizeOffset = 2;

function readExactly(descriptor: number, bytes: Buffer, from: number, to: number): void {
  for (let at = from; at < to;) {
    const count = readSync(descriptor, bytes, at, to - at, null);
    if (count === 0) throw new Error('it ended in the middle of a message');
    at += count;
  }
}

/** The device gives a response in one read where the buffer is large enough; what is left of it comes with the next. */
function readMessage(descriptor: number): Buffer {
  const bytes = Buffer.alloc(messageBytesMax);
  let length = 0;
  while (length < headerBytes) {
    const count = readSync(descriptor, bytes, length, bytes.length - length, null);
    if (count === 0) throw new Error('it gave no response');
    length += count;
  }
  const size = Math.min(bytes.readUInt32BE(sizeOffset), messageBytesMax);
  readExactly(descriptor, bytes, length, size);
  return bytes.subarray(0, Math.max(length, size));
}

function serve(path: string): void {
  const device = openSync(path, constants.O_RDWR | constants.O_NOCTTY);
  let command = Buffer.alloc(0);
  process.stdin.on('data', (chunk: Buffer) => {
    command = Buffer.concat([command, chunk]);
    if (command.length < headerBytes || command.length < command.readUInt32BE(sizeOffset)) return;
    // One write is one command: the device takes no part of one.
    writeSync(device, command);
    command = Buffer.alloc(0);
    writeSync(1, readMessage(device));
  });
  process.stdin.on('end', () => closeSync(device));
}

process.on('uncaughtException', ({ message }) => {
  writeSync(2, message);
  process.exit(1);
});
serve(process.argv[2] ?? '');

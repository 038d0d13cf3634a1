import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, test } from 'vitest';
import { withTpm } from '../../../src/tpm/connection.ts';
import { getProperty } from '../../../src/tpm/commands.ts';
import { openTransport, type TpmAddress } from '../../../src/tpm/transport.ts';
import { openTpmDevice } from '../../support/tpm-device.ts';

const command = Buffer.from('8001000000160000017a000000060000010500000001', 'hex');
const answer = Buffer.from('80010000001b000000000100000006000000010000010549424d00', 'hex');

let server: Server | undefined;
afterEach(() => void server?.close());

async function tcpAnswering(reply: (socket: Socket) => void): Promise<TpmAddress> {
  server = createServer((socket) => void socket.on('data', () => reply(socket)).on('error', () => {}));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return { kind: 'tcp', host: '127.0.0.1', port: (server.address() as AddressInfo).port };
}

async function exchangeWith(address: TpmAddress): Promise<string> {
  const transport = openTransport(address);
  try {
    return Buffer.from(await transport.exchange(command)).toString('hex');
  } finally {
    transport.close();
  }
}

describe('over TCP', () => {
  test('an answer that comes byte by byte is put together', async () => {
    const address = await tcpAnswering((socket) => {
      for (const byte of answer) socket.write(Uint8Array.of(byte));
    });
    expect(await exchangeWith(address)).toBe(answer.toString('hex'));
  });

  test.each([
    ['a size beyond what TPMs give', Buffer.from('80010000100100000000', 'hex')],
    ['a size below that of a header', Buffer.from('80010000000900000000', 'hex')],
    ['more bytes than its size', Buffer.concat([answer, Uint8Array.of(0)])],
    ['text instead of a message', Buffer.from('HTTP/1.1 400 Bad Request\r\n\r\n')],
    ['more than any message holds', Buffer.alloc(10_000)],
  ])('an answer with %s is malformed', async (_, reply) => {
    const address = await tcpAnswering((socket) => socket.write(reply));
    await expect(exchangeWith(address)).rejects.toMatchObject({ kind: 'malformed' });
  });

  test('an end of the connection before the answer is an error', async () => {
    const address = await tcpAnswering((socket) => socket.end(answer.subarray(0, 12)));
    await expect(exchangeWith(address)).rejects.toMatchObject({
      kind: 'unreachable',
      message: expect.stringContaining('closed the connection'),
    });
  });

  test('drops that come now and then do not put the deadline off', async () => {
    const address = await tcpAnswering((socket) => {
      for (const [index, byte] of answer.subarray(0, 20).entries()) setTimeout(() => socket.write(Uint8Array.of(byte)), index * 100);
    });
    const began = performance.now();
    await expect(withTpm(address, 300, (connection) => connection.run(getProperty(0x105)))).rejects.toMatchObject({ kind: 'overdue' });
    expect(performance.now() - began).toBeLessThan(1_500);
  });
});

describe('over a device', () => {
  test('commands and answers pass as they are', async () => {
    const { port } = (await tcpAnswering((socket) => socket.write(answer))) as TpmAddress & { kind: 'tcp' };
    const device = await openTpmDevice(port);
    try {
      const transport = openTransport(device.address);
      for (let round = 0; round < 3; round += 1)
        expect(Buffer.from(await transport.exchange(command)).toString('hex')).toBe(answer.toString('hex'));
      transport.close();
    } finally {
      device.close();
    }
  });

  test('one that is not there, or is no device, is refused with what to look at', async () => {
    await expect(exchangeWith({ kind: 'device', path: '/dev/hsm-kms-no-such-tpm' })).rejects.toThrow(/ENOENT.*group of the device/s);
    await expect(exchangeWith({ kind: 'device', path: fileURLToPath(import.meta.url) })).rejects.toThrow('it is not a device');
  });

  test('one that takes commands and gives nothing is refused with one line of words', async () => {
    await expect(exchangeWith({ kind: 'device', path: '/dev/null' })).rejects.toMatchObject({
      kind: 'unreachable',
      message: 'the TPM /dev/null cannot be used: it gave no response',
    });
  });

  test('one that hangs is an error in time, and holds no process up at its end', async () => {
    const device = await openTpmDevice(undefined);
    try {
      const address = JSON.stringify(device.address);
      const program = `
        import { withTpm } from '${new URL('../../../src/tpm/connection.ts', import.meta.url).href}';
        import { getProperty } from '${new URL('../../../src/tpm/commands.ts', import.meta.url).href}';
        withTpm(${address}, 1500, (connection) => connection.run(getProperty(0x105))).catch((error) => { console.log(error.kind); });`;
      const tsx = import.meta.resolve('tsx');
      const child = spawn(process.execPath, ['--import', tsx, '--input-type=module', '--eval', program], {
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      const [[said], [code]] = await Promise.all([once(child.stdout, 'data'), once(child, 'exit')]);
      expect(String(said)).toBe('overdue\n');
      expect(code).toBe(0);
    } finally {
      device.close();
    }
  });
});

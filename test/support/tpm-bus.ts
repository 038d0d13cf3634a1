/** Stands between a TPM and its user as a probe on the bus does: records what passes, and alters or withholds it on demand. */
import { type AddressInfo, connect, createServer } from 'node:net';
import type { TpmAddress } from '../../src/tpm/transport.ts';

/** A message with its direction; gives what goes on instead of it, or undefined where nothing does. */
export type Tamper = (message: Buffer, direction: 'command' | 'response') => Buffer | undefined;

export interface TpmBus {
  readonly address: TpmAddress & { readonly kind: 'tcp' };
  /** Everything that passed, in both directions. */
  readonly recorded: readonly Buffer[];
  tamper: Tamper;
  close(): Promise<void>;
}

export async function openTpmBus(tpm: { readonly host: string; readonly port: number }): Promise<TpmBus> {
  const recorded: Buffer[] = [];
  const bus = { recorded, tamper: ((message) => message) as Tamper };
  const server = createServer((client) => {
    const behind = connect(tpm.port, tpm.host);
    const pass = (from: typeof client, to: typeof client, direction: 'command' | 'response'): void => {
      from.on('data', (message: Buffer) => {
        recorded.push(message);
        const passed = bus.tamper(message, direction);
        if (passed !== undefined) to.write(passed);
      });
      from.on('close', () => to.destroy());
      from.on('error', () => to.destroy());
    };
    pass(client, behind, 'command');
    pass(behind, client, 'response');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return Object.assign(bus, {
    address: { kind: 'tcp', host: '127.0.0.1', port } as const,
    close: () => new Promise<void>((resolve) => server.close(() => resolve())),
  });
}

/** The command code of a command, or the response code of a response. */
export function codeOf(message: Buffer): number {
  return message.length < 10 ? 0 : message.readUInt32BE(6);
}

/** A character device in front of a TPM emulator, or one that never answers: what /dev/tpmrm0 is to the client. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import type { TpmAddress } from '../../src/tpm/transport.ts';

export interface TpmDevice {
  readonly address: TpmAddress;
  close(): void;
}

/** `port` of the emulator; undefined for a device that hangs. */
export async function openTpmDevice(port: number | undefined): Promise<TpmDevice> {
  const bridge = spawn('python3', [join(import.meta.dirname, 'tpm-device.py'), String(port ?? 0)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [path] = (await once(bridge.stdout, 'data')) as [Buffer];
  return { address: { kind: 'device', path: path.toString('utf8').trim() }, close: () => void bridge.kill() };
}

/** Which TPM answers, for people. Source: TPM 2.0 Library, Part 2, section 6.13 (TPM_PT). */
import { getProperty } from './commands.ts';
import { withTpm } from './connection.ts';
import { uint32 } from './marshalling.ts';
import type { TpmAddress } from './transport.ts';

const manufacturerProperty = 0x0000_0105;
const firmwareProperty = 0x0000_010b;
const graphic = /[^\x20-\x7e]/g;

/** For example `IBM, firmware 8217.4131`. Rejects with TpmError. */
export function describeTpm(address: TpmAddress, deadlineMs: number): Promise<string> {
  return withTpm(address, deadlineMs, async (connection) => {
    const manufacturer = uint32((await connection.run(getProperty(manufacturerProperty))) ?? 0);
    const firmware = (await connection.run(getProperty(firmwareProperty))) ?? 0;
    const name = Buffer.from(manufacturer).toString('latin1').replaceAll(graphic, '').trim();
    return `${name || 'unknown maker'}, firmware ${firmware >>> 16}.${firmware & 0xffff}`;
  });
}

/** How the configuration names a secret that is sealed to a TPM: file, TPM, and the PCRs whose change locks it. */
import { z } from 'zod';
import type { TpmReference } from './config.ts';
import { section, text, wholeNumber } from './section.ts';

const deviceDefault = '/dev/tpmrm0';
const pcrMax = 23;
const portMax = 65_535;
/** Secure Boot: on or off, and whose signatures it takes. It stays the same over updates of kernel and boot loader. */
const pcrsDefault: readonly number[] = [7];

export const tpmForms = 'a TPM: {tpm: {file: PATH, device: /dev/tpmrm0, pcrs: [7]}}';

const hostAndPort = z.string({ error: 'expected HOST:PORT of an emulator' }).transform((given, context) => {
  const [, host = '', port = ''] = /^(.{1,253}):(\d{1,5})$/.exec(given) ?? [];
  if (host !== '' && Number(port) >= 1 && Number(port) <= portMax) return { kind: 'tcp', host, port: Number(port) } as const;
  context.addIssue({ code: 'custom', message: 'expected HOST:PORT of an emulator, for example 127.0.0.1:2321' });
  return z.NEVER;
});

/** `{file, device | tcp, pcrs}`. */
export const tpmReference: z.ZodType<TpmReference> = section({
  file: text('a path'),
  device: text('the path of a TPM').optional(),
  tcp: hostAndPort.optional(),
  pcrs: z
    .array(wholeNumber(0, pcrMax), { error: 'expected a list of PCRs, for example [7]' })
    .max(pcrMax + 1)
    .default([...pcrsDefault]),
})
  .refine(({ device, tcp }) => device === undefined || tcp === undefined, { error: 'device and tcp name two TPMs; one is meant' })
  .transform(({ file, device = deviceDefault, tcp, pcrs }) => ({
    kind: 'tpm',
    file,
    address: tcp ?? { kind: 'device', path: device },
    pcrs: [...new Set(pcrs)].sort((a, b) => a - b),
  }));

/** What is wrong inside a `tpm:` that fitted none of several forms; undefined where `tpm` was not meant. */
export function tpmProblem({ input, code, ...issue }: z.core.$ZodRawIssue): string | undefined {
  if (code !== 'invalid_union' || typeof input !== 'object' || input === null || !('tpm' in input)) return undefined;
  const errors = issue['errors'] as readonly (readonly z.core.$ZodIssue[])[];
  const inside = errors.flat().find(({ path }) => path[0] === 'tpm');
  return inside === undefined ? undefined : `${inside.path.map(String).join('.')}: ${inside.message}`;
}

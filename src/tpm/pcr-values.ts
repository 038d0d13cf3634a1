/** Platform configuration registers: which, what they hold, and the policy over them. Only the SHA-256 bank. */
import { createHash } from 'node:crypto';
import { equalConstantTime } from '../bytes.ts';
import { type TpmReader, TpmWriter } from './marshalling.ts';
import { algorithms, digestBytes } from './structures.ts';

/** PCRs of the PC Client profile. */
export const pcrCount = 24;
const selectionBytes = pcrCount / 8;
const commandPolicyPcr = 0x0000_017f;

/** Values by number, ascending. */
export type PcrValues = ReadonlyMap<number, Uint8Array>;

/** TPML_PCR_SELECTION (Part 2, section 10.9.7) with one bank. */
export function writePcrSelection(writer: TpmWriter, pcrs: readonly number[]): void {
  const bits = new Uint8Array(selectionBytes);
  for (const pcr of pcrs) {
    if (!Number.isInteger(pcr) || pcr < 0 || pcr >= pcrCount) throw new RangeError(`there is no PCR ${pcr}`);
    bits[pcr >> 3] = (bits[pcr >> 3] ?? 0) | (1 << (pcr & 7));
  }
  writer.u32(1).u16(algorithms.sha256).u8(selectionBytes).bytes(bits);
}

/** The PCRs of a TPML_PCR_SELECTION, ascending; none where the TPM has no SHA-256 bank and leaves it out. */
export function readPcrSelection(reader: TpmReader): readonly number[] {
  if (reader.count(1) === 0) return [];
  if (reader.u16() !== algorithms.sha256) throw reader.malformed('a bank of PCRs that was not asked for');
  if (reader.u8() !== selectionBytes) throw reader.malformed(`another number of PCRs than ${pcrCount}`);
  const bits = reader.bytes(selectionBytes);
  return Array.from({ length: pcrCount }, (_, pcr) => pcr).filter((pcr) => ((bits[pcr >> 3] ?? 0) & (1 << (pcr & 7))) !== 0);
}

/** The policy that only these values satisfy: one TPM2_PolicyPCR (Part 3, section 23.7). Undefined where no PCR is chosen. */
export function pcrPolicy(values: PcrValues): Uint8Array | undefined {
  if (values.size === 0) return undefined;
  const all = createHash('sha256');
  for (const value of values.values()) all.update(value);
  const writer = new TpmWriter();
  writer.bytes(new Uint8Array(digestBytes)).u32(commandPolicyPcr);
  writePcrSelection(writer, [...values.keys()]);
  return createHash('sha256').update(writer.bytes(all.digest()).written()).digest();
}

/** PCRs whose value is another one now. */
export function changedPcrs(sealed: PcrValues, now: PcrValues): readonly number[] {
  return [...sealed].filter(([pcr, value]) => !equalConstantTime(value, now.get(pcr) ?? new Uint8Array())).map(([pcr]) => pcr);
}

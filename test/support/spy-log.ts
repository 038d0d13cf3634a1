/**
 * Reads the log of OpenSC's pkcs11-spy: calls with their attributes and return values. The log holds the PIN in clear, so it
 * stays in a temporary folder and its bytes are not shown in failures.
 */
import { readFile } from 'node:fs/promises';

export interface SpiedAttribute {
  readonly name: string;
  readonly lengthBytes: number;
}

export interface SpiedCall {
  readonly number: number;
  /** C_ function name. */
  readonly name: string;
  /** CKR_ name; empty when the call never returned. */
  readonly returned: string;
  /** Attributes of the templates of the call: what went in, and for C_GetAttributeValue what came out. */
  readonly attributes: readonly SpiedAttribute[];
}

interface OpenCall {
  number: number;
  name: string;
  returned: string;
  attributes: SpiedAttribute[];
}

const CALL = /^(\d+): (C_\w+)$/;
const RETURNED = /^Returned: {1,2}\d+ (CKR_\w+)/;
/** ` CKA_VALUE   00007ffe / 32`, and for booleans and numbers ` CKA_TOKEN   True`. */
const ATTRIBUTE = /^\s+(CKA_\w+)\s+(?:[0-9a-f]{6,}\s*\/\s*(\d+))?/;

/** All calls of the log, in order. */
export async function readSpyLog(path: string): Promise<readonly SpiedCall[]> {
  const calls: OpenCall[] = [];
  for (const line of (await readFile(path, 'latin1')).split('\n')) {
    const started = CALL.exec(line);
    if (started !== null) {
      calls.push({ number: Number(started[1]), name: started[2] ?? '', returned: '', attributes: [] });
      continue;
    }
    const call = calls.at(-1);
    if (call === undefined) continue;
    const returned = RETURNED.exec(line);
    if (returned !== null) call.returned = returned[1] ?? '';
    const attribute = ATTRIBUTE.exec(line);
    if (attribute !== null) call.attributes.push({ name: attribute[1] ?? '', lengthBytes: Number(attribute[2] ?? 0) });
  }
  return calls;
}

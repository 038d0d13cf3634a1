/** What the operations are called with: fresh random plaintexts and the JSON bodies around them. */
import { randomBytes } from 'node:crypto';
import type { Workload } from '../observation.ts';

/** Members of a request. */
export type RequestBody = Readonly<Record<string, string | number>>;

/** How many different ciphertexts a Decrypt run goes through. */
const CIPHERTEXTS = 64;

/** Items of a page: the smallest store that is measured has several pages. */
export const PAGE_ITEMS = 20;

/** A random plaintext of the workload's size, base64. */
export function randomPlaintext(workload: Workload): string {
  return randomBytes(workload.bytes).toString('base64');
}

/**
 * Makes the body of one request after the other. `encrypt` gives the CiphertextBlob of a plaintext; Decrypt goes through a number of
 * ciphertexts made with it beforehand.
 */
export async function requestBodies(
  workload: Workload,
  keyId: string,
  encrypt: (plaintext: string) => Promise<string>,
  ciphertexts: number = CIPHERTEXTS,
): Promise<() => RequestBody> {
  if (workload.operation === 'Encrypt') return () => ({ KeyId: keyId, Plaintext: randomPlaintext(workload) });
  if (workload.operation === 'DescribeKey') return () => ({ KeyId: keyId });
  if (workload.operation === 'ListKeys' || workload.operation === 'ListAliases') return () => ({ Limit: PAGE_ITEMS });
  if (workload.operation === 'GenerateDataKey') return () => ({ KeyId: keyId, KeySpec: 'AES_256' });
  const bodies: RequestBody[] = [];
  for (let made = 0; made < ciphertexts; made++) bodies.push({ KeyId: keyId, CiphertextBlob: await encrypt(randomPlaintext(workload)) });
  let next = 0;
  return () => bodies[next++ % bodies.length]!;
}

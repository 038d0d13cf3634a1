/** KDFa and KDFe with SHA-256: how a TPM and its caller derive the same key. Source: TPM 2.0 Library, Part 1, sections 11.4.10.2 and 11.4.10.3. */
import { createHash, createHmac } from 'node:crypto';
import { uint32 } from './marshalling.ts';

const firstBlock = Uint8Array.of(0, 0, 0, 1);
const blockBytes = 32;

/** Both functions give one block, which is all that is needed: at most 32 bytes. The caller wipes it. */
interface Derivation {
  /** ASCII, without its closing zero byte. */
  readonly label: string;
  readonly contextU: Uint8Array;
  readonly contextV: Uint8Array;
  readonly lengthBytes: number;
}

/** KDFa: SP 800-108 in counter mode over HMAC. */
export function kdfA(key: Uint8Array, { label, contextU, contextV, lengthBytes }: Derivation): Uint8Array {
  const mac = createHmac('sha256', key).update(firstBlock).update(`${label}\0`, 'latin1').update(contextU).update(contextV);
  return shortened(mac.update(uint32(lengthBytes * 8)).digest(), lengthBytes);
}

/** KDFe: SP 800-56A over a shared secret Z. */
export function kdfE(z: Uint8Array, { label, contextU, contextV, lengthBytes }: Derivation): Uint8Array {
  const hash = createHash('sha256').update(firstBlock).update(z).update(`${label}\0`, 'latin1').update(contextU).update(contextV);
  return shortened(hash.digest(), lengthBytes);
}

function shortened(block: Buffer, lengthBytes: number): Uint8Array {
  if (lengthBytes > blockBytes) throw new RangeError(`a key of ${lengthBytes} bytes is longer than one block`);
  return block.subarray(0, lengthBytes);
}

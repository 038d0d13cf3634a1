/** AES-GCM and AES-CBC, measured against node:crypto with a published test key, or by round trip where a token takes no key in clear. */
import { createCipheriv } from 'node:crypto';
import { concatBytes, equalConstantTime } from '../../bytes.ts';
import type { ObjectHandle } from '../cryptoki.ts';
import type { GcmIvSource, Mechanism } from '../mechanism.ts';
import type { ProbeBench } from './probe-bench.ts';
import { succeeds } from './probe-bench.ts';

/** The AES-256 key of NIST SP 800-38A, appendix F.2.5. */
export const TEST_KEY: Uint8Array = Buffer.from('603deb1015ca71be2b73aef0857d77811f352c073b6108d72d9810a30914dff4', 'hex');

const TAG_BYTES = 16;
const IV_BYTES = 12;
const ZERO_IV = new Uint8Array(IV_BYTES);
/** Any IV but zeros, which is what a token that makes its own is given. */
const TEST_IV = new Uint8Array(IV_BYTES).fill(0x24);
const AAD = Buffer.from('additional data');
const TEXT = Buffer.from('plaintext of a self-test, longer than two blocks of AES');

function gcm(iv: Uint8Array, ivSource: GcmIvSource, aad: Uint8Array = AAD): Mechanism {
  return { name: 'AES_GCM', iv, aad, tagBits: 128, ivSource };
}

/** Who can make the IV, best first; undefined when the token has no usable AES-GCM. `wanted` limits it to one. */
export async function measureGcm(bench: ProbeBench, wanted: GcmIvSource | 'measure'): Promise<GcmIvSource | undefined> {
  const candidates: readonly GcmIvSource[] = wanted === 'measure' ? ['supplied', 'token-zeroed', 'token-appended'] : [wanted];
  const known = await bench.install(TEST_KEY, { ENCRYPT: true, DECRYPT: true });
  for (const source of candidates) {
    const works = await succeeds(async () => {
      const key = known ?? (await bench.generate({ ENCRYPT: true, DECRYPT: true })).handle;
      const { iv, sealed } = await seal(bench, key, source);
      const opened = await bench.cryptoki.decrypt(gcm(iv, 'supplied'), key, sealed, bench.calls.fast);
      const answers = known === undefined || equalConstantTime(sealed, expectedGcm(iv));
      return answers && equalConstantTime(opened, TEXT) && !(await opensForged(bench, key, iv, sealed));
    });
    if (works) return source;
  }
  return undefined;
}

async function seal(bench: ProbeBench, key: ObjectHandle, source: GcmIvSource): Promise<{ iv: Uint8Array; sealed: Uint8Array }> {
  const supplied = source === 'supplied';
  const result = await bench.cryptoki.encrypt(gcm(supplied ? TEST_IV : ZERO_IV, source), key, TEXT, bench.calls.fast);
  // With an IV of the token's own the door gives IV, ciphertext and tag.
  return supplied ? { iv: TEST_IV, sealed: result } : { iv: result.slice(0, IV_BYTES), sealed: result.slice(IV_BYTES) };
}

function expectedGcm(iv: Uint8Array): Uint8Array {
  const cipher = createCipheriv('aes-256-gcm', TEST_KEY, iv, { authTagLength: TAG_BYTES }).setAAD(AAD);
  return concatBytes(cipher.update(TEXT), cipher.final(), cipher.getAuthTag());
}

/** True when the token opens a ciphertext whose tag or additional data is wrong. */
async function opensForged(bench: ProbeBench, key: ObjectHandle, iv: Uint8Array, sealed: Uint8Array): Promise<boolean> {
  const forged = Uint8Array.from(sealed);
  forged[forged.length - 1] = (forged.at(-1) ?? 0) ^ 1;
  const opens = (aad: Uint8Array, data: Uint8Array): Promise<boolean> =>
    succeeds(async () => (await bench.cryptoki.decrypt(gcm(iv, 'supplied', aad), key, data, bench.calls.fast)).length > 0);
  return (await opens(AAD, forged)) || opens(Buffer.from('other data'), sealed);
}

/** AES-CBC without padding, IV given. */
export function measureCbc(bench: ProbeBench): Promise<boolean> {
  return succeeds(async () => {
    const known = await bench.install(TEST_KEY, { ENCRYPT: true, DECRYPT: true });
    const key = known ?? (await bench.generate({ ENCRYPT: true, DECRYPT: true })).handle;
    const mechanism: Mechanism = { name: 'AES_CBC', iv: new Uint8Array(16) };
    const text = TEXT.subarray(0, 48);
    const sealed = await bench.cryptoki.encrypt(mechanism, key, text, bench.calls.fast);
    const opened = await bench.cryptoki.decrypt(mechanism, key, sealed, bench.calls.fast);
    return equalConstantTime(opened, text) && (known === undefined || equalConstantTime(sealed, cbc(TEST_KEY, text)));
  });
}

/** AES-256-CBC of whole blocks, IV zero. */
export function cbc(key: Uint8Array, blocks: Uint8Array): Uint8Array {
  const cipher = createCipheriv('aes-256-cbc', key, new Uint8Array(16)).setAutoPadding(false);
  return concatBytes(cipher.update(blocks), cipher.final());
}

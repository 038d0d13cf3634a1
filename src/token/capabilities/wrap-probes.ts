/**
 * AES key wrap: RFC 3394 (KW) and RFC 5649 (KWP). The number 0x210a is KWP on SoftHSM and something else on NSS, so KWP is whichever
 * mechanism gives the bytes of RFC 5649. A token that takes no key in clear is judged by length and round trip.
 */
import { createCipheriv } from 'node:crypto';
import { concatBytes, equalConstantTime } from '../../bytes.ts';
import type { ObjectHandle } from '../cryptoki.ts';
import type { Mechanism } from '../mechanism.ts';
import type { Capabilities } from '../token.ts';
import { TEST_KEY } from './cipher-probes.ts';
import type { ProbeBench } from './probe-bench.ts';
import { succeeds } from './probe-bench.ts';

/** A second test key, which is wrapped under the first: the last 256 bits of plaintext of NIST SP 800-38A, appendix F. */
const CONTENT_KEY = Buffer.from('30c81c46a35ce411e5fbc1191a0a52eff69f2445df4f9b17ad2b417be66c3710', 'hex');
/** Initial values of RFC 3394 section 2.2.3.1 and RFC 5649 section 3. */
const KW_INITIAL_VALUE = Buffer.from('a6a6a6a6a6a6a6a6', 'hex');
const KWP_INITIAL_VALUE = Buffer.from('a65959a6', 'hex');
/** One semiblock more than the 32 bytes that are wrapped. */
const WRAPPED_BYTES = 40;

function expectedWrap(cipherName: 'id-aes256-wrap' | 'id-aes256-wrap-pad', initialValue: Uint8Array): Uint8Array {
  const cipher = createCipheriv(cipherName, TEST_KEY, initialValue);
  return concatBytes(cipher.update(CONTENT_KEY), cipher.final());
}

export async function measureKwp(bench: ProbeBench): Promise<Capabilities['kwp']> {
  for (const name of ['AES_KEY_WRAP_KWP', 'AES_KEY_WRAP_PAD'] as const) {
    if (await wraps(bench, { name }, () => expectedWrap('id-aes256-wrap-pad', KWP_INITIAL_VALUE))) return name;
  }
  return undefined;
}

export function measureKeyWrap(bench: ProbeBench): Promise<boolean> {
  return wraps(bench, { name: 'AES_KEY_WRAP' }, () => expectedWrap('id-aes256-wrap', KW_INITIAL_VALUE));
}

function wraps(bench: ProbeBench, mechanism: Mechanism, expected: () => Uint8Array): Promise<boolean> {
  return succeeds(async () => {
    const wrappingUse = { WRAP: true, UNWRAP: true };
    const contentUse = { ENCRYPT: true, EXTRACTABLE: true };
    const knownWrapping = await bench.install(TEST_KEY, wrappingUse);
    const knownContent = await bench.install(CONTENT_KEY, contentUse);
    const known = knownWrapping !== undefined && knownContent !== undefined;
    const wrapping = knownWrapping ?? (await bench.generate(wrappingUse)).handle;
    const content = knownContent ?? (await bench.generate(contentUse)).handle;
    const wrapped = await bench.cryptoki.wrapKey(mechanism, wrapping, content, bench.calls.fast);
    if (known ? !equalConstantTime(wrapped, expected()) : wrapped.length !== WRAPPED_BYTES) return false;
    const back = await bench.unwrap(mechanism, wrapping, wrapped, { ENCRYPT: true });
    return equalConstantTime(await block(bench, content), await block(bench, back.handle));
  });
}

function block(bench: ProbeBench, key: ObjectHandle): Promise<Uint8Array> {
  return bench.cryptoki.encrypt({ name: 'AES_CBC', iv: new Uint8Array(16) }, key, CONTENT_KEY, bench.calls.fast);
}

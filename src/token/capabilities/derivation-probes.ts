/** Derivation of an AES-256 key inside the token, measured against the same derivation in software. */
import { createHmac } from 'node:crypto';
import { concatBytes, equalConstantTime } from '../../bytes.ts';
import type { ObjectHandle } from '../cryptoki.ts';
import type { Mechanism } from '../mechanism.ts';
import type { Capabilities } from '../token.ts';
import { TEST_KEY, cbc } from './cipher-probes.ts';
import type { ProbeBench } from './probe-bench.ts';
import { succeeds } from './probe-bench.ts';

const DATA = Buffer.from('nonce of an epochlabel, 16 bytes', 'latin1');
const IV = new Uint8Array(16);
const ONE = Uint8Array.of(0, 0, 0, 1);

/** Best first: the one that a standard calls a key derivation function. */
export async function measureDerivation(bench: ProbeBench): Promise<Capabilities['keyDerivation']> {
  if (await succeeds(() => derivesByCounter(bench))) return 'sp800-108-counter';
  if (await succeeds(() => derivesByCbc(bench))) return 'aes-cbc-encrypt-data';
  return undefined;
}

async function derivesByCounter(bench: ProbeBench): Promise<boolean> {
  const base = await bench.install(TEST_KEY, { DERIVE: true });
  // Without a key that is known there is nothing to compare with, and a derivation that is only nearly the standard loses data.
  if (base === undefined) return false;
  const mechanism: Mechanism = { name: 'SP800_108_COUNTER_KDF', prf: 'SHA256_HMAC', counterBits: 32, fixedInput: DATA };
  return derives(bench, mechanism, base, createHmac('sha256', TEST_KEY).update(ONE).update(DATA).digest());
}

/**
 * AES_CBC_ENCRYPT_DATA gives what encrypting the data under the base key gives: so the base key, one of our own for this test
 * only, may encrypt as well, and says what the derived key must be.
 */
async function derivesByCbc(bench: ProbeBench): Promise<boolean> {
  const { handle } = await bench.generate({ DERIVE: true, ENCRYPT: true });
  const expected = await bench.cryptoki.encrypt({ name: 'AES_CBC', iv: IV }, handle, DATA, bench.calls.fast);
  return derives(bench, { name: 'AES_CBC_ENCRYPT_DATA', iv: IV, data: DATA }, handle, expected);
}

/** True when the derived key, which stays sensitive, encrypts as the expected one does. */
async function derives(bench: ProbeBench, mechanism: Mechanism, base: ObjectHandle, expected: Uint8Array): Promise<boolean> {
  const derived = await bench.derive(mechanism, base, { ENCRYPT: true });
  const text = concatBytes(DATA, DATA);
  const answer = await bench.cryptoki.encrypt({ name: 'AES_CBC', iv: IV }, derived.handle, text, bench.calls.fast);
  return equalConstantTime(answer, cbc(expected, text));
}

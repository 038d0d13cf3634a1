/** ECDSA, ECDH and EdDSA, each on a session pair of its own: software verifies and agrees with the public half. */
import { createHash, diffieHellman, generateKeyPairSync, verify } from 'node:crypto';
import { ed25519ph } from '@noble/curves/ed25519.js';
import { equalConstantTime } from '../../bytes.ts';
import type { EcCurve } from '../../keys/algorithms.ts';
import { fieldBytesOf, publicPointOf } from '../key-pairs.ts';
import { agreedSecret } from '../templates.ts';
import type { Capabilities } from '../token.ts';
import type { ProbeBench } from './probe-bench.ts';
import { succeeds } from './probe-bench.ts';

const text = Buffer.from('message of a self-test');
/** Curves of the API with the digest that it signs on each. */
const digests: Readonly<Record<EcCurve, string>> = {
  prime256v1: 'sha256',
  secp384r1: 'sha384',
  secp521r1: 'sha512',
  secp256k1: 'sha256',
};
const everyCurve = Object.keys(digests) as EcCurve[];
const agreementCurves: readonly EcCurve[] = ['prime256v1', 'secp384r1', 'secp521r1'];
const edwardsKeyBytes = 32;

export function measureEcdsa(bench: ProbeBench): Promise<readonly EcCurve[]> {
  return those(everyCurve, (curve) => signsEcdsa(bench, curve));
}

export function measureEcdh(bench: ProbeBench): Promise<readonly EcCurve[]> {
  return those(agreementCurves, (curve) => agrees(bench, curve));
}

export async function measureEdDsa(bench: ProbeBench): Promise<Pick<Capabilities, 'ed25519' | 'ed25519ph'>> {
  const pair = await bench.generatePair({ type: 'ed25519' }, ['SIGN']);
  if (pair === undefined) return { ed25519: false, ed25519ph: false };
  const sign = (prehash: boolean): Promise<Uint8Array> =>
    bench.cryptoki.sign({ name: 'EDDSA', ...(prehash && { prehash }) }, pair.privateKey, text, bench.calls.slow);
  const bare = pair.publicKey.export({ format: 'der', type: 'spki' }).subarray(-edwardsKeyBytes);
  return {
    ed25519: await succeeds(async () => verify(null, text, pair.publicKey, await sign(false))),
    ed25519ph: await succeeds(async () => {
      const signature = await sign(true);
      return signature.length === 64 && ed25519ph.verify(signature, text, bare, { zip215: false });
    }),
  };
}

/** Some HSMs answer DER instead of r and s: that would be signed wrongly here, so it does not count. */
function signsEcdsa(bench: ProbeBench, curve: EcCurve): Promise<boolean> {
  return succeeds(async () => {
    const pair = await bench.generatePair({ type: 'ec', curve }, ['SIGN']);
    if (pair === undefined) return false;
    const digest = createHash(digests[curve]).update(text).digest();
    const signature = await bench.cryptoki.sign({ name: 'ECDSA' }, pair.privateKey, digest, bench.calls.slow);
    return verify(digests[curve], text, { key: pair.publicKey, dsaEncoding: 'ieee-p1363' }, signature);
  });
}

function agrees(bench: ProbeBench, curve: EcCurve): Promise<boolean> {
  return succeeds(async () => {
    const pair = await bench.generatePair({ type: 'ec', curve }, ['DERIVE']);
    if (pair === undefined) return false;
    const peer = generateKeyPairSync('ec', { namedCurve: curve });
    const publicPoint = publicPointOf(peer.publicKey.export({ format: 'der', type: 'spki' }));
    const made = await bench.cryptoki.deriveKey(
      { name: 'ECDH1_DERIVE', kdf: 'NULL', publicPoint },
      pair.privateKey,
      agreedSecret(fieldBytesOf(curve)),
      ['VALUE'],
      bench.calls.anchor,
    );
    const expected = diffieHellman({ privateKey: peer.privateKey, publicKey: pair.publicKey });
    return equalConstantTime(bench.keep(made).attributes.VALUE ?? new Uint8Array(), expected);
  });
}

async function those<T>(all: readonly T[], works: (one: T) => Promise<boolean>): Promise<readonly T[]> {
  const served: T[] = [];
  for (const one of all) if (await works(one)) served.push(one);
  return served;
}

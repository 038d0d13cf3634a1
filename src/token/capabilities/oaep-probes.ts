/** RSA-OAEP: software encrypts under the public key of a session pair, the token decrypts. One 2048-bit pair serves both hashes. */
import { constants, createPublicKey, publicEncrypt } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { equalConstantTime } from '../../bytes.ts';
import type { ObjectHandle } from '../cryptoki.ts';
import type { HashName, Template } from '../mechanism.ts';
import type { ProbeBench } from './probe-bench.ts';
import { rejectedBy, succeeds } from './probe-bench.ts';

const SECRET = new Uint8Array(32).fill(0x77);
const EXPONENT = Uint8Array.of(1, 0, 1);
const HASHES: Readonly<Partial<Record<HashName, string>>> = { SHA_1: 'sha1', SHA256: 'sha256' };
const PUBLIC: Template = { TOKEN: false, MODULUS_BITS: 2_048, PUBLIC_EXPONENT: EXPONENT, ENCRYPT: true };
const PRIVATE: Template = { TOKEN: false, PRIVATE: true, SENSITIVE: true, EXTRACTABLE: false, DECRYPT: true, SIGN: false, UNWRAP: false };

export interface OaepCapabilities {
  readonly sha1: boolean;
  readonly sha256: boolean;
}

export async function measureOaep(bench: ProbeBench): Promise<OaepCapabilities> {
  const pair = await generatePair(bench);
  if (pair === undefined) return { sha1: false, sha256: false };
  return { sha1: await decrypts(bench, pair, 'SHA_1'), sha256: await decrypts(bench, pair, 'SHA256') };
}

async function generatePair(bench: ProbeBench): Promise<{ publicKey: KeyObject; privateKey: ObjectHandle } | undefined> {
  try {
    // Not in the anchor session: half a second of RSA there would delay the other probes.
    const made = await bench.cryptoki.generateKeyPair(
      { name: 'RSA_PKCS_KEY_PAIR_GEN' },
      PUBLIC,
      PRIVATE,
      ['MODULUS'],
      bench.calls.keyGeneration,
    );
    bench.keep(made.publicKey);
    bench.keep(made.privateKey);
    const modulus = made.publicKey.attributes.MODULUS;
    if (modulus === undefined) return undefined;
    return { publicKey: rsaPublicKey(modulus), privateKey: made.privateKey.handle };
  } catch (error) {
    return rejectedBy(error, undefined);
  }
}

function base64url(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64url');
}

function rsaPublicKey(modulus: Uint8Array): KeyObject {
  return createPublicKey({ key: { kty: 'RSA', n: base64url(modulus), e: base64url(EXPONENT) }, format: 'jwk' });
}

function decrypts(bench: ProbeBench, pair: { publicKey: KeyObject; privateKey: ObjectHandle }, hash: HashName): Promise<boolean> {
  return succeeds(async () => {
    const padding = { padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash: HASHES[hash] ?? '' };
    const sealed = publicEncrypt({ key: pair.publicKey, ...padding }, SECRET);
    return equalConstantTime(
      await bench.cryptoki.decrypt({ name: 'RSA_PKCS_OAEP', hash }, pair.privateKey, sealed, bench.calls.slow),
      SECRET,
    );
  });
}

/** Vectors of RFCs and of NIST; test/vectors/README.md says where each set came from. */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { barePublicKey, keyPairOfSeed, mlDsa } from '../../../src/keys/post-quantum.ts';
import { keyShape } from '../../../src/keys/algorithms.ts';
import type { MlDsaName, MlKemName } from '../../../src/keys/algorithms.ts';
import { isSignatureValid } from '../../../src/keys/verify-signature.ts';
import { signWithPrivateKey } from '../../../src/keystore/software/private-keys.ts';
import { softwarePlace } from '../../support/known-keys.ts';

interface Signature {
  readonly publicKey: string;
  readonly message: string;
  readonly signature: string;
}

const vectors = JSON.parse(readFileSync(join(import.meta.dirname, '../../vectors/published.json'), 'utf8')) as {
  readonly ecdsa: readonly (Signature & { readonly keySpec: string; readonly algorithm: string })[];
  readonly ed25519: readonly (Signature & { readonly privateKey: string })[];
  readonly ed25519ph: readonly (Signature & { readonly privateKey: string })[];
  readonly hmac: readonly { readonly keySpec: string; readonly key: string; readonly message: string; readonly mac: string }[];
  readonly keyGeneration: readonly { readonly parameters: MlDsaName | MlKemName; readonly seed: string; readonly publicKey: string }[];
  readonly externalMu: readonly (Omit<Signature, 'message'> & { readonly keySpec: string; readonly mu: string; readonly valid: boolean })[];
};
const hex = (text: string): Buffer => Buffer.from(text, 'hex');
const ed25519Spki = (publicKey: string): Buffer => hex(`302a300506032b6570032100${publicKey}`);
const ed25519Pkcs8 = (privateKey: string): Buffer => hex(`302e020100300506032b657004220420${privateKey}`);
const noRandom = (): Uint8Array => {
  throw new Error('EdDSA needs no random bytes');
};

describe('published vectors', () => {
  it.each(vectors.ecdsa)('an $algorithm signature of RFC 6979 verifies for the message and for its digest', async (vector) => {
    const { keySpec, algorithm } = vector;
    const message = hex(vector.message);
    const digest = createHash(algorithm.replace('ECDSA_SHA_', 'sha')).update(message).digest();
    const about = { keySpec, algorithm, publicKey: hex(vector.publicKey) };
    expect(await isSignatureValid({ ...about, messageType: 'RAW', message }, hex(vector.signature))).toBe(true);
    expect(await isSignatureValid({ ...about, messageType: 'DIGEST', message: digest }, hex(vector.signature))).toBe(true);
  });

  it.each([
    ...vectors.ed25519.map((vector) => ['ED25519_SHA_512', 'RAW', vector] as const),
    ...vectors.ed25519ph.map((vector) => ['ED25519_PH_SHA_512', 'DIGEST', vector] as const),
  ])('%s makes and verifies the signatures of RFC 8032', async (algorithm, messageType, vector) => {
    const keySpec = 'ECC_NIST_EDWARDS25519';
    const request = { algorithm, messageType, message: hex(vector.message) };
    const signature = await signWithPrivateKey(keySpec, ed25519Pkcs8(vector.privateKey), request, noRandom);
    expect(Buffer.from(signature).toString('hex')).toBe(vector.signature);
    expect(await isSignatureValid({ keySpec, publicKey: ed25519Spki(vector.publicKey), ...request }, signature)).toBe(true);
  });

  it('the codes of RFC 4231 come out of HMAC keys of every spec', async () => {
    const place = softwarePlace();
    for (const { keySpec, key, message, mac } of vectors.hmac) {
      const held = await place.hold({ keySpec, keyUsage: 'GENERATE_VERIFY_MAC', secret: hex(key) });
      expect(await held.isCode(keySpec.replace('HMAC_', 'HMAC_SHA_'), hex(message), hex(mac))).toBe(true);
    }
    await place.close();
  });

  it.each(vectors.keyGeneration)('$parameters makes the public key of the seed, and encodes the seed as private key', (vector) => {
    const seed = hex(vector.seed);
    const { publicKey, privateKey } = keyPairOfSeed(vector.parameters, seed);
    expect(Buffer.from(barePublicKey(vector.parameters, publicKey)).toString('hex')).toBe(vector.publicKey);
    expect(Buffer.from(privateKey.subarray(-seed.length))).toEqual(seed);
    // PrivateKeyInfo: the outer length covers the rest, and the seed is tagged [0].
    expect([privateKey[1], privateKey[privateKey.length - seed.length - 2]]).toEqual([privateKey.length - 2, 0x80]);
  });

  it.each(vectors.externalMu)('a signature of $keySpec of a message representative: valid is $valid', async (vector) => {
    const shape = keyShape(vector.keySpec);
    if (shape.type !== 'ml-dsa') throw new TypeError(vector.keySpec);
    const { publicKey: template } = keyPairOfSeed(shape.parameters, new Uint8Array(32));
    const prefix = template.subarray(0, template.length - (mlDsa[shape.parameters].lengths.publicKey ?? 0));
    const about = { keySpec: vector.keySpec, algorithm: 'ML_DSA_SHAKE_256', publicKey: Buffer.concat([prefix, hex(vector.publicKey)]) };
    const signed = { ...about, messageType: 'EXTERNAL_MU', message: hex(vector.mu) } as const;
    expect(await isSignatureValid(signed, hex(vector.signature))).toBe(vector.valid);
  });
});

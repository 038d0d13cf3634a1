/** Signature and key-generation vectors of the RFCs (test/vectors/asymmetric.json names them). */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { barePublicKey, keyPairOfSeed, seedBytes } from '../../../src/keys/post-quantum.ts';
import { isSignatureValid } from '../../../src/keys/verify-signature.ts';
import { signWithPrivateKey } from '../../../src/keystore/software/private-keys.ts';
import type { MlDsaName, MlKemName } from '../../../src/keys/algorithms.ts';

interface SignatureVector {
  readonly privateKey: string;
  readonly publicKey: string;
  readonly message: string;
  readonly signature: string;
}

const vectors = JSON.parse(readFileSync(join(import.meta.dirname, '../../vectors/asymmetric.json'), 'utf8')) as {
  readonly ecdsa: SignatureVector;
  readonly ed25519: SignatureVector;
  readonly ed25519ph: SignatureVector;
  readonly seeds: Readonly<Record<MlDsaName | MlKemName, readonly [string, string]>>;
};
const hex = (text: string): Buffer => Buffer.from(text, 'hex');
const ed25519Spki = (publicKey: string): Buffer => hex(`302a300506032b6570032100${publicKey}`);
const ed25519Pkcs8 = (privateKey: string): Buffer => hex(`302e020100300506032b657004220420${privateKey}`);
const p256Spki = (point: string): Buffer => hex(`3059301306072a8648ce3d020106082a8648ce3d030107034200${point}`);
const noRandom = (): Uint8Array => {
  throw new Error('EdDSA needs no random bytes');
};

describe('published vectors', () => {
  it.each(['RAW', 'DIGEST'] as const)('an ECDSA signature with s in the upper half verifies as %s', async (messageType) => {
    const raw = hex(vectors.ecdsa.message);
    const message = messageType === 'RAW' ? raw : createHash('sha256').update(raw).digest();
    const publicKey = p256Spki(vectors.ecdsa.publicKey);
    const about = { keySpec: 'ECC_NIST_P256', publicKey, algorithm: 'ECDSA_SHA_256', messageType, message };
    expect(await isSignatureValid(about, hex(vectors.ecdsa.signature))).toBe(true);
  });

  it.each([
    ['ED25519_SHA_512', 'RAW', vectors.ed25519],
    ['ED25519_PH_SHA_512', 'DIGEST', vectors.ed25519ph],
  ] as const)('%s makes and verifies the signature of RFC 8032', async (algorithm, messageType, vector) => {
    const keySpec = 'ECC_NIST_EDWARDS25519';
    const request = { algorithm, messageType, message: hex(vector.message) };
    const signature = await signWithPrivateKey(keySpec, ed25519Pkcs8(vector.privateKey), request, noRandom);
    expect(Buffer.from(signature).toString('hex')).toBe(vector.signature);
    expect(await isSignatureValid({ keySpec, publicKey: ed25519Spki(vector.publicKey), ...request }, signature)).toBe(true);
  });

  it.each(Object.entries(vectors.seeds) as [MlDsaName | MlKemName, readonly [string, string]][])(
    '%s makes the public key of the seed, and encodes the seed as private key',
    (parameters, [first, last]) => {
      const seed = Uint8Array.from({ length: seedBytes(parameters) }, (_none, index) => index);
      const { publicKey, privateKey } = keyPairOfSeed(parameters, seed);
      const bare = Buffer.from(barePublicKey(parameters, publicKey));
      expect(bare.subarray(0, 32).toString('hex')).toBe(first);
      expect(bare.subarray(-32).toString('hex')).toBe(last);
      expect(Buffer.from(privateKey.subarray(-seed.length))).toEqual(Buffer.from(seed));
      // PrivateKeyInfo: the outer length covers the rest, and the seed is tagged [0].
      expect([privateKey[1], privateKey[privateKey.length - seed.length - 2]]).toEqual([privateKey.length - 2, 0x80]);
    },
  );
});

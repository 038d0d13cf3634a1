/** Keys, signatures and encapsulations of ML-DSA and ML-KEM that Project Wycheproof published. */
import { describe, expect, it } from 'vitest';
import type { MlDsaName, MlKemName } from '../../../src/keys/algorithms.ts';
import { keyPairOfSeed, mlKem, barePublicKey } from '../../../src/keys/post-quantum.ts';
import { KeyStoreError } from '../../../src/keystore/keystore.ts';
import type { SigningRequest } from '../../../src/keystore/keystore.ts';
import { decapsulateSecret, signWithPrivateKey } from '../../../src/keystore/software/private-keys.ts';
import { encapsulateTo } from '../../../src/keys/public-key-encryption.ts';
import { wrongAnswers, wycheproof } from '../../support/wycheproof.ts';
import type { Vector } from '../../support/wycheproof.ts';

const sameBytes = (a: Uint8Array, b: Uint8Array): boolean => Buffer.compare(a, b) === 0;

/** The bare public key that a seed makes. */
const publicOf = (parameters: MlDsaName | MlKemName, seed: Uint8Array): Uint8Array =>
  barePublicKey(parameters, keyPairOfSeed(parameters, seed).publicKey);

function decapsulates(parameters: MlKemName, keySpec: string, { bytes }: Vector): boolean {
  try {
    return sameBytes(decapsulateSecret(keySpec, keyPairOfSeed(parameters, bytes('seed')).privateKey, bytes('c')), bytes('K'));
  } catch (error) {
    if (error instanceof KeyStoreError && error.kind === 'invalid-ciphertext') return false;
    throw error;
  }
}

describe.each(['44', '65', '87'])('mldsa_%s', (size) => {
  const parameters = `ml-dsa-${size}` as MlDsaName;
  const keySpec = `ML_DSA_${size}`;
  const vectors = wycheproof(`mldsa_${size}_sign_seed`).filter(({ flags }) => !flags.includes('IncorrectPrivateKeyLength'));

  /** The signature with the vector's random bytes, or with the zeros of the deterministic variant. */
  async function sign(vector: Vector, request: Pick<SigningRequest, 'message' | 'messageType'>): Promise<Uint8Array> {
    const { privateKey } = keyPairOfSeed(parameters, vector.bytes('privateSeed'));
    const random = (): Uint8Array => (vector.has('rnd') ? vector.bytes('rnd') : new Uint8Array(32));
    return signWithPrivateKey(keySpec, privateKey, { algorithm: 'ML_DSA_SHAKE_256', ...request }, random);
  }

  it('makes the public keys of the seeds', async () => {
    expect(
      await wrongAnswers(
        vectors,
        (vector) => sameBytes(publicOf(parameters, vector.bytes('privateSeed')), vector.bytes('publicKey')),
        () => 'valid',
      ),
    ).toEqual([]);
  });

  it('signs messages to the byte, and not for a context', async () => {
    const withMessage = vectors.filter(({ has }) => has('msg'));
    const wrong = await wrongAnswers(
      withMessage,
      async (vector) => sameBytes(await sign(vector, { messageType: 'RAW', message: vector.bytes('msg') }), vector.bytes('sig')),
      (vector) => (vector.has('ctx') && vector.text('ctx') !== '' ? 'invalid' : vector.result),
    );
    expect([withMessage.length > 0, wrong]).toEqual([true, []]);
  });

  it('signs message representatives to the byte', async () => {
    const withMu = vectors.filter(({ has }) => has('mu'));
    const wrong = await wrongAnswers(withMu, async (vector) =>
      sameBytes(await sign(vector, { messageType: 'EXTERNAL_MU', message: vector.bytes('mu') }), vector.bytes('sig')),
    );
    expect([withMu.length > 0, wrong]).toEqual([true, []]);
  });
});

describe.each(['512', '768', '1024'])('mlkem_%s', (size) => {
  const parameters = `ml-kem-${size}` as MlKemName;
  const keySpec = `ML_KEM_${size}`;

  it('makes the public keys of the seeds', async () => {
    const vectors = wycheproof(`mlkem_${size}_keygen_seed`);
    expect(await wrongAnswers(vectors, (vector) => sameBytes(publicOf(parameters, vector.bytes('seed')), vector.bytes('ek')))).toEqual([]);
  });

  it('decapsulates to the byte, and refuses ciphertexts of another length', async () => {
    // A seed of another length cannot become a key.
    const vectors = wycheproof(`mlkem_${size}`).filter(({ bytes }) => bytes('seed').length === 64);
    expect(await wrongAnswers(vectors, (vector) => decapsulates(parameters, keySpec, vector))).toEqual([]);
  });

  it('encapsulates to no key that is malformed', () => {
    const malformed = wycheproof(`mlkem_${size}_encaps`).filter(({ result }) => result === 'invalid');
    // Of a public key as the store keeps it, only the bytes after the prefix change.
    const { publicKey } = keyPairOfSeed(parameters, new Uint8Array(64).fill(1));
    const prefix = publicKey.subarray(0, publicKey.length - (mlKem[parameters].lengths.publicKey ?? 0));
    for (const { bytes } of malformed) expect(() => encapsulateTo(Buffer.concat([prefix, bytes('ek')]), keySpec)).toThrow();
    expect(malformed.length).toBeGreaterThan(0);
  });
});

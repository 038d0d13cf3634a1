/**
 * Keys of the software store other than SYMMETRIC_DEFAULT: made, sealed, and unsealed for one use at a time; nothing of them stays in
 * memory between two uses. Private keys are used in threads, so that no computation of milliseconds holds the event loop up.
 */
import { createHmac } from 'node:crypto';
import { equalConstantTime } from '../../bytes.ts';
import { keyShape, keySpecs } from '../../keys/algorithms.ts';
import type { KeyShape } from '../../keys/algorithms.ts';
import { macKeyFingerprint, macKeyFingerprintInput, publicKeyFingerprint } from '../../keys/key-fingerprint.ts';
import { generateKeyPair } from '../../keys/key-pair.ts';
import type { EncodedKeyPair } from '../../keys/key-pair.ts';
import { materialIdOf } from '../../keys/material-id.ts';
import { seedBytes } from '../../keys/post-quantum.ts';
import type { MaterialRecord } from '../../keys/key-record.ts';
import type { SecretBytes } from '../../secret-bytes.ts';
import { entropyBytes } from '../computing/computations.ts';
import type { ComputingThreads } from '../computing/computing-threads.ts';
import type { BoundKey, KeyUses, MaterialRequest, SigningRequest } from '../keystore.ts';
import { KeyStoreError } from '../keystore.ts';
import type { MaterialBinding } from '../material-binding.ts';
import { sealMaterial, unsealMaterial } from './sealed-material.ts';

/** Every spec of the API. */
export const softwareKeySpecs: readonly string[] = [...keySpecs.keys()];

const sealingNonceBytes = 12;

/** The members of a new material's record that depend on its bytes. */
export type CreatedSoftwareKey = Pick<MaterialRecord, 'materialId' | 'fingerprint' | 'reference' | 'publicKey'>;

export interface KeyBytes {
  /** PKCS#8, or the key of an HMAC. Wiped after use. */
  readonly secret: Uint8Array;
  readonly publicKey?: Uint8Array;
}

export class SoftwareKeys implements KeyUses {
  readonly #rootKey: SecretBytes;
  readonly #random: (lengthBytes: number) => Uint8Array;
  readonly #threads: ComputingThreads;

  /** `random` gives that many cryptographically strong bytes in a fresh array. */
  constructor(rootKey: SecretBytes, random: (lengthBytes: number) => Uint8Array, threads: ComputingThreads) {
    this.#rootKey = rootKey;
    this.#random = random;
    this.#threads = threads;
  }

  /** Makes and seals a key. Rejects with RangeError for specs that are not made here. */
  async create(request: MaterialRequest): Promise<CreatedSoftwareKey> {
    const bytes = await this.#generate(request.keySpec);
    try {
      return this.seal(request, bytes);
    } finally {
      bytes.secret.fill(0);
    }
  }

  /** Seals a key that is there already, for example an imported one; its bytes stay the caller's to wipe. */
  seal(request: MaterialRequest, { secret, publicKey }: KeyBytes): CreatedSoftwareKey {
    const { key, keySpec } = request;
    const fingerprint = fingerprintOf(keyShape(keySpec), secret, publicKey);
    const materialId = materialIdOf(key.keyId, fingerprint);
    const binding = bindingOf({ ...request, materialId, fingerprint });
    const reference = sealMaterial(this.#rootKey, this.#random(sealingNonceBytes), secret, binding);
    return { materialId, fingerprint, reference, ...(publicKey && { publicKey: Uint8Array.from(publicKey) }) };
  }

  async sign(bound: BoundKey, request: SigningRequest): Promise<Uint8Array> {
    const { keySpec } = bound.key;
    const entropy = this.#random(entropyBytes);
    return this.use(bound, (secret) => this.#threads.compute('sign', { keySpec, request, entropy }, secret));
  }

  async mac(bound: BoundKey, algorithm: string, message: Uint8Array): Promise<Uint8Array> {
    const shape = keyShape(bound.key.keySpec);
    if (shape.type !== 'hmac') throw new KeyStoreError('unsupported', `A key of spec ${bound.key.keySpec} does not compute ${algorithm}`);
    return this.use(bound, (secret) => createHmac(shape.digest, secret).update(message).digest());
  }

  async decryptWithPrivateKey(bound: BoundKey, algorithm: string, ciphertext: Uint8Array): Promise<Uint8Array> {
    return this.use(bound, (secret) =>
      algorithm === 'SM2PKE'
        ? this.#threads.compute('openSm2', { ciphertext }, secret)
        : this.#threads.compute('decryptOaep', { algorithm, ciphertext }, secret),
    );
  }

  async agree(bound: BoundKey, peerPublicKey: Uint8Array): Promise<Uint8Array> {
    return this.use(bound, (secret) => this.#threads.compute('agree', { peerPublicKey }, secret));
  }

  async decapsulate(bound: BoundKey, ciphertext: Uint8Array): Promise<Uint8Array> {
    const { keySpec } = bound.key;
    return this.use(bound, (secret) => this.#threads.compute('decapsulate', { keySpec, ciphertext }, secret));
  }

  async #generate(keySpec: string): Promise<KeyBytes> {
    const shape = keyShape(keySpec);
    if (shape.type === 'hmac') return { secret: this.#random(shape.keyBytes) };
    const { publicKey, privateKey } = await this.#generatePair(keySpec, shape);
    return { secret: privateKey, publicKey };
  }

  async #generatePair(keySpec: string, shape: KeyShape): Promise<EncodedKeyPair> {
    if (shape.type !== 'ml-dsa' && shape.type !== 'ml-kem') return generateKeyPair(keySpec, this.#random);
    const seed = this.#random(seedBytes(shape.parameters));
    try {
      return await this.#threads.compute('keyPairOfSeed', { parameters: shape.parameters }, seed);
    } finally {
      seed.fill(0);
    }
  }

  /** Unseals the key, proves that it is the recorded one, lends it to `work` and wipes it. */
  async use<T>({ key, material }: BoundKey, work: (secret: Uint8Array) => T | Promise<T>): Promise<T> {
    const { materialId, fingerprint, publicKey, reference } = material;
    const secret = unsealMaterial(
      this.#rootKey,
      reference,
      bindingOf({ key, keySpec: key.keySpec, keyUsage: key.keyUsage, materialId, fingerprint }),
    );
    try {
      const found = fingerprintOf(keyShape(key.keySpec), secret, publicKey);
      if (!equalConstantTime(found, fingerprint) || materialIdOf(key.keyId, fingerprint) !== materialId) {
        throw new KeyStoreError('internal', 'The sealed key is not the one that its record describes; it is not used');
      }
      return await work(secret);
    } finally {
      secret.fill(0);
    }
  }
}

function bindingOf(names: Pick<MaterialBinding, 'key' | 'keySpec' | 'keyUsage' | 'materialId' | 'fingerprint'>): MaterialBinding {
  return { ...names, suite: 'none', custody: 'full' };
}

/** The seal binds the secret half to the fingerprint, so that of a pair is taken from its public half. */
function fingerprintOf(shape: KeyShape, secret: Uint8Array, publicKey: Uint8Array | undefined): Uint8Array {
  if (shape.type === 'hmac') return macKeyFingerprint(createHmac(shape.digest, secret).update(macKeyFingerprintInput()).digest());
  if (publicKey === undefined) throw new KeyStoreError('internal', 'The record of a key pair has no public key; the key is not used');
  return publicKeyFingerprint(publicKey);
}

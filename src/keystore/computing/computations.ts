/**
 * What is computed in threads of this process because it would hold the event loop up: private keys in use, imports unwrapped, key pairs
 * made from seeds, signatures verified, secrets encapsulated. Knows nothing of threads.
 */
import type { MlDsaName, MlKemName } from '../../keys/algorithms.ts';
import { type EncodedKeyPair, keyPairOfSeed } from '../../keys/post-quantum.ts';
import { type Encapsulated, encapsulateTo } from '../../keys/public-key-encryption.ts';
import { encryptSm2 } from '../../keys/sm2-encryption.ts';
import { isSignatureValid, type SignedMessage } from '../../keys/verify-signature.ts';
import type { SigningRequest } from '../keystore.ts';
import { agreeOnSecret, decapsulateSecret, decryptOaep, openSm2, signWithPrivateKey } from '../software/private-keys.ts';
import { type ImportedKey, unwrapImport, type WrappedImport } from '../software/wrapped-import.ts';

/** Random bytes that a signature can need: the salt of PSS, or the hedge of ML-DSA. */
export const entropyBytes = 64;

export interface SigningArgument {
  readonly keySpec: string;
  readonly request: SigningRequest;
  /** `entropyBytes` random bytes, used for this signature only. */
  readonly entropy: Uint8Array;
}

/** Each takes what it works on, and the secret that it works with (a private key as DER PKCS#8, a seed), which stays the caller's to wipe. */
export interface Computations {
  sign(argument: SigningArgument, privateKey: Uint8Array): Promise<Uint8Array>;
  decryptOaep(argument: { readonly algorithm: string; readonly ciphertext: Uint8Array }, privateKey: Uint8Array): Uint8Array;
  openSm2(argument: { readonly ciphertext: Uint8Array }, privateKey: Uint8Array): Uint8Array;
  agree(argument: { readonly peerPublicKey: Uint8Array }, privateKey: Uint8Array): Uint8Array;
  decapsulate(argument: { readonly keySpec: string; readonly ciphertext: Uint8Array }, privateKey: Uint8Array): Uint8Array;
  keyPairOfSeed(argument: { readonly parameters: MlDsaName | MlKemName }, seed: Uint8Array): EncodedKeyPair;
  unwrapImport(argument: WrappedImport, privateKey: Uint8Array): ImportedKey;
  isSignatureValid(argument: { readonly signed: SignedMessage; readonly signature: Uint8Array }): Promise<boolean>;
  /** The secret is the plaintext. */
  encryptSm2(argument: { readonly publicKey: Uint8Array }, plaintext: Uint8Array): Uint8Array;
  encapsulateTo(argument: { readonly publicKey: Uint8Array; readonly keySpec: string }): Encapsulated;
}

export type ArgumentOf<Name extends keyof Computations> = Parameters<Computations[Name]>[0];
export type ResultOf<Name extends keyof Computations> = Awaited<ReturnType<Computations[Name]>>;

export const computations: Computations = {
  sign: ({ keySpec, request, entropy }, privateKey) =>
    signWithPrivateKey(keySpec, privateKey, request, (lengthBytes) => entropyFrom(entropy, lengthBytes)),
  decryptOaep: ({ algorithm, ciphertext }, privateKey) => decryptOaep(privateKey, algorithm, ciphertext),
  openSm2: ({ ciphertext }, privateKey) => openSm2(privateKey, ciphertext),
  agree: ({ peerPublicKey }, privateKey) => agreeOnSecret(privateKey, peerPublicKey),
  decapsulate: ({ keySpec, ciphertext }, privateKey) => decapsulateSecret(keySpec, privateKey, ciphertext),
  keyPairOfSeed: ({ parameters }, seed) => keyPairOfSeed(parameters, seed),
  unwrapImport,
  isSignatureValid: ({ signed, signature }) => isSignatureValid(signed, signature),
  encryptSm2: ({ publicKey }, plaintext) => encryptSm2(publicKey, plaintext),
  encapsulateTo: ({ publicKey, keySpec }) => encapsulateTo(publicKey, keySpec),
};

/** A signature asks once: the same bytes are never given twice. */
function entropyFrom(entropy: Uint8Array, lengthBytes: number): Uint8Array {
  if (lengthBytes > entropy.length) throw new RangeError(`A signature may use ${entropy.length} random bytes, not ${lengthBytes}`);
  return entropy.subarray(0, lengthBytes);
}

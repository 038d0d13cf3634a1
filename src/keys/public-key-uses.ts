/**
 * What the service does with stored public keys and takes milliseconds: on this thread, for programs that may wait, and as an interface for
 * who keeps it off the event loop (`keystore/computing/`).
 */
import { encapsulateTo, type Encapsulated, encryptWithPublicKey } from './public-key-encryption.ts';
import { isSignatureValid, type SignedMessage } from './verify-signature.ts';

export interface PublicKeyUses {
  /** Resolves to whether `signature` is right; a signature of any wrong form is not. */
  isSignatureValid(signed: SignedMessage, signature: Uint8Array): Promise<boolean>;
  /** A fresh shared secret under an ML-KEM public key (DER SubjectPublicKeyInfo). */
  encapsulateTo(publicKey: Uint8Array, keySpec: string): Promise<Encapsulated>;
  /** The ciphertext of RSAES-OAEP or SM2PKE. The plaintext's length was checked. */
  encryptTo(publicKey: Uint8Array, algorithm: string, plaintext: Uint8Array): Promise<Uint8Array>;
}

/** Computes where it is called. */
export const publicKeysOnThisThread: PublicKeyUses = {
  isSignatureValid,
  encapsulateTo: async (publicKey, keySpec) => encapsulateTo(publicKey, keySpec),
  encryptTo: async (publicKey, algorithm, plaintext) => encryptWithPublicKey(publicKey, algorithm, plaintext),
};

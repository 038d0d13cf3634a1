/**
 * What the service does with stored public keys and takes milliseconds: on this thread, for programs that may wait, and as an interface for
 * who keeps it off the event loop (`keystore/computing/`).
 */
import { encapsulateTo, type Encapsulated } from './public-key-encryption.ts';
import { isSignatureValid, type SignedMessage } from './verify-signature.ts';

export interface PublicKeyUses {
  /** Resolves to whether `signature` is right; a signature of any wrong form is not. */
  isSignatureValid(signed: SignedMessage, signature: Uint8Array): Promise<boolean>;
  /** A fresh shared secret under an ML-KEM public key (DER SubjectPublicKeyInfo). */
  encapsulateTo(publicKey: Uint8Array, keySpec: string): Promise<Encapsulated>;
}

/** Computes where it is called. */
export const publicKeysOnThisThread: PublicKeyUses = {
  isSignatureValid,
  encapsulateTo: async (publicKey, keySpec) => encapsulateTo(publicKey, keySpec),
};

/** The ciphertext blob: what its header says. */
import type { CiphertextSuite } from './key-record.ts';

/** A parsed blob, before any key was looked up. */
export interface CiphertextHeader {
  readonly suite: CiphertextSuite;
  readonly partition: string;
  readonly account: string;
  readonly keyId: string;
  readonly materialId: string;
  /** 16 bytes; all zero for suites without epochs. */
  readonly epochNonce: Uint8Array;
  /** 12 bytes. */
  readonly iv: Uint8Array;
  /** Every byte before the ciphertext: authenticated with the encryption context. */
  readonly headerBytes: Uint8Array;
  /** Ciphertext followed by the 16-byte tag. */
  readonly sealed: Uint8Array;
}

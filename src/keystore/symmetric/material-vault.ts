/**
 * Where symmetric materials live and compute: a PKCS#11 token, or this process. What `SymmetricCipher` needs of such a
 * place, one attempt each. `Key` is a reference to a key inside it. Which key, how long, which IV is decided above.
 */
import type { CiphertextSuite } from '../../keys/key-record.ts';
import type { BoundMaterial } from '../keystore.ts';
import type { SharedKey } from './shared-key.ts';

/** A ciphertext as the vault made it. */
export interface SealedBytes {
  /** 12 bytes: the one that was given, or the vault's own where it makes them. */
  readonly iv: Uint8Array;
  /** Ciphertext followed by the 16-byte tag. */
  readonly sealed: Uint8Array;
}

export interface MaterialVault<Key> {
  /** The vault ignores the IVs that it is given and makes its own. */
  readonly makesIvs: boolean;
  /** True while the key may be used: the vault was not reset since it was obtained. */
  isCurrent(key: Key): boolean;
  /**
   * Finds, unwraps or unseals the material, and proves by its binding and fingerprint that it is the one recorded. Retiring
   * the reference undoes that; a material that lives in the vault for good stays there.
   */
  openMaterial(bound: BoundMaterial): Promise<SharedKey<Key>>;
  /** The AES-256 key of an epoch, destroyed when the reference is retired. `suite` is one that derives. */
  deriveEpochKey(material: Key, suite: CiphertextSuite, nonce: Uint8Array): Promise<SharedKey<Key>>;
  /** AES-256-GCM, 128-bit tag. */
  encrypt(key: Key, iv: Uint8Array, additionalData: Uint8Array, plaintext: Uint8Array): Promise<SealedBytes>;
  decrypt(key: Key, iv: Uint8Array, additionalData: Uint8Array, sealed: Uint8Array): Promise<Uint8Array>;
}

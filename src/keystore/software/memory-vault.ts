/** This process as a vault of symmetric materials: key bytes in memory while they are in use, overwritten afterwards. */
import { createCipheriv, createDecipheriv } from 'node:crypto';
import { equalConstantTime } from '../../bytes.ts';
import { tagBytes } from '../../keys/ciphertext-blob.ts';
import { epochLabel } from '../../keys/key-derivation.ts';
import type { CiphertextSuite } from '../../keys/key-record.ts';
import { materialIdOf } from '../../keys/material-id.ts';
import { SecretBytes } from '../../secret-bytes.ts';
import type { BoundMaterial } from '../keystore.ts';
import { KeyStoreError } from '../keystore.ts';
import { symmetricSpec } from '../material-binding.ts';
import type { MaterialVault, SealedBytes } from '../symmetric/material-vault.ts';
import { SharedKey } from '../symmetric/shared-key.ts';
import { deriveKey, softwareFingerprint } from './key-derivation.ts';
import { unsealMaterial } from './sealed-material.ts';

export class MemoryVault implements MaterialVault<SecretBytes> {
  readonly makesIvs = false;
  readonly #rootKey: SecretBytes;

  constructor(rootKey: SecretBytes) {
    this.#rootKey = rootKey;
  }

  isCurrent(): boolean {
    return true;
  }

  async openMaterial(bound: BoundMaterial): Promise<SharedKey<SecretBytes>> {
    const { reference, suite, custody, materialId, fingerprint } = bound.material;
    const binding = { key: bound.key, ...symmetricSpec, suite, custody, materialId, fingerprint };
    const material = unsealMaterial(this.#rootKey, reference, binding);
    const matches =
      equalConstantTime(softwareFingerprint(material, suite), fingerprint) && materialIdOf(bound.key.keyId, fingerprint) === materialId;
    if (matches) return wipedKey(material);
    material.fill(0);
    throw new KeyStoreError('internal', 'The sealed key material is not the one that its record describes; the key is not used');
  }

  /** Lends the bytes of a material to `work` and wipes them. */
  async lend<T>(bound: BoundMaterial, work: (material: Uint8Array) => Promise<T>): Promise<T> {
    const shared = await this.openMaterial(bound);
    try {
      return await shared.key.expose(work);
    } finally {
      await shared.retire();
    }
  }

  async deriveEpochKey(material: SecretBytes, suite: CiphertextSuite, nonce: Uint8Array): Promise<SharedKey<SecretBytes>> {
    return wipedKey(material.expose((bytes) => deriveKey(bytes, suite, epochLabel, nonce)));
  }

  async encrypt(key: SecretBytes, iv: Uint8Array, additionalData: Uint8Array, plaintext: Uint8Array): Promise<SealedBytes> {
    const cipher = key.expose((bytes) => createCipheriv('aes-256-gcm', bytes, iv)).setAAD(additionalData);
    const sealed = Buffer.concat([cipher.update(plaintext), cipher.final(), cipher.getAuthTag()]);
    return { iv, sealed };
  }

  async decrypt(key: SecretBytes, iv: Uint8Array, additionalData: Uint8Array, sealed: Uint8Array): Promise<Uint8Array> {
    const tagAt = sealed.length - tagBytes;
    const decipher = key.expose((bytes) => createDecipheriv('aes-256-gcm', bytes, iv, { authTagLength: tagBytes }));
    decipher.setAAD(additionalData).setAuthTag(sealed.subarray(tagAt));
    const plaintext = decipher.update(sealed.subarray(0, tagAt));
    try {
      decipher.final();
      return plaintext;
    } catch (error) {
      plaintext.fill(0);
      throw new KeyStoreError('invalid-ciphertext', 'The ciphertext or its encryption context is wrong', { cause: error });
    }
  }
}

function wipedKey(bytes: Uint8Array): SharedKey<SecretBytes> {
  return new SharedKey(new SecretBytes(bytes), async (key) => key.wipe());
}

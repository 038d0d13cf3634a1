/**
 * SYMMETRIC_DEFAULT over a vault: epochs and IVs for encryption, derived keys for decryption, and the end of both when a
 * material is forgotten. The same for a token and for software. One attempt each; re-running is the key store's.
 */
import { toHex } from '../../bytes.ts';
import type { Clock } from '../../clock.ts';
import { additionalData, assembleBlob, encodeHeader, epochNonceBytes, isZero } from '../../keys/ciphertext-blob.ts';
import type { CiphertextHeader } from '../../keys/ciphertext-blob.ts';
import type { Log } from '../../log.ts';
import type { BoundMaterial, UsageLeases } from '../keystore.ts';
import { KeyStoreError } from '../keystore.ts';
import { DecryptionKeys } from './decryption-keys.ts';
import { DirectUses } from './direct-uses.ts';
import { EncryptionEpoch, epochLimits, epochLimitsOfVaultMadeIvs } from './encryption-epoch.ts';
import { EpochKeyCache } from './epoch-key-cache.ts';
import type { FillRandom } from './iv-source.ts';
import { IvSource } from './iv-source.ts';
import type { MaterialVault } from './material-vault.ts';
import type { OpenedMaterial } from './opened-materials.ts';
import { OpenedMaterials } from './opened-materials.ts';
import { Retirement } from './retirement.ts';
import { RunningCalls } from './running-calls.ts';
import type { SharedKey } from './shared-key.ts';

export interface SymmetricCipherParts {
  readonly clock: Clock;
  readonly log: Log;
  readonly fillRandom: FillRandom;
  readonly leases: UsageLeases;
  /** Epoch keys, of encryption and decryption together; also the most materials that stay open. */
  readonly epochKeysMax: number;
}

const knownAnswerPlaintext = Buffer.from('hsm-kms known answer of an epoch', 'latin1');

export class SymmetricCipher<Key> {
  readonly #vault: MaterialVault<Key>;
  readonly #parts: SymmetricCipherParts;
  readonly #ivs: IvSource;
  readonly #uses: DirectUses;
  readonly #retirement: Retirement<Key>;
  readonly #epochKeys: EpochKeyCache<Key>;
  readonly #materials: OpenedMaterials<Key>;
  readonly #decryptionKeys: DecryptionKeys<Key>;
  readonly #calls = new RunningCalls();

  constructor(vault: MaterialVault<Key>, parts: SymmetricCipherParts) {
    this.#vault = vault;
    this.#parts = parts;
    this.#ivs = new IvSource(parts.fillRandom);
    this.#uses = new DirectUses(parts.leases, parts.log);
    this.#retirement = new Retirement(parts.log);
    // A quarter each: one KMS key whose ciphertexts all come from other epochs does not push out everybody else's keys.
    const bounds = { keysMax: parts.epochKeysMax, keysPerMaterialMax: Math.max(2, Math.floor(parts.epochKeysMax / 4)) };
    this.#epochKeys = new EpochKeyCache(bounds, (materialId, key) => this.#retirement.begin(materialId, key));
    this.#materials = new OpenedMaterials(vault, parts.epochKeysMax, this.#retirement, (id) => this.#epochKeys.removeMaterial(id));
    this.#decryptionKeys = new DecryptionKeys(vault, this.#epochKeys, this.#retirement);
  }

  /** Number of epoch keys that are kept now, for tests and metrics. */
  get epochKeyCount(): number {
    return this.#epochKeys.size;
  }

  /** All attempts of one call on a material: `forget` waits until they are over. */
  during<T>(materialId: string, attempts: () => Promise<T>): Promise<T> {
    return this.#calls.during(materialId, attempts);
  }

  /** The whole ciphertext blob. */
  async encrypt(bound: BoundMaterial, plaintext: Uint8Array, context: Uint8Array): Promise<Uint8Array> {
    const epoch = this.#materials.find(bound)?.epoch;
    const number = epoch && this.#takeNumber(epoch);
    if (number !== undefined) return this.#seal(epoch!, number, plaintext, context);
    return this.#materials.use(bound, (opened, material) =>
      bound.material.suite === 'direct'
        ? this.#encryptDirect(bound, material, plaintext, context)
        : this.#encryptInEpoch(opened, plaintext, context),
    );
  }

  /** The plaintext. Rejects with `invalid-ciphertext` before any work of the vault when the header is not of this material. */
  async decrypt(bound: BoundMaterial, header: CiphertextHeader, context: Uint8Array): Promise<Uint8Array> {
    if (!isHeaderOf(bound, header)) throw new KeyStoreError('invalid-ciphertext', 'The ciphertext was not made with this key material');
    const data = additionalData(header.headerBytes, context);
    const open = (key: Key): Promise<Uint8Array> => this.#vault.decrypt(key, header.iv, data, header.sealed);
    const known = this.#materials.find(bound) && this.#decryptionKeys.find(header.materialId, header.epochNonce);
    if (known !== undefined) return known.use(open);
    return this.#materials.use(bound, (opened, material) =>
      header.suite === 'direct' ? open(material) : this.#decryptionKeys.use(opened, header.epochNonce, open),
    );
  }

  /** Closes the material and destroys all its epoch keys, once the calls that use it are over; resolves when the vault confirmed it. */
  async forget(materialId: string): Promise<void> {
    await this.#calls.ended(materialId);
    await this.#materials.settled(materialId);
    this.#materials.close(materialId);
    // Waits for running calls; what they derived while the material was being closed leaves after them.
    await this.#retirement.finish(materialId);
    this.#epochKeys.removeMaterial(materialId);
    await this.#retirement.finish(materialId);
  }

  /** Drops references that no longer work, without waiting: the vault was reset, or denied a key of the material. */
  abandon(materialId?: string): void {
    if (materialId !== undefined) return this.#materials.close(materialId);
    this.#materials.closeAll();
    this.#epochKeys.clear();
    // What could not be destroyed went with the reset.
    void this.#retirement.finishAll();
  }

  /** Destroys all session keys as far as the vault still can; waits for running calls, never rejects. */
  async close(): Promise<void> {
    this.abandon();
    await this.#retirement.finishAll();
  }

  async #encryptInEpoch(opened: OpenedMaterial<Key>, plaintext: Uint8Array, context: Uint8Array): Promise<Uint8Array> {
    for (;;) {
      const epoch = opened.epoch ?? (await this.#beginEpochOnce(opened));
      const number = this.#takeNumber(epoch);
      if (number !== undefined) return this.#seal(epoch, number, plaintext, context);
      if (opened.epoch === epoch) opened.epoch = undefined;
      this.#epochKeys.remove(opened.bound.material.materialId, epoch.nonce);
    }
  }

  /** The next number of the epoch, or undefined when the epoch has ended or its key is gone. */
  #takeNumber(epoch: EncryptionEpoch<Key>): number | undefined {
    return this.#vault.isCurrent(epoch.shared.key) ? epoch.takeNumber(this.#parts.clock.monotonicMs()) : undefined;
  }

  async #seal(epoch: EncryptionEpoch<Key>, number: number, plaintext: Uint8Array, context: Uint8Array): Promise<Uint8Array> {
    // Marks the key as used, so that decryptions of other epochs do not push it out.
    this.#epochKeys.get(epoch.materialId, epoch.nonce);
    const iv = this.#ivs.next(number);
    const made = await epoch.shared.use((key) => this.#vault.encrypt(key, iv, epoch.additionalData(context), plaintext));
    return assembleBlob(epoch.headerBytes, made.iv, made.sealed);
  }

  async #encryptDirect(bound: BoundMaterial, material: Key, plaintext: Uint8Array, context: Uint8Array): Promise<Uint8Array> {
    const number = await this.#uses.take(bound.material.materialId);
    const headerBytes = headerOf(bound, new Uint8Array(epochNonceBytes));
    const { iv, sealed } = await this.#vault.encrypt(material, this.#ivs.next(number), additionalData(headerBytes, context), plaintext);
    return assembleBlob(headerBytes, iv, sealed);
  }

  async #beginEpochOnce(opened: OpenedMaterial<Key>): Promise<EncryptionEpoch<Key>> {
    opened.nextEpoch ??= this.#beginEpoch(opened).finally(() => (opened.nextEpoch = undefined));
    return opened.nextEpoch;
  }

  /** Derives the key of a fresh nonce and proves it: what one derivation seals, a second, independent one opens. */
  async #beginEpoch(opened: OpenedMaterial<Key>): Promise<EncryptionEpoch<Key>> {
    const { material } = opened.bound;
    const nonce = this.#freshNonce();
    const derive = async (): Promise<SharedKey<Key>> => this.#vault.deriveEpochKey(opened.shared.key, material.suite, nonce);
    const shared = await derive();
    const limits = this.#vault.makesIvs ? epochLimitsOfVaultMadeIvs : epochLimits;
    const names = { materialId: material.materialId, nonce: toHex(nonce), headerBytes: headerOf(opened.bound, nonce) };
    const epoch = new EncryptionEpoch(shared, names, limits, this.#parts.clock.monotonicMs());
    try {
      const second = await derive();
      await this.#proveEpoch(epoch, second).finally(() => this.#retirement.begin(material.materialId, second));
    } catch (error) {
      this.#retirement.begin(material.materialId, shared);
      throw error;
    }
    this.#epochKeys.put(material.materialId, epoch.nonce, shared);
    opened.epoch = epoch;
    return epoch;
  }

  async #proveEpoch(epoch: EncryptionEpoch<Key>, second: SharedKey<Key>): Promise<void> {
    const number = epoch.takeNumber(this.#parts.clock.monotonicMs()) ?? 0;
    const { iv, sealed } = await this.#vault.encrypt(epoch.shared.key, this.#ivs.next(number), epoch.headerBytes, knownAnswerPlaintext);
    const opened = await this.#vault.decrypt(second.key, iv, epoch.headerBytes, sealed);
    if (Buffer.compare(opened, knownAnswerPlaintext) !== 0 || Buffer.compare(sealed.subarray(0, opened.length), opened) === 0) {
      throw new KeyStoreError('unavailable', 'A new epoch key failed its known-answer test, and was not used');
    }
  }

  #freshNonce(): Uint8Array {
    const nonce = new Uint8Array(epochNonceBytes);
    do this.#parts.fillRandom(nonce);
    while (isZero(nonce));
    return nonce;
  }
}

function headerOf(bound: BoundMaterial, epochNonce: Uint8Array): Uint8Array {
  const { partition, account, keyId } = bound.key;
  return encodeHeader({ suite: bound.material.suite, partition, account, keyId, materialId: bound.material.materialId, epochNonce });
}

function isHeaderOf(bound: BoundMaterial, header: CiphertextHeader): boolean {
  return (
    header.suite === bound.material.suite &&
    header.materialId === bound.material.materialId &&
    header.keyId === bound.key.keyId &&
    header.account === bound.key.account &&
    header.partition === bound.key.partition
  );
}

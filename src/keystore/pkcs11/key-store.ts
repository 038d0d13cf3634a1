/**
 * The key store over a PKCS#11 token. Re-runs attempts through the token's recovery ladder and translates errors; what an
 * attempt does is in the files beside this one and in `symmetric/`.
 */
import type { Clock } from '../../clock.ts';
import type { CiphertextHeader } from '../../keys/ciphertext-blob.ts';
import type { MaterialRecord } from '../../keys/key-record.ts';
import type { Log } from '../../log.ts';
import { TokenError } from '../../token/token-error.ts';
import type { Token, TokenObject } from '../../token/token.ts';
import type {
  BoundMaterial,
  KeyStore,
  KeyStoreDescription,
  KeyStoreErrorKind,
  KeyStoreHealth,
  MaterialRequest,
  UsageLeases,
} from '../keystore.ts';
import { KeyStoreError } from '../keystore.ts';
import { symmetricSpec } from '../material-binding.ts';
import type { FillRandom } from '../symmetric/iv-source.ts';
import { openSystemRandom } from '../symmetric/iv-source.ts';
import { SymmetricCipher } from '../symmetric/symmetric-cipher.ts';
import type { MaterialPolicy, NewMaterials } from './custody.ts';
import { planNewMaterials } from './custody.ts';
import { onOwnData, onOwnDataError, toKeyStoreError } from './key-store-error.ts';
import { isTokenSuite } from './material-templates.ts';
import { ResidentMaterials } from './resident-materials.ts';
import { TokenVault } from './token-vault.ts';
import { WrappedMaterials } from './wrapped-materials.ts';

/** The part of the configuration that this store reads. */
export interface Pkcs11KeyStoreConfig extends MaterialPolicy {
  readonly name: string;
}

export interface Pkcs11KeyStoreParts {
  readonly clock: Clock;
  readonly log: Log;
  readonly leases: UsageLeases;
  /** Session keys that are kept for epochs (`epochKeysMax` of the token). */
  readonly epochKeysMax: number;
  /** The operating system's generator when absent. */
  readonly fillRandom?: FillRandom;
}

/**
 * A key store on an open token, which stays the caller's to close. Rejects with KeyStoreError when the token fails; a token
 * that cannot make materials as configured still opens, serves what it holds, and says why in `describe().remarks`.
 */
export async function openPkcs11KeyStore(config: Pkcs11KeyStoreConfig, token: Token, parts: Pkcs11KeyStoreParts): Promise<KeyStore> {
  const wrapped = new WrappedMaterials(token);
  try {
    const plan = await token.recovering(() => onOwnData(planNewMaterials(token, config, wrapped)));
    return new Pkcs11KeyStore(config, token, parts, wrapped, plan);
  } catch (error) {
    throw toKeyStoreError(error);
  }
}

class Pkcs11KeyStore implements KeyStore {
  readonly name: string;
  readonly protection = 'HSM';
  readonly #config: Pkcs11KeyStoreConfig;
  readonly #token: Token;
  readonly #clock: Clock;
  readonly #plan: NewMaterials;
  readonly #resident: ResidentMaterials;
  readonly #wrapped: WrappedMaterials;
  readonly #cipher: SymmetricCipher<TokenObject>;
  readonly #unsubscribe: () => void;

  constructor(config: Pkcs11KeyStoreConfig, token: Token, parts: Pkcs11KeyStoreParts, wrapped: WrappedMaterials, plan: NewMaterials) {
    this.name = config.name;
    this.#config = config;
    this.#token = token;
    this.#clock = parts.clock;
    this.#plan = plan;
    this.#resident = new ResidentMaterials(token);
    this.#wrapped = wrapped;
    const vault = new TokenVault(token, this.#resident, wrapped);
    this.#cipher = new SymmetricCipher(vault, { ...parts, fillRandom: parts.fillRandom ?? openSystemRandom() });
    this.#unsubscribe = token.onEpochChange(() => this.#dropReferences());
  }

  describe(): KeyStoreDescription {
    const { suite, remarks } = this.#plan;
    return { name: this.name, protection: this.protection, residency: this.#config.residency, suite, remarks };
  }

  health(): KeyStoreHealth {
    return this.#token.health;
  }

  async createMaterial(request: MaterialRequest, signal?: AbortSignal): Promise<MaterialRecord> {
    const { suite, custody, refusal } = this.#plan;
    if (request.keySpec !== symmetricSpec.keySpec || request.keyUsage !== symmetricSpec.keyUsage) {
      throw new KeyStoreError(
        'unsupported',
        `The key store "${this.name}" does not make keys of spec ${request.keySpec} for ${request.keyUsage}`,
      );
    }
    if (refusal !== undefined) throw refusal;
    if (suite === undefined || !isTokenSuite(suite)) throw new KeyStoreError('unsupported', 'The token cannot make key materials');
    const { residency } = this.#config;
    let attempts = 0;
    const created = await this.#run(() => {
      attempts += 1;
      if (residency === 'wrapped') return this.#wrapped.create(request, suite, custody);
      return this.#resident.create(request, suite, attempts > 1);
    }, signal);
    const { name: keyStore, protection } = this;
    return { ...created, keyStore, protection, residency, custody, suite, createdAtMs: this.#clock.nowMs() };
  }

  encrypt(bound: BoundMaterial, plaintext: Uint8Array, context: Uint8Array, signal?: AbortSignal): Promise<Uint8Array> {
    return this.#use(bound, () => this.#cipher.encrypt(bound, plaintext, context), 'internal', signal);
  }

  decrypt(bound: BoundMaterial, header: CiphertextHeader, context: Uint8Array, signal?: AbortSignal): Promise<Uint8Array> {
    return this.#use(bound, () => this.#cipher.decrypt(bound, header, context), 'invalid-ciphertext', signal);
  }

  async random(lengthBytes: number, signal?: AbortSignal): Promise<Uint8Array> {
    return this.#run(() => this.#token.random(lengthBytes), signal);
  }

  async forget(materialId: string): Promise<void> {
    await this.#run(() => this.#cipher.forget(materialId));
    // A host that was replaced while a call hung there still has its session objects.
    await this.#token.endReplacedHosts();
  }

  async destroyMaterial(bound: BoundMaterial, signal?: AbortSignal): Promise<void> {
    const { materialId, residency, reference } = bound.material;
    await this.forget(materialId);
    if (residency === 'token') await this.#run(() => this.#resident.destroy(reference), signal);
  }

  async destroyByObjectId(objectId: Uint8Array): Promise<boolean> {
    return this.#run(() => this.#resident.destroy(objectId));
  }

  async listObjectIds(): Promise<readonly Uint8Array[]> {
    return this.#run(() => this.#resident.objectIds());
  }

  async probe(): Promise<void> {
    await this.#run(() => this.#token.probe());
  }

  async close(): Promise<void> {
    this.#unsubscribe();
    await this.#cipher.close();
  }

  /** An attempt on data of our own, and more after the token recovered. */
  async #run<T>(attempt: () => Promise<T>, signal?: AbortSignal): Promise<T> {
    try {
      return await this.#token.recovering(() => onOwnData(attempt()), signal);
    } catch (error) {
      throw toKeyStoreError(error);
    }
  }

  /** Likewise for the use of a material. `input` is what it means when the token blames the input. */
  async #use<T>(bound: BoundMaterial, attempt: () => Promise<T>, input: KeyStoreErrorKind, signal: AbortSignal | undefined): Promise<T> {
    const failed = (error: unknown): never => {
      if (error instanceof TokenError && error.kind === 'handle') this.#dropDenied(bound);
      throw input === 'invalid-ciphertext' ? error : onOwnDataError(error);
    };
    try {
      return await this.#cipher.during(bound.material.materialId, () => this.#token.recovering(() => attempt().catch(failed), signal));
    } catch (error) {
      throw toKeyStoreError(error, input);
    }
  }

  /** References that the token denies are not used again. */
  #dropDenied({ material }: BoundMaterial): void {
    this.#resident.dismiss(material.reference);
    this.#wrapped.relist();
    this.#cipher.abandon(material.materialId);
  }

  #dropReferences(): void {
    this.#resident.relist();
    this.#wrapped.relist();
    this.#cipher.abandon();
  }
}

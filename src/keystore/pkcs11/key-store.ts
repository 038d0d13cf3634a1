/**
 * The key store over a PKCS#11 token. Re-runs attempts through the token's recovery ladder and translates errors; what an
 * attempt does is in the files beside this one and in `symmetric/`.
 */
import type { Clock } from '../../clock.ts';
import type { CiphertextHeader } from '../../keys/ciphertext-blob.ts';
import type { EncodedKeyPair } from '../../keys/key-pair.ts';
import { isSymmetricMaterial } from '../../keys/key-record.ts';
import type { MaterialRecord } from '../../keys/key-record.ts';
import type { Log } from '../../log.ts';
import { TokenError } from '../../token/token-error.ts';
import type { Token, TokenObject } from '../../token/token.ts';
import type {
  AdoptedMaterial,
  AdoptionRequest,
  BoundKey,
  BoundMaterial,
  ImportedMaterial,
  ImportRequest,
  KeyStore,
  KeyStoreDescription,
  KeyStoreErrorKind,
  KeyStoreHealth,
  MaterialImports,
  MaterialRequest,
  MaterialTransport,
  SigningRequest,
  TransportedMaterial,
  TransportPeers,
  UsageLeases,
} from '../keystore.ts';
import { KeyStoreError } from '../keystore.ts';
import { symmetricSpec } from '../material-binding.ts';
import { servedAlgorithms } from '../served-algorithms.ts';
import type { ServedAlgorithm, Service } from '../served-algorithms.ts';
import type { FillRandom } from '../symmetric/iv-source.ts';
import { openSystemRandom } from '../symmetric/iv-source.ts';
import { SymmetricCipher } from '../symmetric/symmetric-cipher.ts';
import { findAdoptable } from './adopted-materials.ts';
import type { Adoptable } from './adoption-rules.ts';
import type { MaterialPolicy, NewMaterials } from './custody.ts';
import { planNewMaterials, runsSuite, suiteFor } from './custody.ts';
import { createDataKeyPair } from './data-key-pairs.ts';
import { onOwnData, onOwnDataError, toKeyStoreError } from './key-store-error.ts';
import { isTokenSuite } from './derivation.ts';
import { destroyImportKey } from './import-keys.ts';
import { importError, TokenImports, unwrapsImports } from './imports.ts';
import type { ImportPolicy, TakenIn } from './imports.ts';
import type { CreatedMaterial, MaterialKind } from './material-kind.ts';
import { MaterialPlaces } from './material-places.ts';
import { ServedKeys } from './served-keys.ts';
import { symmetricKind } from './symmetric-kind.ts';
import { TokenKeys } from './token-keys.ts';
import { TokenTransport } from './token-transport.ts';
import { TokenVault } from './token-vault.ts';

/** The part of the configuration that this store reads. */
export interface Pkcs11KeyStoreConfig extends MaterialPolicy {
  readonly name: string;
  /** In the token only when absent. */
  readonly import?: ImportPolicy['import'];
}

export interface Pkcs11KeyStoreParts {
  readonly clock: Clock;
  readonly log: Log;
  readonly leases: UsageLeases;
  /** Session keys that are kept for epochs (`epochKeysMax` of the token). */
  readonly epochKeysMax: number;
  /** Key stores that materials of multi-Region keys may come from and go to. Absent: this one only. */
  readonly transportPeers?: TransportPeers;
  /** The operating system's generator when absent. */
  readonly fillRandom?: FillRandom;
}

/**
 * A key store on an open token, which stays the caller's to close. Rejects with KeyStoreError when the token fails; a token
 * that cannot make materials as configured still opens, serves what it holds, and says why in `describe().remarks`.
 */
export async function openPkcs11KeyStore(config: Pkcs11KeyStoreConfig, token: Token, parts: Pkcs11KeyStoreParts): Promise<KeyStore> {
  const places = new MaterialPlaces(token);
  try {
    const plan = await token.recovering(() => onOwnData(planNewMaterials(token, config, places.wrapped)));
    return new Pkcs11KeyStore(config, token, parts, places, plan);
  } catch (error) {
    throw toKeyStoreError(error);
  }
}

class Pkcs11KeyStore implements KeyStore, MaterialTransport {
  readonly name: string;
  readonly protection = 'HSM';
  /* Imports: absent where the token unwraps no keys, so that a fallback may take them. */
  readonly createImportKey?: MaterialImports['createImportKey'];
  readonly importMaterial?: MaterialImports['importMaterial'];
  readonly destroyImportKey?: MaterialImports['destroyImportKey'];
  readonly #config: Pkcs11KeyStoreConfig;
  readonly #token: Token;
  readonly #clock: Clock;
  readonly #plan: NewMaterials;
  readonly #places: MaterialPlaces;
  readonly #served: ServedKeys;
  readonly #cipher: SymmetricCipher<TokenObject>;
  readonly #keys: TokenKeys;
  readonly #imports: TokenImports;
  readonly #transport: TokenTransport;
  readonly #unsubscribe: () => void;

  constructor(config: Pkcs11KeyStoreConfig, token: Token, parts: Pkcs11KeyStoreParts, places: MaterialPlaces, plan: NewMaterials) {
    this.name = config.name;
    this.#config = config;
    this.#token = token;
    this.#clock = parts.clock;
    this.#plan = plan;
    this.#places = places;
    this.#served = new ServedKeys(token, config.residency === 'wrapped');
    this.#keys = new TokenKeys(token, places, this.#served, { keysMax: parts.epochKeysMax, log: parts.log });
    this.#cipher = new SymmetricCipher(new TokenVault(token, places), { ...parts, fillRandom: parts.fillRandom ?? openSystemRandom() });
    this.#imports = new TokenImports(token, places, { residency: config.residency, import: config.import ?? 'in-token' });
    this.#transport = new TokenTransport(config.name, token, places.resident, parts.transportPeers);
    if (unwrapsImports(token.capabilities)) Object.assign(this, this.#materialImports());
    this.#unsubscribe = token.onEpochChange(() => this.#dropReferences());
  }

  describe(): KeyStoreDescription {
    const { suite, remarks } = this.#plan;
    const { name, protection } = this;
    return { name, protection, residency: this.#config.residency, suite, ...this.#newKeySpecs(), remarks };
  }

  health(): KeyStoreHealth {
    return this.#token.health;
  }

  algorithms(): readonly ServedAlgorithm[] {
    const { suiteRefusal, refusal } = this.#plan;
    return servedAlgorithms((keySpec, keyUsage, algorithm): Service => {
      const refused = keySpec === symmetricSpec.keySpec ? suiteRefusal : refusal;
      if (refused !== undefined) return { how: 'refused', reason: refused.message };
      return keySpec === symmetricSpec.keySpec ? { how: 'token' } : this.#served.serviceOfNew(keySpec, keyUsage, algorithm);
    });
  }

  async createMaterial(request: MaterialRequest, signal?: AbortSignal): Promise<MaterialRecord> {
    const kind = this.#kindOfNew(request);
    const { custody } = this.#plan;
    const { resident, wrapped } = this.#places;
    const residency = this.#residencyOf(request);
    let attempts = 0;
    const created = await this.#run(async () => {
      attempts += 1;
      if (request.multiRegion === true) await this.#transport.assertReady();
      return residency === 'wrapped' ? wrapped.create(request, kind, custody) : resident.create(request, kind, attempts > 1);
    }, signal);
    return this.#record(kind, created, residency);
  }

  transportPublicKey(): Promise<Uint8Array | undefined> {
    return this.#run(() => this.#transport.identity());
  }

  wrapForTransport(bound: BoundKey, to: string, signal?: AbortSignal): Promise<Uint8Array> {
    return this.#run(() => this.#transport.wrap(bound, this.#kindOf(bound), to), signal);
  }

  async receiveTransported(request: MaterialRequest, transported: TransportedMaterial, signal?: AbortSignal): Promise<MaterialRecord> {
    const bound = { key: { ...request.key, keySpec: request.keySpec, keyUsage: request.keyUsage }, material: transported.material };
    let attempts = 0;
    const created = await this.#run(() => {
      attempts += 1;
      return this.#transport.receive(request, transported, () => this.#kindOf(bound), attempts > 1);
    }, signal);
    const record = this.#record(this.#kindOf(bound), created, 'token');
    return transported.material.custody === 'reduced' ? { ...record, custody: 'reduced' } : record;
  }

  async adoptMaterial(request: AdoptionRequest, signal?: AbortSignal): Promise<AdoptedMaterial> {
    if (this.#config.residency !== 'token')
      throw new KeyStoreError('refused', `Adopted keys stay in the token: the key store ${this.name} has residency "wrapped"`);
    const { kind, created, ...found } = await this.#run(
      () => findAdoptable(this.#token, request, (key) => this.#kindOfAdopted(key)),
      signal,
    );
    const { keySpec, keyUsage, weaknesses } = found;
    const record = this.#record(kind, created);
    const custody = weaknesses.length > 0 ? 'reduced' : record.custody;
    return { keySpec, keyUsage, weaknesses, material: { ...record, custody, adopted: true } };
  }

  encrypt(bound: BoundMaterial, plaintext: Uint8Array, context: Uint8Array, signal?: AbortSignal): Promise<Uint8Array> {
    return this.#use(this.#cipher, bound, () => this.#cipher.encrypt(bound, plaintext, context), 'internal', signal);
  }

  decrypt(bound: BoundMaterial, header: CiphertextHeader, context: Uint8Array, signal?: AbortSignal): Promise<Uint8Array> {
    return this.#use(this.#cipher, bound, () => this.#cipher.decrypt(bound, header, context), 'invalid-ciphertext', signal);
  }

  sign(bound: BoundKey, request: SigningRequest, signal?: AbortSignal): Promise<Uint8Array> {
    return this.#use(this.#keys, bound, () => this.#keys.sign(bound, request), 'internal', signal);
  }

  mac(bound: BoundKey, algorithm: string, message: Uint8Array, signal?: AbortSignal): Promise<Uint8Array> {
    return this.#use(this.#keys, bound, () => this.#keys.mac(bound, algorithm, message), 'internal', signal);
  }

  decryptWithPrivateKey(bound: BoundKey, algorithm: string, ciphertext: Uint8Array, signal?: AbortSignal): Promise<Uint8Array> {
    return this.#use(this.#keys, bound, () => this.#keys.decryptWithPrivateKey(bound, algorithm, ciphertext), 'invalid-ciphertext', signal);
  }

  agree(bound: BoundKey, peerPublicKey: Uint8Array, signal?: AbortSignal): Promise<Uint8Array> {
    return this.#use(this.#keys, bound, () => this.#keys.agree(bound, peerPublicKey), 'internal', signal);
  }

  async decapsulate({ key }: BoundKey): Promise<Uint8Array> {
    throw new KeyStoreError(
      'unsupported',
      `The token cannot serve keys of spec ${key.keySpec}: there is no PKCS#11 mechanism for them here`,
    );
  }

  createDataKeyPair(keySpec: string, signal?: AbortSignal): Promise<EncodedKeyPair | undefined> {
    return this.#run(() => createDataKeyPair(this.#token, keySpec), signal);
  }

  async random(lengthBytes: number, signal?: AbortSignal): Promise<Uint8Array> {
    return this.#run(() => this.#token.random(lengthBytes), signal);
  }

  async forget(materialId: string): Promise<void> {
    await this.#run(() => this.#cipher.forget(materialId));
    await this.#run(() => this.#keys.forget(materialId));
    // A host that was replaced while a call hung there still has its session objects.
    await this.#token.endReplacedHosts();
  }

  async destroyMaterial(bound: BoundMaterial<MaterialRecord>, signal?: AbortSignal): Promise<void> {
    const { materialId, residency, reference, adopted } = bound.material;
    await this.forget(materialId);
    const { resident } = this.#places;
    if (residency === 'token') await this.#run(() => (adopted ? resident.destroyAdopted(reference) : resident.destroy(reference)), signal);
  }

  async destroyByObjectId(objectId: Uint8Array): Promise<boolean> {
    return this.#run(() => this.#places.resident.destroy(objectId));
  }

  async listObjectIds(adopted?: readonly Uint8Array[]): Promise<readonly Uint8Array[]> {
    return this.#run(() => this.#places.resident.objectIds(adopted));
  }

  async probe(): Promise<void> {
    await this.#run(() => this.#token.probe());
  }

  async close(): Promise<void> {
    this.#unsubscribe();
    await this.#cipher.close();
    await this.#keys.close();
  }

  #materialImports(): MaterialImports {
    return {
      createImportKey: (wrappingKeySpec, objectId, signal) => {
        let attempts = 0;
        return this.#run(() => this.#imports.createImportKey(wrappingKeySpec, objectId, (attempts += 1) > 1), signal);
      },
      importMaterial: (request, signal) => this.#import(request, signal),
      destroyImportKey: (reference) => this.#run(() => destroyImportKey(this.#token, reference)),
    };
  }

  async #import(request: ImportRequest, signal: AbortSignal | undefined): Promise<ImportedMaterial> {
    const kind = this.#kindOfNew(request);
    const { custody } = this.#plan;
    if (request.suite !== undefined && request.suite !== kind.binding.suite)
      throw new KeyStoreError('unsupported', `The key is of the suite ${request.suite}, which this key store does not give to new materials`);
    let attempts = 0;
    const attempt = (): Promise<TakenIn> => this.#imports.importMaterial(request, kind, custody, (attempts += 1) > 1);
    const { created, throughSoftware } = await this.#token.recovering(attempt, signal).catch((error: unknown) => {
      throw importError(error);
    });
    return { material: this.#record(kind, created), throughSoftware };
  }

  /** What a new key will be in the token. Throws KeyStoreError `unsupported` or `refused` with the reason. */
  #kindOfNew({ keySpec, keyUsage }: MaterialRequest): MaterialKind {
    const { suite, suiteRefusal, refusal } = this.#plan;
    const isSymmetric = keySpec === symmetricSpec.keySpec && keyUsage === symmetricSpec.keyUsage;
    if (!isSymmetric) {
      const kind = this.#served.kindOfNew(keySpec, keyUsage);
      if (refusal !== undefined) throw refusal;
      return kind;
    }
    if (suiteRefusal !== undefined) throw suiteRefusal;
    if (suite === undefined || !isTokenSuite(suite)) throw new KeyStoreError('unsupported', 'The token cannot make key materials');
    return symmetricKind(suite);
  }

  #kindOfAdopted({ keySpec, keyUsage, suite: wanted }: Adoptable): MaterialKind {
    if (wanted === undefined) return this.#served.kindOf(keySpec, keyUsage);
    const suite = suiteFor(wanted, this.#token.capabilities);
    if (suite !== undefined && isTokenSuite(suite)) return symmetricKind(suite);
    throw new KeyStoreError('unsupported', `The token cannot do the suite "${wanted}", which the flags of the key ask for`);
  }

  /** The record of a material that is in its place, however it got there. */
  #record({ binding: { suite } }: MaterialKind, created: CreatedMaterial, residency = this.#config.residency): MaterialRecord {
    const { name: keyStore, protection } = this;
    const { custody } = this.#plan;
    return { ...created, keyStore, protection, residency, custody, ...(suite !== 'none' && { suite }), createdAtMs: this.#clock.nowMs() };
  }

  /** What a key that there is will be, or is, in the token. Throws KeyStoreError `unsupported` where the token cannot run its suite. */
  #kindOf({ key: { keySpec, keyUsage }, material }: BoundKey): MaterialKind {
    if (!isSymmetricMaterial(material)) return this.#served.kindOf(keySpec, keyUsage);
    const { suite } = material;
    if (isTokenSuite(suite) && runsSuite(suite, this.#token.capabilities)) return symmetricKind(suite);
    throw new KeyStoreError('unsupported', `The token "${this.#token.name}" cannot run the suite "${suite}" of this key material`);
  }

  /** Materials that can travel live in the token, whatever the residency of others. */
  #residencyOf({ multiRegion }: MaterialRequest): Pkcs11KeyStoreConfig['residency'] {
    return multiRegion === true ? 'token' : this.#config.residency;
  }

  #newKeySpecs(): Required<Pick<KeyStoreDescription, 'keySpecs' | 'refusals'>> {
    const { suiteRefusal, refusal } = this.#plan;
    const reasons = new Map([[symmetricSpec.keySpec, suiteRefusal?.message], ...this.#served.refusals()]);
    const keySpecs: string[] = [];
    const refusals: Record<string, string> = {};
    for (const [keySpec, reason = refusal?.message] of reasons) {
      if (reason === undefined) keySpecs.push(keySpec);
      else refusals[keySpec] = reason;
    }
    return { keySpecs, refusals };
  }

  /** An attempt on data of our own, and more after the token recovered. */
  async #run<T>(attempt: () => Promise<T>, signal?: AbortSignal): Promise<T> {
    try {
      return await this.#token.recovering(() => onOwnData(attempt()), signal);
    } catch (error) {
      throw toKeyStoreError(error);
    }
  }

  /** Likewise for the use of a material through `uses`. `input` is what it means when the token blames the input. */
  async #use<T>(
    uses: SymmetricCipher<TokenObject> | TokenKeys,
    { material }: BoundMaterial<MaterialRecord>,
    attempt: () => Promise<T>,
    input: KeyStoreErrorKind,
    signal: AbortSignal | undefined,
  ): Promise<T> {
    const failed = (error: unknown): never => {
      if (error instanceof TokenError && error.kind === 'handle') this.#dropDenied(material);
      throw input === 'invalid-ciphertext' ? error : onOwnDataError(error);
    };
    try {
      return await uses.during(material.materialId, () => this.#token.recovering(() => attempt().catch(failed), signal));
    } catch (error) {
      throw toKeyStoreError(error, input);
    }
  }

  /** References that the token denies are not used again. */
  #dropDenied({ materialId, reference }: MaterialRecord): void {
    this.#places.resident.dismiss(reference);
    this.#places.wrapped.relist();
    this.#cipher.abandon(materialId);
    this.#keys.abandon(materialId);
  }

  #dropReferences(): void {
    this.#places.relist();
    this.#cipher.abandon();
    this.#keys.abandon();
  }
}

/**
 * The key store in software: materials sealed under a root key, computed with in this process. For development, tests, and
 * keys that need no hardware; every key of it says SOFTWARE.
 */
import type { Clock } from '../../clock.ts';
import type { CiphertextHeader } from '../../keys/ciphertext-blob.ts';
import { parseCiphertextBlob } from '../../keys/ciphertext-blob.ts';
import { canonicalEncryptionContext } from '../../keys/encryption-context.ts';
import { keyAlgorithms } from '../../keys/algorithms.ts';
import type { CiphertextSuite, KeyIdentity, MaterialRecord, SymmetricMaterial } from '../../keys/key-record.ts';
import { isSymmetricMaterial } from '../../keys/key-record.ts';
import { materialIdOf } from '../../keys/material-id.ts';
import type { Log } from '../../log.ts';
import type { SecretBytes } from '../../secret-bytes.ts';
import { ComputingThreads } from '../computing/computing-threads.ts';
import type {
  BoundKey,
  BoundMaterial,
  ImportedMaterial,
  ImportKey,
  ImportRequest,
  KeyStore,
  KeyStoreDescription,
  KeyStoreHealth,
  MaterialRequest,
  SigningRequest,
  TransportedMaterial,
  TransportPeers,
  UsageLeases,
} from '../keystore.ts';
import { KeyStoreError } from '../keystore.ts';
import { symmetricSpec } from '../material-binding.ts';
import type { MaterialBinding } from '../material-binding.ts';
import { servedAlgorithms } from '../served-algorithms.ts';
import type { ServedAlgorithm } from '../served-algorithms.ts';
import type { FillRandom } from '../symmetric/iv-source.ts';
import { openSystemRandom } from '../symmetric/iv-source.ts';
import { SymmetricCipher } from '../symmetric/symmetric-cipher.ts';
import { softwareFingerprint } from './key-derivation.ts';
import { MemoryVault } from './memory-vault.ts';
import { rootKeyBytes, sealMaterial, symmetricMaterialBytes } from './sealed-material.ts';
import { SoftwareImports } from './software-imports.ts';
import { SoftwareKeys, softwareKeySpecs } from './software-keys.ts';
import { SoftwareTransport } from './software-transport.ts';

export interface SoftwareKeyStoreParts {
  readonly clock: Clock;
  readonly log: Log;
  readonly leases: UsageLeases;
  /** 32 bytes. The store takes it over and wipes it when it is closed. */
  readonly rootKey: SecretBytes;
  /** Where private keys are used; stays the caller's to close. Threads of its own, closed with the store, when absent. */
  readonly threads?: ComputingThreads;
  /** Other key stores that materials of multi-Region keys may come from and go to; none when absent. */
  readonly transportPeers?: TransportPeers;
  /** Keys that are kept in memory for epochs; 4,096 when absent. */
  readonly epochKeysMax?: number;
  /** The operating system's generator when absent. */
  readonly fillRandom?: FillRandom;
}

const suite: CiphertextSuite = 'derived-aes-cbc-data';
const randomBytesMax = 1024;

/** A software key store. Throws TypeError when the root key has another length than 32 bytes. */
export function openSoftwareKeyStore(config: { readonly name: string }, parts: SoftwareKeyStoreParts): KeyStore {
  if (parts.rootKey.length !== rootKeyBytes) throw new TypeError(`The root key of a software key store must have ${rootKeyBytes} bytes`);
  return new SoftwareKeyStore(config.name, parts);
}

class SoftwareKeyStore implements KeyStore {
  readonly name: string;
  readonly protection = 'SOFTWARE';
  readonly #clock: Clock;
  readonly #rootKey: SecretBytes;
  readonly #fillRandom: FillRandom;
  readonly #cipher: SymmetricCipher<SecretBytes>;
  readonly #keys: SoftwareKeys;
  readonly #imports: SoftwareImports;
  readonly #vault: MemoryVault;
  readonly #transport: SoftwareTransport;
  readonly #ownThreads: ComputingThreads | undefined;

  constructor(name: string, parts: SoftwareKeyStoreParts) {
    this.name = name;
    this.#clock = parts.clock;
    this.#rootKey = parts.rootKey;
    this.#fillRandom = parts.fillRandom ?? openSystemRandom();
    const { clock, log, leases, epochKeysMax = 4096 } = parts;
    this.#vault = new MemoryVault(parts.rootKey);
    this.#transport = new SoftwareTransport(name, parts.rootKey, parts.transportPeers);
    this.#cipher = new SymmetricCipher(this.#vault, { clock, log, leases, epochKeysMax, fillRandom: this.#fillRandom });
    const threads = parts.threads ?? new ComputingThreads();
    this.#ownThreads = parts.threads === undefined ? threads : undefined;
    const random = (lengthBytes: number): Uint8Array => this.#random(lengthBytes);
    this.#keys = new SoftwareKeys(parts.rootKey, random, threads);
    this.#imports = new SoftwareImports(parts.rootKey, random, threads);
  }

  describe(): KeyStoreDescription {
    return {
      name: this.name,
      protection: this.protection,
      residency: 'software',
      suite,
      keySpecs: softwareKeySpecs,
      remarks: ['keys of this store are not in hardware'],
    };
  }

  health(): KeyStoreHealth {
    return 'ready';
  }

  algorithms(): readonly ServedAlgorithm[] {
    const refused = { how: 'refused', reason: 'the software store makes no keys of this spec' } as const;
    return servedAlgorithms((keySpec) => (softwareKeySpecs.includes(keySpec) ? { how: 'software' } : refused));
  }

  async createMaterial(request: MaterialRequest): Promise<MaterialRecord> {
    const { keySpec, keyUsage } = request;
    if (keySpec === symmetricSpec.keySpec && keyUsage === symmetricSpec.keyUsage) return this.#createSymmetric(request.key);
    if (!softwareKeySpecs.includes(keySpec) || keyAlgorithms(keySpec, keyUsage).length === 0) {
      throw new KeyStoreError('unsupported', `The key store "${this.name}" does not make keys of spec ${keySpec} for ${keyUsage}`);
    }
    return { ...this.#recordMembers(), ...(await this.#keys.create(request)) };
  }

  async createImportKey(wrappingKeySpec: string): Promise<ImportKey> {
    return this.#imports.createImportKey(wrappingKeySpec);
  }

  async importMaterial(request: ImportRequest): Promise<ImportedMaterial> {
    const imported = await this.#imports.unwrap(request);
    try {
      if (request.keySpec !== symmetricSpec.keySpec) {
        return { material: { ...this.#recordMembers(), ...this.#keys.seal(request, imported) }, throughSoftware: true };
      }
      return { material: this.#sealSymmetric(request.key, imported.secret, request.suite ?? suite), throughSoftware: true };
    } finally {
      imported.secret.fill(0);
    }
  }

  /** The sealed record is the store's only copy, and the caller's to delete. */
  async destroyImportKey(): Promise<void> {}

  async transportPublicKey(): Promise<Uint8Array> {
    return this.#transport.publicKey();
  }

  async wrapForTransport(bound: BoundKey, to: string): Promise<Uint8Array> {
    const wrap = (secret: Uint8Array): Promise<Uint8Array> => this.#transport.wrap(secret, bindingOf(bound), to);
    const { key, material } = bound;
    return this.#during(bound, () =>
      isSymmetricMaterial(material) ? this.#vault.lend({ key, material }, wrap) : this.#keys.use(bound, wrap),
    );
  }

  async receiveTransported(request: MaterialRequest, transported: TransportedMaterial): Promise<MaterialRecord> {
    const { material, wrapped, from } = transported;
    const { key, keySpec, keyUsage } = request;
    const secret = await this.#transport.unwrap(wrapped, bindingOf({ key: { ...key, keySpec, keyUsage }, material }), from);
    try {
      const { publicKey } = material;
      const received = isSymmetricMaterial(material)
        ? this.#sealSymmetric(key, secret, material.suite)
        : { ...this.#recordMembers(), ...this.#keys.seal(request, { secret, ...(publicKey && { publicKey }) }) };
      if (received.materialId === material.materialId) return received;
      throw new KeyStoreError('internal', `Key material from ${from} is not the one that its record describes; it is not used`);
    } finally {
      secret.fill(0);
    }
  }

  async encrypt(bound: BoundMaterial, plaintext: Uint8Array, context: Uint8Array): Promise<Uint8Array> {
    return this.#during(bound, () => this.#cipher.encrypt(bound, plaintext, context));
  }

  async decrypt(bound: BoundMaterial, header: CiphertextHeader, context: Uint8Array): Promise<Uint8Array> {
    return this.#during(bound, () => this.#cipher.decrypt(bound, header, context));
  }

  async sign(bound: BoundKey, request: SigningRequest): Promise<Uint8Array> {
    return this.#during(bound, () => this.#keys.sign(bound, request));
  }

  async mac(bound: BoundKey, algorithm: string, message: Uint8Array): Promise<Uint8Array> {
    return this.#during(bound, () => this.#keys.mac(bound, algorithm, message));
  }

  async decryptWithPrivateKey(bound: BoundKey, algorithm: string, ciphertext: Uint8Array): Promise<Uint8Array> {
    return this.#during(bound, () => this.#keys.decryptWithPrivateKey(bound, algorithm, ciphertext));
  }

  async agree(bound: BoundKey, peerPublicKey: Uint8Array): Promise<Uint8Array> {
    return this.#during(bound, () => this.#keys.agree(bound, peerPublicKey));
  }

  async decapsulate(bound: BoundKey, ciphertext: Uint8Array): Promise<Uint8Array> {
    return this.#during(bound, () => this.#keys.decapsulate(bound, ciphertext));
  }

  async random(lengthBytes: number): Promise<Uint8Array> {
    if (!Number.isInteger(lengthBytes) || lengthBytes < 1 || lengthBytes > randomBytesMax)
      throw new TypeError('1 to 1024 random bytes may be asked for');
    return this.#random(lengthBytes);
  }

  async forget(materialId: string): Promise<void> {
    await this.#cipher.forget(materialId);
  }

  /** The sealed record is the store's only copy, and the caller's to delete. */
  async destroyMaterial(bound: BoundMaterial<MaterialRecord>): Promise<void> {
    await this.#cipher.forget(bound.material.materialId);
  }

  async destroyByObjectId(): Promise<boolean> {
    return false;
  }

  async listObjectIds(): Promise<readonly Uint8Array[]> {
    return [];
  }

  /** A material made, used both ways and dropped. */
  async probe(): Promise<void> {
    const key = { partition: 'aws', account: '000000000000', region: 'local', keyId: 'probe' };
    const material = this.#createSymmetric(key);
    const noContext = canonicalEncryptionContext(undefined);
    const header = parseCiphertextBlob(await this.encrypt({ key, material }, Uint8Array.of(1), noContext));
    const [answer] = header === undefined ? [] : await this.decrypt({ key, material }, header, noContext);
    await this.forget(material.materialId);
    if (answer !== 1) throw new KeyStoreError('unavailable', 'The software key store failed its known-answer test');
  }

  async close(): Promise<void> {
    await this.#cipher.close();
    await this.#ownThreads?.close();
    this.#rootKey.wipe();
  }

  /** Whoever forgets the material waits for the call. */
  #during<T>({ material }: BoundMaterial<MaterialRecord>, call: () => Promise<T>): Promise<T> {
    return this.#cipher.during(material.materialId, call);
  }

  #createSymmetric(key: KeyIdentity): SymmetricMaterial {
    const material = this.#random(symmetricMaterialBytes);
    try {
      return this.#sealSymmetric(key, material, suite);
    } finally {
      material.fill(0);
    }
  }

  #sealSymmetric(key: KeyIdentity, material: Uint8Array, materialSuite: CiphertextSuite): SymmetricMaterial {
    const fingerprint = softwareFingerprint(material, materialSuite);
    const materialId = materialIdOf(key.keyId, fingerprint);
    const binding = { key, ...symmetricSpec, suite: materialSuite, custody: 'full', materialId, fingerprint } as const;
    const reference = sealMaterial(this.#rootKey, this.#random(12), material, binding);
    return { ...this.#recordMembers(), materialId, suite: materialSuite, reference, fingerprint };
  }

  #recordMembers(): Pick<MaterialRecord, 'keyStore' | 'protection' | 'residency' | 'custody' | 'createdAtMs'> {
    const { name: keyStore, protection } = this;
    return { keyStore, protection, residency: 'software', custody: 'full', createdAtMs: this.#clock.nowMs() };
  }

  #random(lengthBytes: number): Uint8Array {
    const bytes = new Uint8Array(lengthBytes);
    this.#fillRandom(bytes);
    return bytes;
  }
}

function bindingOf({ key, material }: BoundKey): MaterialBinding {
  const { keySpec, keyUsage } = key;
  const { suite: ofCiphertexts = 'none', custody, materialId, fingerprint } = material;
  return { key, keySpec, keyUsage, suite: ofCiphertexts, custody, materialId, fingerprint };
}

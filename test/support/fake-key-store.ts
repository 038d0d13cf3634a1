/**
 * A key store in memory with real AES-GCM and the service's own blob format, strict about what a key store must refuse: foreign
 * materials, repeated object ids, use after destruction. Failures on order; every call is on record.
 */
import { createCipheriv, createDecipheriv, createHash, randomBytes } from 'node:crypto';
import { concatBytes, toHex } from '../../src/bytes.ts';
import { additionalData, assembleBlob, encodeHeader, ivBytes, tagBytes } from '../../src/keys/ciphertext-blob.ts';
import { KeyStoreError } from '../../src/keystore/keystore.ts';
import type { CiphertextHeader } from '../../src/keys/ciphertext-blob.ts';
import type { MaterialRecord, ProtectionLevel } from '../../src/keys/key-record.ts';
import type {
  BoundMaterial,
  ImportedMaterial,
  ImportKey,
  ImportRequest,
  KeyStore,
  KeyStoreDescription,
  KeyStoreHealth,
  MaterialImports,
  MaterialRequest,
} from '../../src/keystore/keystore.ts';

type Call =
  | 'createMaterial'
  | 'createImportKey'
  | 'importMaterial'
  | 'destroyImportKey'
  | 'encrypt'
  | 'decrypt'
  | 'random'
  | 'forget'
  | 'destroyMaterial'
  | 'destroyByObjectId'
  | 'listObjectIds';

export class FakeKeyStore implements KeyStore, MaterialImports {
  readonly name: string;
  readonly protection: ProtectionLevel;
  /** Every call with its subject (material id or object id), in order. */
  readonly calls: { readonly call: Call; readonly subject: string }[] = [];
  /** Key bytes by object id (hex), those of wrapping keys for imports among them. */
  readonly objects = new Map<string, Uint8Array>();
  state: KeyStoreHealth = 'ready';
  readonly #failures = new Map<Call, Error>();

  constructor(name = 'main', protection: ProtectionLevel = 'HSM') {
    this.name = name;
    this.protection = protection;
  }

  /** Lets the next `call` fail; what makes an object fails after it was made when `error` is a timeout. */
  failNext(call: Call, error: Error): void {
    this.#failures.set(call, error);
  }

  callsOf(call: Call): readonly string[] {
    return this.calls.filter((entry) => entry.call === call).map((entry) => entry.subject);
  }

  describe(): KeyStoreDescription {
    return { name: this.name, protection: this.protection, residency: 'token', suite: 'derived-aes-cbc-data', remarks: [] };
  }

  health(): KeyStoreHealth {
    return this.state;
  }

  async createMaterial(request: MaterialRequest): Promise<MaterialRecord> {
    return this.#record(request, this.#make('createMaterial', request.objectId, randomBytes(32)));
  }

  /** What it calls its public key is what `fakeWrapped` puts before a material. */
  async createImportKey(_wrappingKeySpec: string, objectId: Uint8Array): Promise<ImportKey> {
    return { publicKey: this.#make('createImportKey', objectId, randomBytes(24)), reference: Uint8Array.from(objectId) };
  }

  async importMaterial(request: ImportRequest): Promise<ImportedMaterial> {
    const publicKey = this.objects.get(toHex(request.importKey));
    if (publicKey === undefined) throw new KeyStoreError('material-missing', 'no such wrapping key');
    const found = Buffer.from(request.wrapped.subarray(0, publicKey.length));
    if (!found.equals(publicKey)) throw new KeyStoreError('invalid-ciphertext', 'wrapped for another key');
    const key = request.wrapped.subarray(publicKey.length);
    if (key.length !== 32) throw new KeyStoreError('incorrect-material', 'not 32 bytes');
    return {
      material: this.#record(request, this.#make('importMaterial', request.objectId, Uint8Array.from(key))),
      throughSoftware: false,
    };
  }

  async destroyImportKey(reference: Uint8Array): Promise<void> {
    this.#beginOrThrow('destroyImportKey', toHex(reference));
    this.objects.delete(toHex(reference));
  }

  #make(call: Call, id: Uint8Array, bytes: Uint8Array): Uint8Array {
    const objectId = toHex(id);
    if (id.length !== 16 || this.objects.has(objectId)) throw new TypeError('an object id is 16 bytes and never used twice');
    const failure = this.#begin(call, objectId);
    if (failure === undefined || (failure instanceof KeyStoreError && failure.kind === 'timeout')) this.objects.set(objectId, bytes);
    if (failure !== undefined) throw failure;
    return bytes;
  }

  #record(request: MaterialRequest, key: Uint8Array): MaterialRecord {
    return {
      materialId: createHash('sha256').update(request.key.keyId).update(key).digest('hex'),
      keyStore: this.name,
      protection: this.protection,
      residency: 'token',
      custody: 'full',
      suite: 'derived-aes-cbc-data',
      reference: Uint8Array.from(request.objectId),
      fingerprint: Uint8Array.from(createHash('sha384').update(key).digest()),
      createdAtMs: 0,
    };
  }

  async encrypt({ key, material }: BoundMaterial, plaintext: Uint8Array, context: Uint8Array): Promise<Uint8Array> {
    this.#beginOrThrow('encrypt', material.materialId);
    const { partition, account, keyId } = key;
    const epochNonce = randomBytes(16);
    const headerBytes = encodeHeader({ suite: material.suite, partition, account, keyId, materialId: material.materialId, epochNonce });
    const iv = randomBytes(ivBytes);
    const cipher = createCipheriv('aes-256-gcm', this.#keyOf(material), iv).setAAD(additionalData(headerBytes, context));
    return assembleBlob(headerBytes, iv, Buffer.concat([cipher.update(plaintext), cipher.final(), cipher.getAuthTag()]));
  }

  async decrypt({ key, material }: BoundMaterial, header: CiphertextHeader, context: Uint8Array): Promise<Uint8Array> {
    this.#beginOrThrow('decrypt', material.materialId);
    if (header.keyId !== key.keyId || header.materialId !== material.materialId) throw new TypeError('the header is not of this material');
    const sealed = header.sealed.subarray(0, -tagBytes);
    const decipher = createDecipheriv('aes-256-gcm', this.#keyOf(material), header.iv)
      .setAAD(additionalData(header.headerBytes, context))
      .setAuthTag(header.sealed.subarray(-tagBytes));
    try {
      return Uint8Array.from(Buffer.concat([decipher.update(sealed), decipher.final()]));
    } catch (error) {
      throw new KeyStoreError('invalid-ciphertext', 'the tag is wrong', { cause: error });
    }
  }

  sign(): Promise<Uint8Array> {
    return refuseUse();
  }

  mac(): Promise<Uint8Array> {
    return refuseUse();
  }

  decryptWithPrivateKey(): Promise<Uint8Array> {
    return refuseUse();
  }

  agree(): Promise<Uint8Array> {
    return refuseUse();
  }

  decapsulate(): Promise<Uint8Array> {
    return refuseUse();
  }

  async random(lengthBytes: number): Promise<Uint8Array> {
    this.#beginOrThrow('random', String(lengthBytes));
    if (!Number.isInteger(lengthBytes) || lengthBytes < 1 || lengthBytes > 1024) throw new TypeError('1 to 1,024 random bytes');
    return Uint8Array.from(randomBytes(lengthBytes));
  }

  async forget(materialId: string): Promise<void> {
    this.#beginOrThrow('forget', materialId);
  }

  async destroyMaterial({ material }: BoundMaterial): Promise<void> {
    this.#beginOrThrow('destroyMaterial', material.materialId);
    if (material.reference.length !== 16) throw new TypeError('a material that is not there cannot be destroyed');
    this.objects.delete(toHex(material.reference));
  }

  async destroyByObjectId(objectId: Uint8Array): Promise<boolean> {
    this.#beginOrThrow('destroyByObjectId', toHex(objectId));
    return this.objects.delete(toHex(objectId));
  }

  async listObjectIds(): Promise<readonly Uint8Array[]> {
    this.#beginOrThrow('listObjectIds', '');
    return [...this.objects.keys()].map((id) => Uint8Array.from(Buffer.from(id, 'hex')));
  }

  async probe(): Promise<void> {
    if (this.state !== 'ready') throw new KeyStoreError('unavailable', 'the fake was told to be away');
  }

  async close(): Promise<void> {}

  #keyOf(material: MaterialRecord): Uint8Array {
    const key = this.objects.get(toHex(material.reference));
    if (key === undefined) throw new KeyStoreError('material-missing', 'no such object');
    return key;
  }

  #begin(call: Call, subject: string): Error | undefined {
    this.calls.push({ call, subject });
    const failure = this.#failures.get(call);
    this.#failures.delete(call);
    return failure;
  }

  #beginOrThrow(call: Call, subject: string): void {
    const failure = this.#begin(call, subject);
    if (failure !== undefined) throw failure;
  }
}

/** A material as a customer wraps it for the fake. */
export function fakeWrapped(publicKey: Uint8Array, material: Uint8Array): Uint8Array {
  return concatBytes(publicKey, material);
}

async function refuseUse(): Promise<never> {
  throw new TypeError('the fake has symmetric keys only');
}

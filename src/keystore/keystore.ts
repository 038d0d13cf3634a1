/**
 * The plug-in seam: where key material lives and is used. Implementations: pkcs11/, software/ (later external and remote).
 * References are opaque, no key bytes cross this interface; what KMS must return in clear (plaintext, data keys) does.
 * One contract suite holds for all implementations.
 */
import type { MessageType } from '../keys/algorithms.ts';
import type { EncodedKeyPair } from '../keys/key-pair.ts';
import type {
  CiphertextSuite,
  Custody,
  KeyIdentity,
  KeyUsage,
  MaterialRecord,
  ProtectionLevel,
  Residency,
  SymmetricMaterial,
} from '../keys/key-record.ts';
import type { CiphertextHeader } from '../keys/ciphertext-blob.ts';
import type { ServedAlgorithm } from './served-algorithms.ts';

/**
 * - `unavailable`: the store cannot be reached now (KeyUnavailableException, retryable).
 * - `timeout`: no answer in bounded time (DependencyTimeoutException).
 * - `invalid-ciphertext`: the ciphertext, its tag or the encryption context is wrong (InvalidCiphertextException).
 * - `unsupported`: this store cannot hold or use such a key (UnsupportedOperationException), with the reason.
 * - `exhausted`: a use limit was reached, the key must be rotated (LimitExceededException).
 * - `refused`: custody rules forbid it (UnsupportedOperationException), with the reason.
 * - `material-missing`: the store does not find the material: reported, never read as deleted (KeyUnavailableException).
 * - `incorrect-material`: what was unwrapped is no key of the requested spec (IncorrectKeyMaterialException).
 * - `internal`: anything else (KMSInternalException).
 */
export type KeyStoreErrorKind =
  | 'unavailable'
  | 'timeout'
  | 'invalid-ciphertext'
  | 'unsupported'
  | 'exhausted'
  | 'refused'
  | 'material-missing'
  | 'incorrect-material'
  | 'internal';

export class KeyStoreError extends Error {
  override readonly name = 'KeyStoreError';
  readonly kind: KeyStoreErrorKind;
  constructor(kind: KeyStoreErrorKind, message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.kind = kind;
  }
}

/** What a new material is for. The key store picks residency and suite from its configuration and the token's capabilities. */
export interface MaterialRequest {
  readonly key: KeyIdentity;
  readonly keySpec: string;
  readonly keyUsage: KeyUsage;
  /** 16 random bytes that name the token object before it exists: written to the intent first, so that a crash leaves a findable trace. */
  readonly objectId: Uint8Array;
  /** The material of a multi-Region key: it must be able to leave, wrapped, for the key stores of other Regions (`MaterialTransport`). */
  readonly multiRegion?: boolean;
}

/** A key that others made in the token of a key store, and that is to become the material of a KMS key. */
export interface AdoptionRequest {
  readonly key: KeyIdentity;
  /** CKA_LABEL and CKA_ID: one of them, or both. */
  readonly label?: string;
  readonly objectId?: Uint8Array;
  /** What the key is expected to be; found out when absent. */
  readonly keySpec?: string;
  /** Needed for a key that permits two. */
  readonly keyUsage?: KeyUsage;
  /** `reduced` accepts what keeps the custody of the key from being full. */
  readonly custody: Custody;
}

export interface AdoptedMaterial {
  readonly keySpec: string;
  readonly keyUsage: KeyUsage;
  readonly material: MaterialRecord;
  /** What keeps the custody from being full, for the operator. */
  readonly weaknesses: readonly string[];
}

/** A pair that a key store made to receive imports with. The private half stays in the store. */
export interface ImportKey {
  /** DER SubjectPublicKeyInfo. */
  readonly publicKey: Uint8Array;
  /** Opaque to all but the key store. */
  readonly reference: Uint8Array;
}

export interface ImportRequest extends MaterialRequest {
  /** Reference of the ImportKey that `wrapped` was made for. */
  readonly importKey: Uint8Array;
  /** AlgorithmSpec of GetParametersForImport, for example `RSA_AES_KEY_WRAP_SHA_256`. */
  readonly wrappingAlgorithm: string;
  readonly wrapped: Uint8Array;
  /** Suite that the symmetric materials of the key have had so far: the new one must have the same. The store chooses when absent. */
  readonly suite?: CiphertextSuite;
}

export interface ImportedMaterial {
  readonly material: MaterialRecord;
  /** True when the bytes were outside of the token while they were imported (`MaterialImport.throughSoftware`). */
  readonly throughSoftware: boolean;
}

/** Taking in materials that were made elsewhere. */
export interface MaterialImports {
  /** `wrappingKeySpec` is that of GetParametersForImport, for example `RSA_4096`. `objectId` names the token object, as in `MaterialRequest`. */
  createImportKey(wrappingKeySpec: string, objectId: Uint8Array, signal?: AbortSignal): Promise<ImportKey>;
  /**
   * Unwraps inside the store and makes a material of it. Rejects with `invalid-ciphertext` when it does not unwrap, with
   * `incorrect-material` when that is no key of the requested spec (a store that cannot tell says `invalid-ciphertext`), and with
   * `unsupported` or `refused` when this store cannot unwrap such a key. Nothing of it is left in the store when it rejects so.
   */
  importMaterial(request: ImportRequest, signal?: AbortSignal): Promise<ImportedMaterial>;
  /** Repeating it is harmless. */
  destroyImportKey(reference: Uint8Array): Promise<void>;
}

/** A material on its way into the key store of another Region: what it is, and its bytes as the sending store wrapped them. */
export interface TransportedMaterial {
  readonly material: MaterialRecord;
  readonly wrapped: Uint8Array;
  /** Name of the key store that wrapped it. */
  readonly from: string;
}

/**
 * Materials of multi-Region keys on their way between key stores: never in clear, and only between stores whose operator has pinned
 * each other. Which transport key is used is configuration; no request and no record can name one.
 */
export interface MaterialTransport {
  /**
   * By what others know this store: DER SubjectPublicKeyInfo of the key that materials for it are wrapped for; of a token, 32 bytes that the
   * tokens with the same transport keys have in common. Undefined while it has no transport key.
   */
  transportPublicKey(): Promise<Uint8Array | undefined>;
  /** Rejects with `refused` when the store `to` is not pinned, or the material was not made to leave. A store needs no pin of itself. */
  wrapForTransport(bound: BoundKey, to: string, signal?: AbortSignal): Promise<Uint8Array>;
  /**
   * The same material as one of this store, proven by its fingerprint. Rejects with `refused` when its sender is not pinned. The suite of a
   * symmetric material stays; `unsupported` where this store cannot run it.
   */
  receiveTransported(request: MaterialRequest, transported: TransportedMaterial, signal?: AbortSignal): Promise<MaterialRecord>;
}

/** The key stores that an operator has confirmed as the other end of transports. */
export interface TransportPeers {
  /** DER SubjectPublicKeyInfo of the store's transport key. Rejects with KeyStoreError `refused` unless it is the pinned one. */
  publicKeyOf(keyStore: string): Promise<Uint8Array>;
}

/** A material with the KMS key it belongs to. */
export interface BoundMaterial<Material extends MaterialRecord = SymmetricMaterial> {
  readonly key: KeyIdentity;
  readonly material: Material;
}

/** A material of any kind with what its KMS key is and may do. */
export interface BoundKey extends BoundMaterial<MaterialRecord> {
  readonly key: KeyIdentity & { readonly keySpec: string; readonly keyUsage: KeyUsage };
}

/** What is signed, as the Sign operation words it. The operation has checked that algorithm, message type, length and key fit. */
export interface SigningRequest {
  readonly algorithm: string;
  readonly message: Uint8Array;
  readonly messageType: MessageType;
}

/** A block of uses of a `direct` material, committed to the store before any of them happens. */
export interface UsageLeases {
  /** Commits the next `count` uses of the material and resolves to the total committed so far, this block included. */
  lease(materialId: string, count: number): Promise<number>;
}

export type KeyStoreHealth = 'ready' | 'recovering' | 'unavailable';

export interface KeyStoreDescription {
  readonly name: string;
  readonly protection: ProtectionLevel;
  readonly residency: Residency;
  /** Suite of new symmetric materials; undefined when the store cannot make any. */
  readonly suite: CiphertextSuite | undefined;
  /** KeySpecs of the API that new keys of this store can have. Absent: SYMMETRIC_DEFAULT where `suite` is set. */
  readonly keySpecs?: readonly string[];
  /** For KeySpecs that are not among them, why: for the person who asked for such a key. */
  readonly refusals?: Readonly<Record<string, string>>;
  /** Why something is refused or reduced, for `doctor` and the start-up log. */
  readonly remarks: readonly string[];
}

/**
 * What keys other than SYMMETRIC_DEFAULT do with their secret half. Public halves are used outside of key stores. Algorithms are
 * those of the API, and fit the key: the operations have checked them.
 */
export interface KeyUses {
  /** ECDSA signatures are DER, RSA signatures as long as the modulus, the others as their standard encodes them. */
  sign(bound: BoundKey, request: SigningRequest, signal?: AbortSignal): Promise<Uint8Array>;
  /** The whole HMAC, not shortened. */
  mac(bound: BoundKey, algorithm: string, message: Uint8Array, signal?: AbortSignal): Promise<Uint8Array>;
  /** Rejects with `invalid-ciphertext` for any ciphertext that does not open, and does not say why. */
  decryptWithPrivateKey(bound: BoundKey, algorithm: string, ciphertext: Uint8Array, signal?: AbortSignal): Promise<Uint8Array>;
  /** The x coordinate of ECDH, as long as the field. `peerPublicKey` is DER SubjectPublicKeyInfo, checked to be a point of the key's curve. */
  agree(bound: BoundKey, peerPublicKey: Uint8Array, signal?: AbortSignal): Promise<Uint8Array>;
  /** 32 bytes for every ciphertext of the right length (FIPS 203, implicit rejection); `invalid-ciphertext` for other lengths. */
  decapsulate(bound: BoundKey, ciphertext: Uint8Array, signal?: AbortSignal): Promise<Uint8Array>;
}

export interface KeyStore extends KeyUses, Partial<MaterialImports>, Partial<MaterialTransport> {
  readonly name: string;
  readonly protection: ProtectionLevel;
  describe(): KeyStoreDescription;
  health(): KeyStoreHealth;
  /** How new keys do each algorithm of the API. Absent: nothing is known but `describe().keySpecs`. */
  algorithms?(): readonly ServedAlgorithm[];

  /** Makes a material inside the store. The material id is bound to the key id and the material's fingerprint. */
  createMaterial(request: MaterialRequest, signal?: AbortSignal): Promise<MaterialRecord>;
  /**
   * Makes a material of a key that is in the token, without altering it; nothing is remembered of it but the record. Rejects with
   * `material-missing`, or with `refused` and everything that is wrong. Absent: the store has no keys that others could make.
   */
  adoptMaterial?(request: AdoptionRequest, signal?: AbortSignal): Promise<AdoptedMaterial>;
  /** Encrypts under the current epoch of the material. Resolves to the whole ciphertext blob. `context` is the canonical encryption context. */
  encrypt(bound: BoundMaterial, plaintext: Uint8Array, context: Uint8Array, signal?: AbortSignal): Promise<Uint8Array>;
  /** Opens a blob whose header was parsed and whose key and material were looked up and authorised by the caller. */
  decrypt(bound: BoundMaterial, header: CiphertextHeader, context: Uint8Array, signal?: AbortSignal): Promise<Uint8Array>;
  /**
   * A fresh pair to be handed out, made where the store makes its keys; the caller wipes the private half (DER PKCS#8). Undefined where the
   * store makes none of this spec that can leave it. Absent: it makes none.
   */
  createDataKeyPair?(keySpec: string, signal?: AbortSignal): Promise<EncodedKeyPair | undefined>;
  /** Random bytes of the store's own generator, 1 to 1,024. */
  random(lengthBytes: number, signal?: AbortSignal): Promise<Uint8Array>;
  /** Destroys the session objects of the material on every host, cached epoch keys included: on disable and before deletion. Resolves when acknowledged. */
  forget(materialId: string): Promise<void>;
  /** Destroys the material for ever, then forgets it. Repeating it is harmless. */
  destroyMaterial(bound: BoundMaterial<MaterialRecord>, signal?: AbortSignal): Promise<void>;
  /** Destroys the token object named by an expired, fenced intent, if it exists. Resolves to whether one was found. */
  destroyByObjectId(objectId: Uint8Array): Promise<boolean>;
  /**
   * Object ids of all materials of this service that the store holds itself (residency `token`), for the sweep that compares store and
   * token. An adopted one does not show whose it is: it is among them if it is there and its id among `adopted`.
   */
  listObjectIds(adopted?: readonly Uint8Array[]): Promise<readonly Uint8Array[]>;
  /** A known-answer operation end to end. Rejects with KeyStoreError. */
  probe(): Promise<void>;
  close(): Promise<void>;
}

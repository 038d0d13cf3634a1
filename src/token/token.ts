/**
 * One token of the configuration, kept in service: found by label or serial, logged in once, its capabilities measured,
 * recovered when it fails. Knows PKCS#11, knows nothing of AWS. Every method rejects with TokenError only.
 */
import type { ObjectHandle, SlotDescription } from './cryptoki.ts';
import type { EcCurve } from '../keys/algorithms.ts';
import type { AttributeName, GcmIvSource, HashName, KeyType, Mechanism, Template } from './mechanism.ts';

/**
 * Which life of the token a handle belongs to. `generation` rises with each host (or re-initialised library), `login`
 * with each new login or anchor session. A handle is used only while both are current.
 */
export interface HandleEpoch {
  readonly generation: number;
  readonly login: number;
}

/** A PKCS#11 object handle with the epoch it was obtained in. */
export interface TokenObject {
  readonly handle: ObjectHandle;
  readonly epoch: HandleEpoch;
}

/** An object that was made or found, with the attributes read back in the same hop. */
export interface DescribedObject {
  readonly object: TokenObject;
  readonly attributes: Template;
}

/** What the token was measured to do, by known-answer operations at start (mechanism lists lie). */
export interface Capabilities extends KeyCapabilities {
  readonly aesGcm: boolean;
  readonly gcmIvSource: GcmIvSource;
  /** AES-256 derivation inside the token, best first; `aes-cbc-encrypt-data` derives 32 bytes with IV 0. */
  readonly keyDerivation: 'sp800-108-counter' | 'aes-cbc-encrypt-data' | undefined;
  /** The mechanism that was measured to be RFC 5649 (0x210a means two different things). */
  readonly kwp: 'AES_KEY_WRAP_PAD' | 'AES_KEY_WRAP_KWP' | undefined;
  readonly aesKeyWrap: boolean;
  readonly hmacSha256: boolean;
  readonly aesCbc: boolean;
  readonly rsaOaepSha1: boolean;
  readonly rsaOaepSha256: boolean;
  /** A non-extractable key cannot be wrapped out. False on NSS softokn. */
  readonly honoursExtractable: boolean;
  /** A key with WRAP_WITH_TRUSTED cannot be wrapped under a key that is not TRUSTED. */
  readonly honoursWrapWithTrusted: boolean;
  /** C_UnwrapKey honours SENSITIVE and EXTRACTABLE of the template given with the call. */
  readonly honoursUnwrapAttributes: boolean;
  /** CKA_UNWRAP_TEMPLATE of the unwrapping key cannot be overridden by the call. */
  readonly enforcesUnwrapTemplate: boolean;
  /** C_CopyObject cannot raise EXTRACTABLE or lower SENSITIVE. */
  readonly copyKeepsCustody: boolean;
  readonly sessionKeys: boolean;
}

/** What the token was measured to do with keys that are not symmetric, and with HMAC keys. */
export interface KeyCapabilities {
  /** CKM_RSA_PKCS signs a DigestInfo. */
  readonly rsaPkcs1: boolean;
  /** Digests that CKM_RSA_PKCS_PSS signs, with a salt as long as the digest. */
  readonly rsaPss: readonly HashName[];
  /** CKM_RSA_X_509 signs a whole block. */
  readonly rsaRawSign: boolean;
  /** CKM_RSA_X_509 decrypts to a block that is always as long as the modulus. */
  readonly rsaRawDecrypt: boolean;
  /** Curves of ECDSA over digests, answered as r and s of equal length. */
  readonly ecdsa: readonly EcCurve[];
  /** Curves of ECDH whose secret can be read. */
  readonly ecdh: readonly EcCurve[];
  readonly ed25519: boolean;
  readonly ed25519ph: boolean;
  /** Digests of HMACs with keys as long as the digest. */
  readonly hmac: readonly HashName[];
  /** Types of private keys that leave under AES-KWP and come back as asked for. */
  readonly wrapsPrivate: readonly KeyType[];
}

export type TokenHealth = 'ready' | 'recovering' | 'unavailable';

export interface Token {
  /** The token's name in the configuration. */
  readonly name: string;
  readonly slot: SlotDescription;
  readonly capabilities: Capabilities;
  readonly health: TokenHealth;
  /** The current epoch. */
  readonly epoch: HandleEpoch;
  isCurrent(object: TokenObject): boolean;
  /** Called after every change of epoch: session objects are gone, handles must be found again. Returns the unsubscriber. */
  onEpochChange(listener: () => void): () => void;

  /**
   * Runs `work`. On an error that is not plainly the caller's it climbs the recovery ladder (new session, re-login, C_Finalize
   * and C_Initialize, new host; one climb at a time for all callers) and runs `work` again, a bounded number of times.
   * `work` must be safe to run twice and must obtain its handles inside. An `unclear` error is classified by a known-good
   * operation: if that passes it is rethrown as `input`.
   */
  recovering<T>(work: () => Promise<T>, signal?: AbortSignal): Promise<T>;

  /* One attempt each, on the current host. Objects of another epoch are refused with kind 'handle' before any token work. */
  encrypt(mechanism: Mechanism, key: TokenObject, data: Uint8Array): Promise<Uint8Array>;
  decrypt(mechanism: Mechanism, key: TokenObject, data: Uint8Array): Promise<Uint8Array>;
  sign(mechanism: Mechanism, key: TokenObject, data: Uint8Array): Promise<Uint8Array>;
  /**
   * Reads back what `template` asked for (SENSITIVE, EXTRACTABLE, usage flags...) and destroys a weaker key: kind 'weaker-key'. Where the
   * token does not know an optional attribute (`OPTIONAL_ATTRIBUTES`), the key is made without it, unless it is `essential`. WRAP_WITH_TRUSTED
   * of an extractable key always is.
   */
  generateKey(mechanism: Mechanism, template: Template, readBack?: readonly AttributeName[], essential?: readonly AttributeName[]): Promise<DescribedObject>;
  /**
   * Checked like generateKey. Always on the threads for slow calls: a session pair goes when their sessions are renewed, so it is good for
   * moments only (to be wrapped, to be measured). Both objects are the caller's to destroy.
   */
  generateKeyPair(
    mechanism: Mechanism,
    publicTemplate: Template,
    privateTemplate: Template,
    readBack?: readonly AttributeName[],
    essential?: readonly AttributeName[],
  ): Promise<{ readonly publicKey: DescribedObject; readonly privateKey: DescribedObject }>;
  wrapKey(mechanism: Mechanism, wrappingKey: TokenObject, key: TokenObject): Promise<Uint8Array>;
  /** Session objects are made in an anchor session; checked like generateKey. */
  unwrapKey(
    mechanism: Mechanism,
    unwrappingKey: TokenObject,
    wrapped: Uint8Array,
    template: Template,
    readBack?: readonly AttributeName[],
    essential?: readonly AttributeName[],
  ): Promise<DescribedObject>;
  deriveKey(
    mechanism: Mechanism,
    baseKey: TokenObject,
    template: Template,
    readBack?: readonly AttributeName[],
    essential?: readonly AttributeName[],
  ): Promise<DescribedObject>;
  findObjects(template: Template, readBack: readonly AttributeName[]): Promise<readonly DescribedObject[]>;
  getAttributes(object: TokenObject, names: readonly AttributeName[]): Promise<Template>;
  destroyObject(object: TokenObject): Promise<void>;
  random(lengthBytes: number): Promise<Uint8Array>;

  /**
   * Cuts the grace period of hosts that were replaced short. Resolves when none of them can run a call any more; what ran there
   * rejects with `unavailable`.
   */
  endReplacedHosts(): Promise<void>;
  /** A known-answer operation end to end; resolves when the token serves, rejects with TokenError. */
  probe(): Promise<void>;
  /** Finishes what is in flight (bounded) and ends the host. */
  close(): Promise<void>;
}

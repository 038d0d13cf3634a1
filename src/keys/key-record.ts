/** What is remembered of a KMS key: plain data, as the store keeps it and the operations read it. */

/** KeyState of the AWS KMS API. */
export type KeyState =
  'Creating' | 'Enabled' | 'Disabled' | 'PendingDeletion' | 'PendingImport' | 'PendingReplicaDeletion' | 'Unavailable' | 'Updating';

export type KeyUsage = 'ENCRYPT_DECRYPT' | 'SIGN_VERIFY' | 'GENERATE_VERIFY_MAC' | 'KEY_AGREEMENT' | 'ENCAPSULATE_DECAPSULATE';
export type KeyOrigin = 'AWS_KMS' | 'EXTERNAL' | 'AWS_CLOUDHSM' | 'EXTERNAL_KEY_STORE';

/** Where a key's secret bytes live. Shown to users wherever the key is shown. */
export type ProtectionLevel = 'HSM' | 'SOFTWARE';

/** How a material lives in its key store (DESIGN section 5, "Residency"). */
export type Residency = 'token' | 'wrapped' | 'software';

/** How symmetric ciphertexts are made; fixed when the material is made. */
export type CiphertextSuite = 'derived-aes-cbc-data' | 'derived-sp800-108' | 'direct' | 'composed';

/** Custody that the operator accepted where a token does not enforce what full custody needs. */
export type Custody = 'full' | 'reduced';

/** One material of a KMS key (what AWS calls an HSM backing key). */
export interface MaterialRecord {
  /** 64 lower-case hex digits. */
  readonly materialId: string;
  /** Name of the key store in the configuration. */
  readonly keyStore: string;
  readonly protection: ProtectionLevel;
  readonly residency: Residency;
  readonly custody: Custody;
  /** Only of materials that encrypt symmetrically; see `SymmetricMaterial`. */
  readonly suite?: CiphertextSuite;
  /** Only of key pairs: DER SubjectPublicKeyInfo (RFC 5280, section 4.1.2.7). */
  readonly publicKey?: Uint8Array;
  /** Opaque to all but the key store: CKA_ID of a token object, an exported key token, a sealed software key. */
  readonly reference: Uint8Array;
  /** 48 bytes that the key store computes from the material; equal in every copy of it. */
  readonly fingerprint: Uint8Array;
  readonly createdAtMs: number;
}

/** A material of SYMMETRIC_DEFAULT. */
export interface SymmetricMaterial extends MaterialRecord {
  readonly suite: CiphertextSuite;
}

export function isSymmetricMaterial(material: MaterialRecord): material is SymmetricMaterial {
  return material.suite !== undefined;
}

/** Identity of a key: unique over the whole service. */
export interface KeyIdentity {
  readonly partition: string;
  readonly account: string;
  readonly region: string;
  readonly keyId: string;
}

/** A tag of a key. */
export interface TagRecord {
  readonly key: string;
  readonly value: string;
}

/** A KMS key with everything that operations need to decide and answer. Immutable: a change is a new record. */
export interface KeyRecord extends KeyIdentity {
  /** Rises with every change; the store refuses a write over another version. */
  readonly version: number;
  readonly description: string;
  readonly keySpec: string;
  readonly keyUsage: KeyUsage;
  readonly origin: KeyOrigin;
  readonly keyManager: 'AWS' | 'CUSTOMER';
  readonly state: KeyState;
  readonly createdAtMs: number;
  /** Wall-clock time of planned deletion, only while pending. */
  readonly deletionAtMs?: number;
  readonly pendingWindowDays?: number;
  /** Milliseconds of observed running time that must still pass before deletion (DESIGN section 5, "Deletion"). */
  readonly deletionRunningMsLeft?: number;
  readonly multiRegion: boolean;
  /** The key policy text, kept from creation on. */
  readonly policy: string;
  readonly tags: readonly TagRecord[];
  readonly materials: readonly MaterialRecord[];
  /** materialId used for new ciphertexts; absent before the first material. */
  readonly currentMaterialId?: string;
}

/** An alias. At most one per (partition, account, region, name). */
export interface AliasRecord {
  readonly partition: string;
  readonly account: string;
  readonly region: string;
  /** With the `alias/` prefix. */
  readonly aliasName: string;
  readonly targetKeyId: string;
  readonly createdAtMs: number;
  readonly updatedAtMs: number;
  readonly version: number;
}

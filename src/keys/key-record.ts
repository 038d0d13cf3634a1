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

/** How a material that was imported stands (ImportState, ExpirationModel and ValidTo of the API). */
export interface MaterialImport {
  /** PENDING_IMPORT: deleted or expired. The record stays, so that only the same material is taken again; its reference is empty. */
  readonly state: 'IMPORTED' | 'PENDING_IMPORT';
  readonly expirationModel: 'KEY_MATERIAL_EXPIRES' | 'KEY_MATERIAL_DOES_NOT_EXPIRE';
  /** Only of materials that expire. */
  readonly validToMs?: number;
  readonly description?: string;
  /** True when the bytes were in the memory of the token host, outside of the token, while they were imported. Never becomes false. */
  readonly throughSoftware: boolean;
}

/** How and when a material became the current one (RotationType of the API). */
export interface MaterialRotation {
  readonly type: 'AUTOMATIC' | 'ON_DEMAND';
  readonly atMs: number;
}

/** What an imported material waits for before it can become the current one (KeyMaterialState of the API). */
export type PendingMaterial = 'PENDING_ROTATION' | 'PENDING_MULTI_REGION_IMPORT_AND_ROTATION';

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
  /** Absent on the first material of a key, and on one that is pending. */
  readonly rotation?: MaterialRotation;
  readonly pending?: PendingMaterial;
  /** Only of keys of origin EXTERNAL. */
  readonly import?: MaterialImport;
  /** An operator made the object in the token a material (`hsm-kms keys adopt`): it was made, and perhaps used, outside of this service. */
  readonly adopted?: true;
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

/** False for an imported material that was deleted or has expired: nothing can be done with it until it is imported again. */
export function isPresent(material: MaterialRecord): boolean {
  return material.import?.state !== 'PENDING_IMPORT';
}

/** Automatic rotation of a key, while it is enabled. */
export interface RotationSchedule {
  /** 90 to 2,560. */
  readonly periodDays: number;
  readonly nextAtMs: number;
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
  /** Only of multi-Region keys: where the primary is. Keys of the same key id in other Regions are its replicas. */
  readonly primaryRegion?: string;
  /** The key policy text, kept from creation on. */
  readonly policy: string;
  readonly tags: readonly TagRecord[];
  readonly materials: readonly MaterialRecord[];
  /** materialId used for new ciphertexts; absent before the first material. */
  readonly currentMaterialId?: string;
  readonly rotationSchedule?: RotationSchedule;
  /** Only of keys in a custom key store. */
  readonly customKeyStoreId?: string;
  /** XksKeyId: the name of the key in its external key manager. Only of origin EXTERNAL_KEY_STORE. */
  readonly xksKeyId?: string;
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

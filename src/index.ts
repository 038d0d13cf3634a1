/**
 * What a library user may import. `openService` runs everything that a configuration names; `openKms` is the API over parts of
 * one's own; `KeyStore` is the seam for a key back end.
 */
export type { Attestation } from './attestation/attestation.ts';
export { type AttestationVerifier, attestationVerifier } from './attestation/attestation-verifier.ts';
export { rootCertificate } from './attestation/certificate-path.ts';
export { type Clock, systemClock } from './clock.ts';
export type {
  Config,
  CustomKeyStoreConfig,
  KeyStoreConfig,
  ListenerConfig,
  RegionConfig,
  SecretReference,
  TokenConfig,
} from './config/config.ts';
export type { ConfigFlags } from './config/flags.ts';
export { loadConfig, readConfigFile } from './config/load-config.ts';
export type { SecretSources } from './config/secret-source.ts';
export { ConfigError, type ConfigProblem } from './config/yaml-source.ts';
export { openService, type Service, type Surroundings } from './daemon/compose.ts';
export { processTimer, type StartTimer } from './daemon/sweeps.ts';
export { isKmsError, KmsError, type KmsErrorCode } from './errors.ts';
export { publicKeysOnThisThread, type PublicKeyUses } from './keys/public-key-uses.ts';
export type { CiphertextHeader } from './keys/ciphertext-blob.ts';
export type { PasswordVerifier } from './keys/custom-key-store-record.ts';
export type { AliasRecord, KeyIdentity, KeyRecord, MaterialRecord } from './keys/key-record.ts';
export {
  type BoundMaterial,
  type KeyStore,
  type KeyStoreDescription,
  KeyStoreError,
  type KeyStoreErrorKind,
  type KeyStoreHealth,
  type MaterialRequest,
  type UsageLeases,
} from './keystore/keystore.ts';
export { openSoftwareKeyStore, type SoftwareKeyStoreParts } from './keystore/software/key-store.ts';
export { ComputingThreads, type ComputingThreadsOptions } from './keystore/computing/computing-threads.ts';
export { type Caller, type Kms, openKms, type ServiceParts } from './kms.ts';
export { type Log, type LogLevel, openLog, silentLog } from './log.ts';
export type { KeyStoreCluster, KeyStoreClusters } from './operations/key-store-clusters.ts';
export type { KeyStores } from './operations/key-stores.ts';
export { LastUses } from './operations/last-uses.ts';
export { SecretBytes } from './secret-bytes.ts';
export { openSqliteStore, type SqliteStoreOptions } from './store/sqlite/sqlite-store.ts';
export type { Change, IntentRecord, Page, Scope, Store } from './store/store.ts';

/** The configuration after parsing: complete, frozen, defaults filled in. Secrets are references, never values. */
import type { TpmAddress } from '../tpm/transport.ts';

/** Where a secret comes from. Read at use, not at parse. */
export type SecretReference =
  | { readonly kind: 'file'; readonly path: string }
  | { readonly kind: 'env'; readonly variable: string }
  | { readonly kind: 'credential'; readonly name: string }
  | { readonly kind: 'prompt' };

/** A token, with what its profile (hsm-config/*.yaml) says unless the configuration says otherwise. */
export interface TokenConfig {
  readonly name: string;
  readonly profile: string;
  readonly module: string;
  readonly functionList: 'C' | 'FC';
  readonly initialize: { readonly nullArguments: boolean; readonly osLocking: boolean; readonly reserved: string | undefined };
  /** Environment of the token host (SOFTHSM2_CONF ...). */
  readonly environment: Readonly<Record<string, string>>;
  /** Exactly one of label and serial is set. */
  readonly label: string | undefined;
  readonly serial: string | undefined;
  readonly pin: SecretReference;
  readonly isolation: 'process' | 'none';
  readonly threads: { readonly fast: number; readonly anchor: number; readonly slow: number };
  readonly deadlinesMs: { readonly fast: number; readonly slow: number; readonly keyGeneration: number; readonly start: number };
  /** Time between quarantine and the end of a host with an overdue call. */
  readonly graceMs: number;
  readonly epochKeysMax: number;
  readonly deepBind: boolean;
  readonly gcmIvSource: 'supplied' | 'token-zeroed' | 'token-appended' | 'measure';
  /** Optional attributes that the token does not know and that templates leave out from the start. */
  readonly omitAttributes: readonly string[];
  /** Made for development or a test, so that what happens to its keys does not matter. */
  readonly development?: boolean;
}

/** A file that only one TPM opens, while its PCRs hold what they held when it was sealed. */
export interface TpmReference {
  readonly kind: 'tpm';
  readonly file: string;
  readonly address: TpmAddress;
  /** Ascending, from 0 to 23. Empty: whatever was started. */
  readonly pcrs: readonly number[];
}

/** Where the root key of a software key store is: a secret, sealed to a TPM, or computed by a token under a key that stays there. */
export type RootKeyReference = SecretReference | TpmReference | { readonly kind: 'token'; readonly token: string };

export type KeyStoreConfig =
  | {
      readonly kind: 'pkcs11';
      readonly name: string;
      readonly token: string;
      readonly residency: 'token' | 'wrapped';
      /** `measured` takes the best suite that the token can. */
      readonly suite: 'measured' | 'derived' | 'direct';
      readonly custody: 'full' | 'reduced';
      /** `via-software`: key material that the token cannot unwrap itself may be in the daemon's memory while it is imported. */
      readonly import: 'in-token' | 'via-software';
      /** Key stores on other tokens that materials of multi-Region keys may come from and go to. */
      readonly transport?: { readonly pins: readonly TransportPinConfig[] } | undefined;
    }
  | {
      readonly kind: 'software';
      readonly name: string;
      readonly rootKey: RootKeyReference;
      /** Key stores that materials of multi-Region keys may come from and go to. */
      readonly transport?: { readonly pins: readonly TransportPinConfig[] } | undefined;
    };

/** A key store whose transport key an operator has compared (`hsm-kms keys transport` prints the fingerprint, for tokens `hsm-kms token transport`). */
export interface TransportPinConfig {
  readonly keyStore: string;
  /** SHA-256 of the DER SubjectPublicKeyInfo: 64 lower-case hex digits. */
  readonly fingerprint: string;
}

export interface RegionConfig {
  readonly region: string;
  /** Name of the key store for new keys. */
  readonly keyStore: string;
  /** Name of the software key store for new keys that `keyStore` cannot hold. Absent: such keys are refused (`fallback: never`). */
  readonly fallbackKeyStore?: string;
}

/** A key store that an account may have as a custom key store of type AWS_CLOUDHSM, under the id of a cluster. */
export interface CustomKeyStoreConfig {
  /** For example `cluster-2a34b5cdefg`. */
  readonly clusterId: string;
  /** 12 digits. */
  readonly account: string;
  readonly region: string;
  /** Name of the key store that holds the keys. */
  readonly keyStore: string;
  /** PEM: the certificate that CreateCustomKeyStore has to name. */
  readonly trustAnchorFile: string;
  /** The password of `kmsuser`, which CreateCustomKeyStore or UpdateCustomKeyStore has to give before the store connects. */
  readonly password: SecretReference;
}

export interface ListenerConfig {
  readonly host: string;
  /** 0 takes a free port. */
  readonly port: number;
  readonly tls: { readonly certificateFile: string; readonly keyFile: string } | undefined;
}

export interface Config {
  readonly dataDirectory: string;
  readonly listener: ListenerConfig;
  readonly auth: { readonly mode: 'sigv4' | 'emulator'; readonly credentialsFile: string | undefined };
  readonly tokens: readonly TokenConfig[];
  readonly keyStores: readonly KeyStoreConfig[];
  /** First entry serves Regions that are not listed when `anyRegion` is set. */
  readonly regions: readonly RegionConfig[];
  readonly anyRegion: boolean;
  readonly customKeyStores: readonly CustomKeyStoreConfig[];
  /** No key may be in software, and no key material may be there on its way. */
  readonly hardwareOnly: boolean;
  /** `virtual` can be moved forward by a request, so that a test sees in seconds what takes days. */
  readonly clock: 'system' | 'virtual';
  /** File of keys that are made at the first start that knows them (`seeds-file.ts`). */
  readonly seedsFile?: string;
  /** Requests with a Recipient are refused where there is none. The file holds one certificate in PEM. */
  readonly attestation?: { readonly rootCertificateFile: string };
  readonly log: { readonly level: 'debug' | 'info' | 'warn' | 'error' | 'silent' };
  readonly limits: {
    readonly bodyBytesMax: number;
    readonly headerBytesMax: number;
    readonly requestTimeoutMs: number;
    readonly connectionsMax: number;
  };
}

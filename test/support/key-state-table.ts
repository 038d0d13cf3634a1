/**
 * The key-state table of the AWS KMS Developer Guide ("Key states of AWS KMS keys", 2026), transcribed for the test that holds the service
 * to it. It shares nothing with the service's own table. Encapsulate, Decapsulate and GetKeyLastUsage are not in the guide: the first two
 * behave as Sign, the third is always allowed.
 */

/** What a cell of the guide says, by its footnote. `ok`: allowed. */
export type Cell =
  | 'ok'
  /** Footnotes 1, 2 and 3, 4, 5, 11, 14, 15. */
  | 'disabled'
  | 'pending-deletion'
  | 'not-pending-deletion'
  | 'pending-import'
  | 'unavailable'
  | 'creating'
  | 'updating'
  /** Footnote 6: before there is material the origin is given as the reason. */
  | 'origin'
  /** Footnote 7: allowed, but not in a custom key store. */
  | 'ok-7'
  /** Footnotes 8 and 9: the state refuses imported keys, the origin all others. */
  | 'pending-deletion-9'
  /** Footnote 9: allowed for imported keys only. */
  | 'ok-9'
  | 'creating-9'
  | 'updating-9'
  /** Cannot occur. */
  | '-';

/** Columns: Enabled, Disabled, PendingDeletion and PendingReplicaDeletion, PendingImport, Unavailable, Creating, Updating. */
type Row = readonly [Cell, Cell, Cell, Cell, Cell, Cell, Cell];

export const columns = ['Enabled', 'Disabled', 'PendingDeletion', 'PendingImport', 'Unavailable', 'Creating', 'Updating'] as const;

const always: Row = ['ok', 'ok', 'ok', 'ok', 'ok', 'ok', 'ok'];
const untilDeletion: Row = ['ok', 'ok', 'pending-deletion', 'ok', 'ok', 'ok', 'ok'];
const symmetricUse: Row = ['ok', 'disabled', 'pending-deletion', 'pending-import', 'unavailable', 'creating', 'ok'];
const otherUse: Row = ['ok', 'disabled', 'pending-deletion', 'pending-import', '-', 'creating', 'ok'];
const dataKeyPair: Row = ['ok-7', 'disabled', 'pending-deletion', 'pending-import', 'origin', 'creating', 'ok'];
const enabling: Row = ['ok', 'ok', 'pending-deletion', 'pending-import', 'ok', 'creating', 'updating'];
const rotationSetting: Row = ['ok-7', 'disabled', 'pending-deletion', 'origin', 'origin', 'creating', 'ok-7'];

export const keyStateTable: Readonly<Record<string, Row>> = {
  CancelKeyDeletion: [
    'not-pending-deletion',
    'not-pending-deletion',
    'ok',
    'not-pending-deletion',
    'not-pending-deletion',
    'not-pending-deletion',
    'not-pending-deletion',
  ],
  CreateAlias: untilDeletion,
  CreateGrant: ['ok', 'disabled', 'pending-deletion', 'pending-import', 'ok', 'creating', 'ok'],
  Decapsulate: otherUse,
  Decrypt: symmetricUse,
  DeleteAlias: always,
  DeleteImportedKeyMaterial: ['ok-9', 'ok-9', 'ok-9', 'ok', '-', 'creating-9', 'updating-9'],
  DeriveSharedSecret: otherUse,
  DescribeKey: always,
  DisableKey: enabling,
  DisableKeyRotation: rotationSetting,
  EnableKey: enabling,
  EnableKeyRotation: rotationSetting,
  Encapsulate: otherUse,
  Encrypt: symmetricUse,
  GenerateDataKey: symmetricUse,
  GenerateDataKeyPair: dataKeyPair,
  GenerateDataKeyPairWithoutPlaintext: dataKeyPair,
  GenerateDataKeyWithoutPlaintext: symmetricUse,
  GenerateMac: otherUse,
  GetKeyLastUsage: always,
  GetKeyPolicy: always,
  GetKeyRotationStatus: ['ok-7', 'ok-7', 'ok-7', 'origin', 'origin', 'ok-7', 'ok-7'],
  GetParametersForImport: ['ok-9', 'ok-9', 'pending-deletion-9', 'ok', 'origin', 'creating-9', 'updating-9'],
  GetPublicKey: ['ok', 'ok', 'pending-deletion', 'ok', '-', 'creating', 'ok'],
  ImportKeyMaterial: ['ok-9', 'ok-9', 'pending-deletion-9', 'ok', 'origin', 'creating-9', 'ok-9'],
  ListAliases: always,
  ListGrants: always,
  ListKeyPolicies: always,
  ListKeyRotations: ['ok-7', 'ok-7', 'ok-7', 'ok', 'origin', 'ok-7', 'ok-7'],
  ListResourceTags: always,
  PutKeyPolicy: always,
  ReEncrypt: symmetricUse,
  ReplicateKey: ['ok', 'disabled', 'pending-deletion', 'pending-import', '-', 'creating', 'updating'],
  RetireGrant: always,
  RevokeGrant: always,
  RotateKeyOnDemand: ['ok-7', 'disabled', 'pending-deletion', 'pending-import', 'origin', 'creating', 'ok-7'],
  ScheduleKeyDeletion: ['ok', 'ok', 'pending-deletion', 'ok', 'ok', 'ok', 'updating'],
  Sign: otherUse,
  TagResource: untilDeletion,
  UntagResource: untilDeletion,
  UpdateAlias: untilDeletion,
  UpdateKeyDescription: untilDeletion,
  UpdatePrimaryRegion: ['ok', 'disabled', 'pending-deletion', 'pending-import', '-', 'creating', 'ok'],
  Verify: otherUse,
  VerifyMac: otherUse,
};

/** Operations without a row: they name no key. */
export const keylessOperations: readonly string[] = [
  'ConnectCustomKeyStore',
  'CreateCustomKeyStore',
  'CreateKey',
  'DeleteCustomKeyStore',
  'DescribeCustomKeyStores',
  'DisconnectCustomKeyStore',
  'GenerateRandom',
  'ListKeys',
  'ListRetirableGrants',
  'UpdateCustomKeyStore',
];

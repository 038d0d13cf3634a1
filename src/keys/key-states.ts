/**
 * Which operation is allowed in which key state, as one table (kms-api.md section 4; the numbers of its notes are given), with the
 * exact error of every refusal. Some rows also depend on where the key's material comes from.
 */
import { KmsError } from '../errors.ts';
import { keyArn } from './arn.ts';
import type { KeyOrigin, KeyRecord, KeyState } from './key-record.ts';

type Refusal =
  'disabled' | 'pending-deletion' | 'not-pending-deletion' | 'pending-import' | 'unavailable' | 'creating' | 'updating' | 'origin';

/** Refusals by state. A state that is not named is allowed. */
type StateRefusals = Readonly<Partial<Record<KeyState, Refusal>>>;

interface KeyStateRow {
  readonly states: StateRefusals;
  /** Origins for which the operation makes no sense, and whether that is said before the state is looked at. */
  readonly refusedOrigins?: { readonly origins: readonly KeyOrigin[]; readonly beforeState: boolean };
}

const CUSTOM_STORES: readonly KeyOrigin[] = ['AWS_CLOUDHSM', 'EXTERNAL_KEY_STORE'];
/** Note 7. */
const notInCustomStores = { origins: CUSTOM_STORES, beforeState: false };
/** Note 9. */
const importedOnly = { origins: ['AWS_KMS', ...CUSTOM_STORES] as const, beforeState: true };

/** Notes 2 and 3: documentation allows two errors, recordings show this one. */
const deleted: StateRefusals = { PendingDeletion: 'pending-deletion', PendingReplicaDeletion: 'pending-deletion' };
const cryptographicStates: StateRefusals = {
  ...deleted,
  Disabled: 'disabled',
  PendingImport: 'pending-import',
  Creating: 'creating',
  Unavailable: 'unavailable',
};

const any: KeyStateRow = { states: {} };
const cryptographic: KeyStateRow = { states: cryptographicStates };
const dataKeyPair: KeyStateRow = { states: { ...cryptographicStates, Unavailable: 'origin' }, refusedOrigins: notInCustomStores };
const notDeleted: KeyStateRow = { states: deleted };
const cancelDeletion: KeyStateRow = {
  states: {
    Enabled: 'not-pending-deletion',
    Disabled: 'not-pending-deletion',
    PendingImport: 'not-pending-deletion',
    Unavailable: 'not-pending-deletion',
    Creating: 'not-pending-deletion',
    Updating: 'not-pending-deletion',
  },
};
const createGrant: KeyStateRow = {
  states: { ...deleted, Disabled: 'disabled', PendingImport: 'pending-import', Creating: 'creating' },
};
const enableDisable: KeyStateRow = { states: { ...deleted, PendingImport: 'pending-import', Creating: 'creating', Updating: 'updating' } };
const scheduleDeletion: KeyStateRow = { states: { ...deleted, Updating: 'updating' } };
const changeRotation: KeyStateRow = {
  states: { ...deleted, Disabled: 'disabled', PendingImport: 'origin', Unavailable: 'origin', Creating: 'creating' },
  refusedOrigins: notInCustomStores,
};
const rotateOnDemand: KeyStateRow = {
  states: { ...changeRotation.states, PendingImport: 'pending-import' },
  refusedOrigins: notInCustomStores,
};
const multiRegion: KeyStateRow = {
  states: { ...deleted, Disabled: 'disabled', PendingImport: 'pending-import', Creating: 'creating', Unavailable: 'unavailable' },
};

/** A row for every operation that names a key. */
const rows: ReadonlyMap<string, KeyStateRow> = new Map<string, KeyStateRow>([
  ['CancelKeyDeletion', cancelDeletion],
  ['CreateAlias', notDeleted],
  ['CreateGrant', createGrant],
  ['Decapsulate', cryptographic],
  ['Decrypt', cryptographic],
  ['DeleteAlias', any],
  ['DeleteImportedKeyMaterial', { states: { Creating: 'creating', Updating: 'updating' }, refusedOrigins: importedOnly }],
  ['DeriveSharedSecret', cryptographic],
  ['DescribeKey', any],
  ['DisableKey', enableDisable],
  ['DisableKeyRotation', changeRotation],
  ['EnableKey', enableDisable],
  ['EnableKeyRotation', changeRotation],
  ['Encapsulate', cryptographic],
  ['Encrypt', cryptographic],
  ['GenerateDataKey', cryptographic],
  ['GenerateDataKeyPair', dataKeyPair],
  ['GenerateDataKeyPairWithoutPlaintext', dataKeyPair],
  ['GenerateDataKeyWithoutPlaintext', cryptographic],
  ['GenerateMac', cryptographic],
  ['GetKeyLastUsage', any],
  ['GetKeyPolicy', any],
  ['GetKeyRotationStatus', { states: { PendingImport: 'origin' }, refusedOrigins: notInCustomStores }],
  ['GetParametersForImport', { states: { ...deleted, Creating: 'creating', Updating: 'updating' }, refusedOrigins: importedOnly }],
  ['GetPublicKey', { states: { ...deleted, Creating: 'creating', Unavailable: 'unavailable' } }],
  ['ImportKeyMaterial', { states: { ...deleted, Creating: 'creating' }, refusedOrigins: importedOnly }],
  ['ListAliases', any],
  ['ListGrants', any],
  ['ListKeyPolicies', any],
  ['ListKeyRotations', { states: {}, refusedOrigins: notInCustomStores }],
  ['ListResourceTags', any],
  ['PutKeyPolicy', any],
  ['ReEncrypt', cryptographic],
  ['ReplicateKey', { states: { ...multiRegion.states, Updating: 'updating' } }],
  ['RetireGrant', any],
  ['RevokeGrant', any],
  ['RotateKeyOnDemand', rotateOnDemand],
  ['ScheduleKeyDeletion', scheduleDeletion],
  ['Sign', cryptographic],
  ['TagResource', notDeleted],
  ['UntagResource', notDeleted],
  // Note 10: the alias may leave a key that is pending deletion, not go to one. The row is for the target.
  ['UpdateAlias', notDeleted],
  ['UpdateKeyDescription', notDeleted],
  ['UpdatePrimaryRegion', multiRegion],
  ['Verify', cryptographic],
  ['VerifyMac', cryptographic],
]);

/**
 * The state check of one operation, for use at every request of it. The check throws KmsError as the table says.
 * `keyStateCheck` itself throws RangeError for an operation that names no key.
 */
export function keyStateCheck(operation: string): (key: KeyRecord) => void {
  const row = rows.get(operation);
  if (row === undefined) throw new RangeError(`The key-state table has no row for ${operation}`);
  const { states, refusedOrigins } = row;
  return (key) => {
    const refusal = states[key.state];
    if (refusal === undefined && refusedOrigins === undefined) return;
    const originRefused = refusedOrigins?.origins.includes(key.origin) === true;
    if (originRefused && (refusedOrigins.beforeState || refusal === undefined)) throw refusalError('origin', key);
    if (refusal !== undefined) throw refusalError(refusal, key);
  };
}

function refusalError(refusal: Refusal, key: KeyRecord): KmsError {
  const arn = keyArn(key);
  switch (refusal) {
    case 'disabled':
      return new KmsError('DisabledException', `${arn} is disabled.`);
    case 'origin':
      return new KmsError('UnsupportedOperationException', `${arn} origin is ${key.origin} which is not valid for this operation.`);
    case 'not-pending-deletion':
      return new KmsError('KMSInvalidStateException', `${arn} is not pending deletion (or pending replica deletion).`);
    case 'pending-deletion':
      return new KmsError('KMSInvalidStateException', `${arn} is pending deletion.`);
    case 'pending-import':
    case 'unavailable':
    case 'creating':
    case 'updating':
      break;
  }
  return new KmsError('KMSInvalidStateException', `${arn} is ${refusal.replace('-', ' ')}.`);
}

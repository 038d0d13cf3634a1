/** The key-state table, row by row as kms-api.md section 4 prints it. */
import { describe, expect, test } from 'vitest';
import { apiOperations } from '../../../src/api/model.ts';
import { isKmsError } from '../../../src/errors.ts';
import { keyStateCheck } from '../../../src/keys/key-states.ts';
import { keyOf } from '../../support/store-records.ts';
import type { KeyOrigin, KeyState } from '../../../src/keys/key-record.ts';

const STATES: readonly KeyState[] = ['Enabled', 'Disabled', 'PendingDeletion', 'PendingImport', 'Unavailable', 'Creating', 'Updating'];

// Cells: + allowed, d disabled, p pending deletion, n not pending deletion, i pending import, u unavailable, c creating, g updating,
// x origin. One column per state above. Cells that the documentation calls impossible hold what we answer if they occur.
const TABLE: Readonly<Record<string, { readonly AWS_KMS: string; readonly EXTERNAL?: string; readonly AWS_CLOUDHSM?: string }>> = {
  CancelKeyDeletion: { AWS_KMS: 'nn+nnnn' },
  CreateAlias: { AWS_KMS: '++p++++' },
  CreateGrant: { AWS_KMS: '+dpi+c+' },
  Decrypt: { AWS_KMS: '+dpiuc+' },
  Encrypt: { AWS_KMS: '+dpiuc+' },
  GenerateDataKey: { AWS_KMS: '+dpiuc+' },
  GenerateDataKeyWithoutPlaintext: { AWS_KMS: '+dpiuc+' },
  ReEncrypt: { AWS_KMS: '+dpiuc+' },
  GenerateDataKeyPair: { AWS_KMS: '+dpixc+', AWS_CLOUDHSM: 'xdpixcx' },
  GenerateDataKeyPairWithoutPlaintext: { AWS_KMS: '+dpixc+', AWS_CLOUDHSM: 'xdpixcx' },
  DeriveSharedSecret: { AWS_KMS: '+dpiuc+' },
  GenerateMac: { AWS_KMS: '+dpiuc+' },
  Sign: { AWS_KMS: '+dpiuc+' },
  Verify: { AWS_KMS: '+dpiuc+' },
  VerifyMac: { AWS_KMS: '+dpiuc+' },
  Encapsulate: { AWS_KMS: '+dpiuc+' },
  Decapsulate: { AWS_KMS: '+dpiuc+' },
  DeleteAlias: { AWS_KMS: '+++++++' },
  DescribeKey: { AWS_KMS: '+++++++' },
  GetKeyLastUsage: { AWS_KMS: '+++++++' },
  GetKeyPolicy: { AWS_KMS: '+++++++' },
  ListAliases: { AWS_KMS: '+++++++' },
  ListGrants: { AWS_KMS: '+++++++' },
  ListKeyPolicies: { AWS_KMS: '+++++++' },
  ListResourceTags: { AWS_KMS: '+++++++' },
  PutKeyPolicy: { AWS_KMS: '+++++++' },
  RetireGrant: { AWS_KMS: '+++++++' },
  RevokeGrant: { AWS_KMS: '+++++++' },
  DeleteImportedKeyMaterial: { AWS_KMS: 'xxxxxxx', EXTERNAL: '+++++cg' },
  DisableKey: { AWS_KMS: '++pi+cg' },
  EnableKey: { AWS_KMS: '++pi+cg' },
  DisableKeyRotation: { AWS_KMS: '+dpxxc+', EXTERNAL: '+dpxxc+', AWS_CLOUDHSM: 'xdpxxcx' },
  EnableKeyRotation: { AWS_KMS: '+dpxxc+', EXTERNAL: '+dpxxc+', AWS_CLOUDHSM: 'xdpxxcx' },
  GetKeyRotationStatus: { AWS_KMS: '+++x+++', EXTERNAL: '+++x+++', AWS_CLOUDHSM: 'xxxxxxx' },
  GetParametersForImport: { AWS_KMS: 'xxxxxxx', EXTERNAL: '++p++cg' },
  GetPublicKey: { AWS_KMS: '++p+uc+' },
  ImportKeyMaterial: { AWS_KMS: 'xxxxxxx', EXTERNAL: '++p++c+' },
  ListKeyRotations: { AWS_KMS: '+++++++', AWS_CLOUDHSM: 'xxxxxxx' },
  ReplicateKey: { AWS_KMS: '+dpiucg' },
  RotateKeyOnDemand: { AWS_KMS: '+dpixc+', EXTERNAL: '+dpixc+', AWS_CLOUDHSM: 'xdpixcx' },
  ScheduleKeyDeletion: { AWS_KMS: '++p+++g' },
  TagResource: { AWS_KMS: '++p++++' },
  UntagResource: { AWS_KMS: '++p++++' },
  UpdateKeyDescription: { AWS_KMS: '++p++++' },
  UpdateAlias: { AWS_KMS: '++p++++' },
  UpdatePrimaryRegion: { AWS_KMS: '+dpiuc+' },
};

const ARN = /arn:aws:kms:eu-central-1:111122223333:key\/[0-9a-f-]{36}/;
const CELLS: Readonly<Record<string, string>> = {
  '+': 'allowed',
  d: 'DisabledException: ARN is disabled.',
  p: 'KMSInvalidStateException: ARN is pending deletion.',
  n: 'KMSInvalidStateException: ARN is not pending deletion (or pending replica deletion).',
  i: 'KMSInvalidStateException: ARN is pending import.',
  u: 'KMSInvalidStateException: ARN is unavailable.',
  c: 'KMSInvalidStateException: ARN is creating.',
  g: 'KMSInvalidStateException: ARN is updating.',
  x: 'UnsupportedOperationException: ARN origin is ORIGIN which is not valid for this operation.',
};

function outcome(operation: string, state: KeyState, origin: KeyOrigin): string {
  try {
    keyStateCheck(operation)(keyOf(1, { state, origin }));
    return 'allowed';
  } catch (error) {
    if (isKmsError(error)) return `${error.code}: ${error.publicMessage?.replace(ARN, 'ARN')}`;
    throw error;
  }
}

const cases = Object.entries(TABLE).flatMap(([operation, origins]) =>
  Object.entries(origins).map(([origin, row]) => [operation, origin as KeyOrigin, row] as const),
);

describe('the key-state table', () => {
  test.each(cases)('%s on a key of origin %s: %s', (operation, origin, row) => {
    const answers = STATES.map((state) => outcome(operation, state, origin));
    expect(answers).toEqual(row.split('').map((cell) => CELLS[cell]?.replace('ORIGIN', origin)));
  });

  test('a key that waits for its replicas to be deleted is treated as pending deletion', () => {
    for (const operation of Object.keys(TABLE)) {
      const row = outcome(operation, 'PendingDeletion', 'AWS_KMS');
      expect([operation, outcome(operation, 'PendingReplicaDeletion', 'AWS_KMS')]).toEqual([operation, row]);
    }
  });

  test('has a row for every operation that names a key, and none for the others', () => {
    const naming = [...apiOperations].filter(([, { input }]) => ['KeyId', 'TargetKeyId', 'DestinationKeyId'].some((name) => name in input));
    expect([...naming.map(([name]) => name), 'DeleteAlias'].toSorted()).toEqual(Object.keys(TABLE).toSorted());
    expect(() => keyStateCheck('CreateKey')).toThrow(RangeError);
  });
});

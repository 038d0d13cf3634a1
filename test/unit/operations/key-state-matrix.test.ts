/** Every operation in every state, for every origin and usage that the state can have: the exact refusal of the guide, or none. */
import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { apiOperations } from '../../../src/api/model.ts';
import { KmsError } from '../../../src/errors.ts';
import { openKms } from '../../../src/kms.ts';
import { customKeyStorePut } from '../../../src/operations/custom-key-stores/custom-key-store-items.ts';
import { openSoftwareKeyStore } from '../../../src/keystore/software/key-store.ts';
import { silentLog } from '../../../src/log.ts';
import { SecretBytes } from '../../../src/secret-bytes.ts';
import { columns, keylessOperations, keyStateTable } from '../../support/key-state-table.ts';
import { base64, callerOf, MovedClock, partsOver } from '../../support/kms-fixture.ts';
import { MemoryStore } from '../../support/memory-store.ts';
import type { KeyOrigin, KeyRecord, KeyState, KeyUsage } from '../../../src/keys/key-record.ts';
import type { Kms } from '../../../src/kms.ts';
import type { KeyStore } from '../../../src/keystore/keystore.ts';
import type { Cell } from '../../support/key-state-table.ts';

const specOf: Readonly<Record<string, { readonly KeySpec: string; readonly KeyUsage: KeyUsage }>> = {
  symmetric: { KeySpec: 'SYMMETRIC_DEFAULT', KeyUsage: 'ENCRYPT_DECRYPT' },
  encryption: { KeySpec: 'RSA_2048', KeyUsage: 'ENCRYPT_DECRYPT' },
  signing: { KeySpec: 'ECC_NIST_P256', KeyUsage: 'SIGN_VERIFY' },
  agreement: { KeySpec: 'ECC_NIST_P384', KeyUsage: 'KEY_AGREEMENT' },
  mac: { KeySpec: 'HMAC_256', KeyUsage: 'GENERATE_VERIFY_MAC' },
  encapsulation: { KeySpec: 'ML_KEM_512', KeyUsage: 'ENCAPSULATE_DECAPSULATE' },
};
const origins: readonly KeyOrigin[] = ['AWS_KMS', 'EXTERNAL', 'AWS_CLOUDHSM', 'EXTERNAL_KEY_STORE'];
const customKeyStoreId = 'cks-1234567890abcdef0';
const customStores: readonly KeyOrigin[] = ['AWS_CLOUDHSM', 'EXTERNAL_KEY_STORE'];
const multiRegionStates: readonly KeyState[] = ['PendingReplicaDeletion', 'Creating', 'Updating'];
const states: readonly KeyState[] = [...columns, 'PendingReplicaDeletion'];

/** Usage that an operation needs, where the pipeline says so in the words of InvalidKeyUsageException. */
const usageOf: Readonly<Record<string, KeyUsage>> = {
  Decapsulate: 'ENCAPSULATE_DECAPSULATE',
  DeriveSharedSecret: 'KEY_AGREEMENT',
  Encapsulate: 'ENCAPSULATE_DECAPSULATE',
  Encrypt: 'ENCRYPT_DECRYPT',
  GenerateMac: 'GENERATE_VERIFY_MAC',
  Sign: 'SIGN_VERIFY',
  Verify: 'SIGN_VERIFY',
  VerifyMac: 'GENERATE_VERIFY_MAC',
};

/** Automatic rotation is for material that this service makes: the guide says so with the operations, not in the table. */
const settingRotation: readonly string[] = ['DisableKeyRotation', 'EnableKeyRotation'];

interface Refusal {
  readonly code: string;
  readonly publicMessage: string | undefined;
}

/** The refusal that a cell stands for; undefined where the operation is allowed. */
function refusalOf(cell: Cell, arn: string, origin: KeyOrigin): Refusal | undefined {
  const wrongOrigin: Refusal = {
    code: 'UnsupportedOperationException',
    publicMessage: `${arn} origin is ${origin} which is not valid for this operation.`,
  };
  if (cell === 'ok') return undefined;
  if (cell === 'origin') return wrongOrigin;
  if (cell === 'ok-7') return customStores.includes(origin) ? wrongOrigin : undefined;
  if (cell === 'ok-9') return origin === 'EXTERNAL' ? undefined : wrongOrigin;
  if (cell.endsWith('-9') && origin !== 'EXTERNAL') return wrongOrigin;
  if (cell === 'disabled') return { code: 'DisabledException', publicMessage: `${arn} is disabled.` };
  if (cell === 'not-pending-deletion')
    return { code: 'KMSInvalidStateException', publicMessage: `${arn} is not pending deletion (or pending replica deletion).` };
  return { code: 'KMSInvalidStateException', publicMessage: `${arn} is ${cell.replace('-9', '').replace('-', ' ')}.` };
}

const isStateRefusal = (error: KmsError): boolean =>
  error.code === 'DisabledException' ||
  (error.code === 'KMSInvalidStateException' &&
    / is (not )?(pending deletion|pending import|unavailable|creating|updating)/.test(error.publicMessage ?? '')) ||
  (error.code === 'UnsupportedOperationException' && error.publicMessage?.includes(' origin is ') === true);

function canOccur(state: KeyState, origin: KeyOrigin, kind: string): boolean {
  const custom = customStores.includes(origin);
  if (custom && (kind !== 'symmetric' || multiRegionStates.includes(state))) return false;
  if (state === 'Unavailable') return custom;
  return state !== 'PendingImport' || origin === 'EXTERNAL';
}

/** Decrypt and ReEncrypt name a key by its ciphertext, which only the symmetric key has here. */
const namesKey = (operation: string, kind: string): boolean => kind === 'symmetric' || !['Decrypt', 'ReEncrypt'].includes(operation);

describe('the key-state table', () => {
  const clock = new MovedClock();
  const caller = callerOf();
  let store: MemoryStore;
  let keyStore: KeyStore;
  let kms: Kms;
  const keys = new Map<string, KeyRecord>();
  let ciphertext: string;

  beforeAll(async () => {
    store = new MemoryStore();
    const leases = { lease: async (materialId: string, count: number): Promise<number> => store.leaseUses(materialId, count) };
    keyStore = openSoftwareKeyStore({ name: 'software' }, { clock, log: silentLog, leases, rootKey: new SecretBytes(randomBytes(32)) });
    kms = openKms(partsOver(store, keyStore, clock));
    const connected = { customKeyStoreId, version: 1, name: 'connected', createdAtMs: 0, connection: { state: 'CONNECTED' } } as const;
    await store.commit([customKeyStorePut(caller, connected, 0)]);
    for (const [kind, spec] of Object.entries(specOf)) {
      const made = (await kms.perform('CreateKey', spec, caller)) as { KeyMetadata: { KeyId: string } };
      keys.set(kind, store.key(caller, made.KeyMetadata.KeyId)!);
    }
    const encrypted = await kms.perform('Encrypt', { KeyId: keys.get('symmetric')!.keyId, Plaintext: base64('hello') }, caller);
    ciphertext = base64((encrypted as { CiphertextBlob: Uint8Array }).CiphertextBlob);
  });
  afterAll(async () => keyStore.close());

  /** Brings the key into a state; what earlier cases changed of it is undone. */
  async function bring(kind: string, state: KeyState, origin: KeyOrigin): Promise<KeyRecord> {
    const original = keys.get(kind)!;
    const current = store.key(caller, original.keyId);
    const replacesVersion = current?.version ?? 0;
    const record: KeyRecord = {
      ...original,
      version: replacesVersion + 1,
      state,
      origin,
      ...(customStores.includes(origin) && { customKeyStoreId }),
      ...(multiRegionStates.includes(state) && { multiRegion: true, primaryRegion: original.region }),
      ...(state === 'PendingDeletion' && { deletionAtMs: clock.nowMs() + 1e9, pendingWindowDays: 7, deletionRunningMsLeft: 1e9 }),
    };
    await store.commit([{ kind: 'put-key', record, replacesVersion }]);
    for (const alias of store.listAliases(caller, undefined, undefined, 100).items)
      await store.commit([{ kind: 'delete-alias', record: alias }]);
    return record;
  }

  /** The least input with which the operation gets as far as the key. */
  async function inputOf(operation: string, key: KeyRecord): Promise<Record<string, unknown>> {
    const { keyId: KeyId } = key;
    const message = { KeyId, Message: base64('message') };
    const signing = { ...message, SigningAlgorithm: 'ECDSA_SHA_256' };
    const inputs: Readonly<Record<string, Record<string, unknown>>> = {
      CreateAlias: { AliasName: 'alias/new', TargetKeyId: KeyId },
      CreateGrant: { KeyId, GranteePrincipal: 'arn:aws:iam::111122223333:user/bob', Operations: ['DescribeKey'] },
      Decapsulate: { KeyId, SharedSecretCiphertextBlob: base64(new Uint8Array(768)), EncapsulationAlgorithm: 'ML_KEM' },
      Decrypt: { KeyId, CiphertextBlob: ciphertext },
      DeleteAlias: { AliasName: 'alias/old' },
      DeriveSharedSecret: { KeyId, KeyAgreementAlgorithm: 'ECDH', PublicKey: base64(keys.get('agreement')!.materials[0]!.publicKey!) },
      Encapsulate: { KeyId, EncapsulationAlgorithm: 'ML_KEM' },
      Encrypt: { KeyId, Plaintext: base64('hello'), ...(key.keySpec === 'RSA_2048' && { EncryptionAlgorithm: 'RSAES_OAEP_SHA_256' }) },
      GenerateDataKey: { KeyId, KeySpec: 'AES_256' },
      GenerateDataKeyPair: { KeyId, KeyPairSpec: 'ECC_NIST_P256' },
      GenerateDataKeyPairWithoutPlaintext: { KeyId, KeyPairSpec: 'ECC_NIST_P256' },
      GenerateDataKeyWithoutPlaintext: { KeyId, KeySpec: 'AES_256' },
      GenerateMac: { ...message, MacAlgorithm: 'HMAC_SHA_256' },
      GetParametersForImport: { KeyId, WrappingAlgorithm: 'RSAES_OAEP_SHA_256', WrappingKeySpec: 'RSA_2048' },
      ImportKeyMaterial: {
        KeyId,
        ImportToken: base64('token'),
        EncryptedKeyMaterial: base64('material'),
        ExpirationModel: 'KEY_MATERIAL_DOES_NOT_EXPIRE',
      },
      PutKeyPolicy: { KeyId, Policy: key.policy },
      ReEncrypt: { CiphertextBlob: ciphertext, DestinationKeyId: KeyId },
      ReplicateKey: { KeyId, ReplicaRegion: 'us-east-1' },
      RetireGrant: { KeyId, GrantId: 'a'.repeat(64) },
      RevokeGrant: { KeyId, GrantId: 'a'.repeat(64) },
      Sign: signing,
      TagResource: { KeyId, Tags: [{ TagKey: 'a', TagValue: 'b' }] },
      UntagResource: { KeyId, TagKeys: ['a'] },
      UpdateAlias: { AliasName: 'alias/old', TargetKeyId: KeyId },
      UpdateKeyDescription: { KeyId, Description: '' },
      UpdatePrimaryRegion: { KeyId, PrimaryRegion: 'us-east-1' },
      Verify: { ...signing, Signature: base64('signature') },
      VerifyMac: { ...message, MacAlgorithm: 'HMAC_SHA_256', Mac: base64('mac') },
    };
    if (operation === 'UpdateAlias' || operation === 'DeleteAlias') await aliasOf(key);
    return inputs[operation] ?? { KeyId };
  }

  /** An alias of the key that the operation renames or deletes. */
  async function aliasOf({ partition, account, region, keyId }: KeyRecord): Promise<void> {
    const record = { partition, account, region, aliasName: 'alias/old', targetKeyId: keyId, createdAtMs: 1, updatedAtMs: 1, version: 1 };
    await store.commit([{ kind: 'put-alias', record, replacesVersion: 0 }]);
  }

  async function refusedBy(operation: string, key: KeyRecord): Promise<KmsError | undefined> {
    try {
      await kms.perform(operation, await inputOf(operation, key), caller);
      return undefined;
    } catch (error) {
      expect(error).toBeInstanceOf(KmsError);
      return error as KmsError;
    }
  }

  test('has a row for every operation that names a key, and for no other', () => {
    expect([...Object.keys(keyStateTable), ...keylessOperations].toSorted()).toEqual([...apiOperations.keys()].toSorted());
  });

  test.each(Object.entries(keyStateTable))('%s', async (operation, row) => {
    let cases = 0;
    for (const state of states) {
      const cell = row[Math.max(columns.indexOf(state as (typeof columns)[number]), state === 'PendingReplicaDeletion' ? 2 : 0)]!;
      if (cell === '-') continue;
      for (const origin of origins) {
        for (const kind of Object.keys(specOf).filter((name) => canOccur(state, origin, name) && namesKey(operation, name))) {
          const key = await bring(kind, state, origin);
          const arn = `arn:aws:kms:${key.region}:${key.account}:key/${key.keyId}`;
          const expected = refusalOf(cell, arn, origin);
          const refused = await refusedBy(operation, key);
          const where = `${operation} of a ${kind} key of origin ${origin} that is ${state}`;
          if (expected !== undefined) expect(refused, where).toMatchObject(expected);
          else if (usageOf[operation] !== undefined && usageOf[operation] !== key.keyUsage) {
            const publicMessage = `${arn} key usage is ${key.keyUsage} which is not valid for ${operation}.`;
            expect(refused, where).toMatchObject({ code: 'InvalidKeyUsageException', publicMessage });
          } else if (settingRotation.includes(operation) && (origin === 'EXTERNAL' || kind !== 'symmetric')) {
            expect(refused, where).toMatchObject({ code: 'UnsupportedOperationException' });
          } else expect(refused !== undefined && isStateRefusal(refused) ? refused : undefined, where).toBeUndefined();
          cases += 1;
        }
      }
    }
    expect(cases).toBeGreaterThan(10);
  });
});

/**
 * A KMS key whose material is a key that others made in a token. One commit makes key and alias: no intent ever names the object, since
 * what an expired intent names is destroyed. Knows no request; an operator asks for it.
 */
import { inputDecoder } from '../api/decode-input.ts';
import { toHex } from '../bytes.ts';
import { KmsError } from '../errors.ts';
import { assertCustomerAliasName } from '../keys/alias-name.ts';
import { aliasArn, keyArn } from '../keys/arn.ts';
import { defaultKeyPolicy } from '../keys/default-policy.ts';
import { assertKeyQuota } from './key-quota.ts';
import { firstMaterial, recordWithoutMaterial } from './make-key.ts';
import { newKeyId } from './new-key-id.ts';
import type { AliasRecord, KeyRecord, MaterialRecord } from '../keys/key-record.ts';
import type { AdoptedMaterial, AdoptionRequest, KeyStore } from '../keystore/keystore.ts';
import type { Change, Scope, Store } from '../store/store.ts';
import type { ServiceParts } from './operation.ts';

export interface KeyAdoption extends Omit<AdoptionRequest, 'key'> {
  readonly scope: Scope;
  readonly description: string;
  /** With the `alias/` prefix. */
  readonly aliasName?: string;
  /** Judges and proves, and records nothing. */
  readonly dryRun: boolean;
}

export interface AdoptedKey extends Pick<AdoptedMaterial, 'weaknesses'> {
  readonly record: KeyRecord;
}

const decodeCreateKey = inputDecoder('CreateKey');
const decodeCreateAlias = inputDecoder('CreateAlias');

/**
 * Adopts the key in `keyStore`; `sharing` are the names of all key stores on the same token. Resolves to the key, durable unless `dryRun`.
 * Rejects with KmsError, KeyStoreError or an error of the store; the token is then as it was, and so it is afterwards.
 */
export async function adoptKey(
  adoption: KeyAdoption,
  keyStore: KeyStore,
  sharing: ReadonlySet<string>,
  parts: Pick<ServiceParts, 'store' | 'clock' | 'randomBytes'>,
): Promise<AdoptedKey> {
  const { scope, description, aliasName, dryRun, ...request } = adoption;
  const key = { ...scope, keyId: newKeyId(parts.randomBytes) };
  decodeCreateKey({ Description: description });
  if (aliasName !== undefined) assertNewAlias(aliasName, key.keyId, scope, parts.store);
  assertKeyQuota(parts.store, scope);
  if (keyStore.adoptMaterial === undefined)
    throw new KmsError('UnsupportedOperationException', `The key store ${keyStore.name} is not in a token`);
  const { material, weaknesses, keySpec, keyUsage } = await keyStore.adoptMaterial({ ...request, key });
  const policy = defaultKeyPolicy(scope.partition, scope.account);
  const record: KeyRecord = {
    ...recordWithoutMaterial({ ...key, description, keySpec, keyUsage, policy, tags: [] }, parts),
    ...firstMaterial(material),
  };
  await parts.store.transact((store) => {
    assertUnused(material, sharing, store);
    const changes = dryRun ? [] : changesOf(record, aliasName);
    return { changes, result: undefined };
  });
  return { record, weaknesses };
}

function assertNewAlias(aliasName: string, keyId: string, scope: Scope, store: Store): void {
  assertCustomerAliasName(aliasName);
  decodeCreateAlias({ AliasName: aliasName, TargetKeyId: keyId });
  if (store.alias(scope, aliasName) !== undefined) {
    throw new KmsError('AlreadyExistsException', `An alias with the name ${aliasArn(scope, aliasName)} already exists`);
  }
}

/** Two KMS keys of one object would be two policies over one key, and the deletion of one would be that of both. */
function assertUnused({ reference }: MaterialRecord, sharing: ReadonlySet<string>, store: Store): void {
  const id = toHex(reference);
  const isIt = (held: MaterialRecord): boolean => held.residency === 'token' && sharing.has(held.keyStore) && toHex(held.reference) === id;
  for (const key of store.allKeys()) {
    if (key.materials.some(isIt))
      throw new KmsError('AlreadyExistsException', `The token object is the material of ${keyArn(key)} already`);
  }
  if (store.intents().some(({ objectId, keyStore }) => sharing.has(keyStore) && toHex(objectId) === id)) {
    throw new KmsError('ConflictException', 'The token object is being made or destroyed by this service');
  }
}

function changesOf(record: KeyRecord, aliasName: string | undefined): readonly Change[] {
  const { partition, account, region, keyId, createdAtMs } = record;
  const change: Change = { kind: 'put-key', record, replacesVersion: 0 };
  if (aliasName === undefined) return [change];
  const times = { createdAtMs, updatedAtMs: createdAtMs };
  const alias: AliasRecord = { partition, account, region, aliasName, targetKeyId: keyId, ...times, version: 1 };
  return [change, { kind: 'put-alias', record: alias, replacesVersion: 0 }];
}

/** Records for store tests: complete, distinct, and made from a number so that a failing case can be repeated. */
import { createHash } from 'node:crypto';
import type { AliasRecord, KeyRecord, MaterialRecord } from '../../src/keys/key-record.ts';
import type { IntentRecord, ItemRecord, Scope } from '../../src/store/store.ts';

export const scopeA: Scope = { partition: 'aws', account: '111122223333', region: 'eu-central-1' };
export const scopeB: Scope = { partition: 'aws', account: '111122223333', region: 'us-east-1' };

/** A key id in the form of a UUID, the same for the same number. */
export function keyIdOf(number: number): string {
  const hex = createHash('sha256').update(`key ${number}`).digest('hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20, 32)}`;
}

/** Every third is a key pair, the others are symmetric. */
export function materialOf(number: number): MaterialRecord {
  const digest = createHash('sha512').update(`material ${number}`).digest();
  return {
    materialId: digest.toString('hex').slice(0, 64),
    keyStore: 'main',
    protection: 'HSM',
    residency: 'wrapped',
    custody: 'full',
    ...(number % 3 === 0 ? { publicKey: new Uint8Array(digest.subarray(0, 20)) } : { suite: 'derived-aes-cbc-data' as const }),
    reference: new Uint8Array(Buffer.concat([digest, digest])),
    fingerprint: new Uint8Array(digest.subarray(0, 48)),
    createdAtMs: 1_700_000_000_000 + number,
  };
}

/** Version 1 of an enabled key with one material; `changes` replace members. */
export function keyOf(number: number, changes: Partial<KeyRecord> = {}): KeyRecord {
  const material = materialOf(number);
  return {
    ...scopeA,
    keyId: keyIdOf(number),
    version: 1,
    description: `key ${number}`,
    keySpec: 'SYMMETRIC_DEFAULT',
    keyUsage: 'ENCRYPT_DECRYPT',
    origin: 'AWS_KMS',
    keyManager: 'CUSTOMER',
    state: 'Enabled',
    createdAtMs: 1_700_000_000_000 + number,
    multiRegion: false,
    policy:
      '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::111122223333:root"},"Action":"kms:*"}]}',
    tags: [{ key: 'Purpose', value: `test ${number}` }],
    materials: [material],
    currentMaterialId: material.materialId,
    ...changes,
  };
}

export function aliasOf(aliasName: string, targetKeyId: string, changes: Partial<AliasRecord> = {}): AliasRecord {
  return { ...scopeA, aliasName, targetKeyId, createdAtMs: 1, updatedAtMs: 1, version: 1, ...changes };
}

export function itemOf(name: string, changes: Partial<ItemRecord> = {}): ItemRecord {
  return { kind: 'grant', owner: keyIdOf(1), name, version: 1, value: { operations: ['Encrypt'], limit: 3, retired: null }, ...changes };
}

export function intentOf(number: number, changes: Partial<IntentRecord> = {}): IntentRecord {
  const hex = createHash('sha256').update(`intent ${number}`).digest();
  return {
    intentId: hex.toString('hex').slice(0, 32),
    kind: 'create-material',
    keyStore: 'main',
    scope: scopeA,
    keyId: keyIdOf(number),
    objectId: new Uint8Array(hex.subarray(0, 16)),
    owner: 'first',
    fence: 1,
    leaseUntilMs: 1_000,
    ...changes,
  };
}

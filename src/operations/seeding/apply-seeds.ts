/**
 * Makes the keys of a seed file that were never made before. A seed is how a key begins, not how it stays: what users changed since is left
 * alone, and a key that was deleted does not come back. Each key appears with its aliases and everything else in one transaction.
 */
import { inputDecoder } from '../../api/decode-input.ts';
import { KmsError } from '../../errors.ts';
import { usageOfNewKey } from '../../keys/algorithms.ts';
import { aliasArn, keyArn } from '../../keys/arn.ts';
import { assertCustomerAliasName } from '../../keys/alias-name.ts';
import { defaultKeyPolicy } from '../../keys/default-policy.ts';
import type { Seed } from '../../config/seeds-file.ts';
import { createKey } from '../create-key.ts';
import { assertKeyQuota } from '../key-quota.ts';
import { firstMaterial, recordWithoutMaterial } from '../make-key.ts';
import { makeObject } from '../make-object.ts';
import { assertReachable, keyStoreForImport, keyStoreForMultiRegion, keyStoreForSpec } from '../region-key-store.ts';
import { tagRecords } from '../tag-members.ts';
import { SeedImports } from './seed-imports.ts';
import type { AliasRecord, KeyRecord, KeyUsage, MaterialRecord } from '../../keys/key-record.ts';
import type { KeyStore } from '../../keystore/keystore.ts';
import type { Change, Scope } from '../../store/store.ts';
import type { NewKey } from '../make-key.ts';
import type { Caller, OperationContext, ServiceParts } from '../operation.ts';
import type { TagMember } from '../tag-members.ts';

/** A key of a seeds file, at the place where it is to be. */
export type KeySeed = Seed & Scope;

export interface SeedReport {
  readonly made: number;
  /** Made at an earlier start. */
  readonly known: number;
}

/** A seed cannot be made; the message says which, where and why. */
export class SeedError extends Error {
  override readonly name = 'SeedError';
}

/** Item that remembers a seed for ever. Its owner is the ARN of the key. */
const appliedKind = 'applied-seed';
const atOnceMax = 32;
const decodeCreateKey = inputDecoder('CreateKey');
const dayMs = 86_400_000;

interface CreateKeyMembers {
  readonly KeySpec: string;
  readonly KeyUsage?: KeyUsage;
  readonly Description: string;
  readonly Policy?: string;
  readonly Tags: readonly TagMember[];
}

/** Rejects with SeedError at the first seed that cannot be made; those made before stay. All are judged before any is made. */
export async function applySeeds(seeds: readonly KeySeed[], parts: ServiceParts): Promise<SeedReport> {
  const fresh = seeds.filter((seed) => parts.store.item(appliedKind, keyArn(seed), 'seed') === undefined);
  for (const seed of fresh) await explained(seed, async () => judge(seed, parts));
  const imports = new SeedImports(parts);
  try {
    for (let first = 0; first < fresh.length; first += atOnceMax) {
      await Promise.all(fresh.slice(first, first + atOnceMax).map((seed) => explained(seed, () => makeSeed(seed, imports, parts))));
    }
  } finally {
    await imports.close();
    for (const { material } of seeds) material?.wipe();
  }
  return { made: fresh.length, known: seeds.length - fresh.length };
}

async function explained<T>(seed: KeySeed, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw new SeedError(`${seed.place}: the key ${seed.keyId} cannot be made: ${(error as Error).message}`, { cause: error });
  }
}

/** The checks that a request meets, and those that a request with an id of its own would. */
function judge(seed: KeySeed, parts: ServiceParts): void {
  const input = membersOf(seed);
  createKey.validate?.(input as never);
  placeOf(seed, parts);
  if (parts.store.key(seed, seed.keyId) !== undefined) {
    throw new KmsError('AlreadyExistsException', 'there is a key with this id that no seed made; give the seed another id');
  }
  for (const aliasName of seed.aliases) {
    assertCustomerAliasName(aliasName);
    const taken = parts.store.alias(seed, aliasName);
    if (taken !== undefined) throw new KmsError('AlreadyExistsException', `${aliasArn(seed, aliasName)} belongs to ${taken.targetKeyId}`);
  }
  if (seed.rotationPeriodDays !== undefined && (input.KeySpec !== 'SYMMETRIC_DEFAULT' || seed.material !== undefined)) {
    throw new KmsError('UnsupportedOperationException', 'only symmetric keys without material of their own rotate');
  }
}

function membersOf({ createKey: members }: KeySeed): CreateKeyMembers {
  return decodeCreateKey(members) as unknown as CreateKeyMembers;
}

/** The key store of the seed. Throws KmsError where the configuration has none for it. */
function placeOf(seed: KeySeed, parts: ServiceParts): KeyStore {
  const context = contextOf(seed, parts);
  const { KeySpec: keySpec } = membersOf(seed);
  if (seed.material !== undefined) return keyStoreForImport(keySpec, context);
  return seed.createKey['MultiRegion'] === true ? keyStoreForMultiRegion(keySpec, context) : keyStoreForSpec(keySpec, context);
}

function contextOf({ partition, account, region }: Scope, parts: ServiceParts): OperationContext {
  const caller: Caller = {
    principalArn: `arn:${partition}:iam::${account}:root`,
    accessKeyId: 'seed',
    partition,
    account,
    region,
    sourceAddress: undefined,
    userAgent: undefined,
    secureTransport: true,
    requestId: 'seed',
  };
  return { parts, caller, scope: { partition, account, region }, keys: {}, signal: undefined };
}

async function makeSeed(seed: KeySeed, imports: SeedImports, parts: ServiceParts): Promise<void> {
  const keyStore = placeOf(seed, parts);
  assertReachable(keyStore);
  assertKeyQuota(parts.store, seed);
  const key = newKeyOf(seed);
  const { keySpec, keyUsage, multiRegion = false } = key;
  await makeObject(
    {
      kind: 'create-material',
      key,
      keyStore,
      make: async (objectId): Promise<MaterialRecord> => {
        if (seed.material === undefined)
          return keyStore.createMaterial({ key, keySpec, keyUsage, objectId, ...(multiRegion && { multiRegion }) });
        const { material, throughSoftware } = await imports.importMaterial(key, keyStore, seed.material, objectId);
        return { ...material, import: { state: 'IMPORTED', expirationModel: 'KEY_MATERIAL_DOES_NOT_EXPIRE', throughSoftware } };
      },
      record: async (material, endIntent) => {
        await parts.store.commit([...changesOf(seed, key, material, parts), endIntent]);
        return { result: undefined, isKept: true };
      },
    },
    parts,
  );
}

function newKeyOf(seed: KeySeed): NewKey {
  const { KeySpec: keySpec, KeyUsage, Description: description, Policy, Tags } = membersOf(seed);
  const { partition, account, region, keyId } = seed;
  return {
    partition,
    account,
    region,
    keyId,
    description,
    keySpec,
    keyUsage: usageOfNewKey(keySpec, KeyUsage),
    policy: Policy ?? defaultKeyPolicy(partition, account),
    tags: tagRecords(Tags),
    multiRegion: seed.createKey['MultiRegion'] === true,
  };
}

function changesOf(seed: KeySeed, key: NewKey, material: MaterialRecord, parts: ServiceParts): readonly Change[] {
  const nowMs = parts.clock.nowMs();
  const record: KeyRecord = {
    ...recordWithoutMaterial(key, parts),
    ...firstMaterial(material),
    ...(material.import && { origin: 'EXTERNAL' }),
    ...(!seed.enabled && { state: 'Disabled' }),
    ...(seed.rotationPeriodDays !== undefined && {
      rotationSchedule: { periodDays: seed.rotationPeriodDays, nextAtMs: nowMs + seed.rotationPeriodDays * dayMs },
    }),
  };
  const { partition, account, region } = seed;
  const aliases = seed.aliases.map((aliasName): AliasRecord => ({
    partition,
    account,
    region,
    aliasName,
    targetKeyId: seed.keyId,
    createdAtMs: nowMs,
    updatedAtMs: nowMs,
    version: 1,
  }));
  return [
    { kind: 'put-key', record, replacesVersion: 0 },
    ...aliases.map((alias): Change => ({ kind: 'put-alias', record: alias, replacesVersion: 0 })),
    { kind: 'put-item', record: { kind: appliedKind, owner: keyArn(seed), name: 'seed', version: 1, value: nowMs }, replacesVersion: 0 },
  ];
}

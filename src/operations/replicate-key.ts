/** ReplicateKey: a replica of a multi-Region primary key in another Region: all its materials there first, then its record (kms-api.md 5.3). */
import { KmsError } from '../errors.ts';
import { keyArn } from '../keys/arn.ts';
import { assertPolicyDocument, defaultKeyPolicy } from '../keys/default-policy.ts';
import { keyMetadata } from '../keys/key-metadata.ts';
import { keyStateCheck } from '../keys/key-states.ts';
import { multiRegionMembers } from '../keys/multi-region.ts';
import { partitionOf } from '../keys/partition.ts';
import { assertTags } from '../keys/tags.ts';
import { assertKeyQuota } from './key-quota.ts';
import { currentKey } from './key-change.ts';
import { putShared } from './multi-region/key-family.ts';
import { makeCopies } from './multi-region/material-copies.ts';
import { settleInBackground } from './multi-region/settle-state.ts';
import { managedKey } from './named-key.ts';
import { defineOperation } from './operation.ts';
import { keyStoreForImport } from './region-key-store.ts';
import { assertMultiRegionPrimary } from './rotation-settings.ts';
import { tagRecords } from './tag-members.ts';
import type { KeyRecord, MaterialRecord } from '../keys/key-record.ts';
import type { Change, Store } from '../store/store.ts';
import type { Operation, OperationContext } from './operation.ts';
import type { TagMember } from './tag-members.ts';

interface ReplicateKeyInput {
  readonly ReplicaRegion: string;
  readonly Policy?: string;
  readonly Description?: string;
  readonly Tags?: readonly TagMember[];
}

const checkState = keyStateCheck('ReplicateKey');

export const replicateKey: Operation = defineOperation<ReplicateKeyInput, 'key'>({
  name: 'ReplicateKey',
  action: 'ReplicateKey',
  keys: managedKey,
  validate: ({ Policy: policy, Tags: tags = [] }) => {
    if (policy !== undefined) assertPolicyDocument(policy);
    assertTags(tagRecords(tags));
  },
  check: (_input, { keys }) => assertMultiRegionPrimary(keys.key.record),
  perform: async (input, context) => {
    const { parts } = context;
    const primary = context.keys.key.record;
    const replica = newReplica(primary, input, context);
    assertReplicable(replica, context);
    const wanted = primary.origin === 'EXTERNAL' ? [] : primary.materials.map((material) => ({ material, to: replica }));
    const made = await makeCopies(primary, wanted, (copies, ends) => recordReplica(replica, primary, copies, ends, context), parts);
    settleInBackground(made, parts);
    const metadata = { ...keyMetadata(made), ...multiRegionMembers(made, parts.store.keysById(made.keyId)) };
    return { ReplicaKeyMetadata: metadata, ReplicaPolicy: made.policy, ...(input.Tags && { ReplicaTags: input.Tags }) };
  },
});

/** A replica that no store has yet: what it has of its own, and what it shares with its primary for ever; no materials. */
function newReplica(primary: KeyRecord, input: ReplicateKeyInput, { parts }: OperationContext): KeyRecord {
  const { partition, account, keyId, keySpec, keyUsage, origin } = primary;
  return {
    partition,
    account,
    region: input.ReplicaRegion,
    keyId,
    version: 0,
    description: input.Description ?? '',
    keySpec,
    keyUsage,
    origin,
    keyManager: 'CUSTOMER',
    state: 'Creating',
    createdAtMs: parts.clock.nowMs(),
    multiRegion: true,
    primaryRegion: primary.region,
    policy: input.Policy ?? defaultKeyPolicy(partition, account),
    tags: tagRecords(input.Tags ?? []),
    materials: [],
  };
}

/** Throws KmsError: AlreadyExistsException, LimitExceededException, UnsupportedOperationException. */
function assertReplicable(replica: KeyRecord, context: OperationContext): void {
  const { partition, account, region, keySpec } = replica;
  if (partitionOf(region) !== partition) {
    throw new KmsError(
      'UnsupportedOperationException',
      `Unable to replicate key ${replica.keyId} to region ${region}, as the region is not in the partition ${partition}.`,
    );
  }
  assertAbsent(replica, context.parts.store);
  assertKeyQuota(context.parts.store, { partition, account, region });
  // Its materials are imported there too.
  if (replica.origin === 'EXTERNAL') keyStoreForImport(keySpec, { ...context, scope: { partition, account, region } });
}

function assertAbsent(replica: KeyRecord, store: Store): void {
  if (store.key(replica, replica.keyId) === undefined) return;
  throw new KmsError(
    'AlreadyExistsException',
    `Unable to replicate key ${replica.keyId} to region ${replica.region}, as the key already exists there.`,
  );
}

/**
 * The primary is written with its replica, so that neither its rotation nor its deletion can have been judged without it. A replica of
 * imported material has to import all of it.
 */
function recordReplica(
  replica: KeyRecord,
  primary: KeyRecord,
  copies: readonly MaterialRecord[],
  ends: readonly Change[],
  context: OperationContext,
): Promise<KeyRecord> {
  return context.parts.store.transact((store) => {
    const current = currentKey(store, primary);
    checkState(current);
    assertMultiRegionPrimary(current);
    assertAbsent(replica, store);
    const materials = current.origin === 'EXTERNAL' ? [] : current.materials.map((material) => copyOf(material, copies, current));
    const { record, changes } = putShared(store, { ...replica, materials }, { others: [current] });
    return { changes: [...changes, ...ends], result: record };
  });
}

function copyOf(material: MaterialRecord, copies: readonly MaterialRecord[], primary: KeyRecord): MaterialRecord {
  const copy = copies.find(({ materialId }) => materialId === material.materialId);
  if (copy === undefined) {
    throw new KmsError('ConflictException', `${keyArn(primary)} was rotated while it was being replicated. You can retry the request.`);
  }
  return { ...copy, createdAtMs: material.createdAtMs };
}

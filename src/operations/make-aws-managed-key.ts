/** The key of an AWS service, made when a request first names its predefined alias: key and alias in one commit, and one key however many ask. */
import { parseKeyIdentifier } from '../keys/arn.ts';
import { awsManagedKeyDescription, awsManagedKeyPolicy, awsManagedServices } from '../keys/aws-managed-keys.ts';
import { rotationPeriodDaysDefault, rotationScheduleFrom } from '../keys/rotation.ts';
import { firstMaterial, recordWithoutMaterial } from './make-key.ts';
import { makeObject } from './make-object.ts';
import { newKeyId } from './new-key-id.ts';
import { assertReachable, keyStoreForSpec } from './region-key-store.ts';
import type { AwsManagedService } from '../keys/aws-managed-keys.ts';
import type { KeyRecord, MaterialRecord } from '../keys/key-record.ts';
import type { Change, Scope } from '../store/store.ts';
import type { NewKey } from './make-key.ts';
import type { Recorded } from './make-object.ts';
import type { OperationContext } from './operation.ts';

const RESERVED = 'alias/aws/';

/** True for a text that may name the key of a service. Cheap: it is asked of every request. */
export function isReservedName(text: string): boolean {
  return text.includes(RESERVED);
}

/** Makes the key that `text` names if it is one of a service, in the caller's account, and is not there yet. */
export async function makeIfMissing(text: string, context: OperationContext): Promise<void> {
  const service = missingService(text, context);
  if (service !== undefined) await makeAwsManagedKey(service, context);
}

/** Aliases of other accounts and Regions make nothing here: they are refused where keys are resolved. */
function missingService(text: string, { scope, parts }: OperationContext): AwsManagedService | undefined {
  const identifier = parseKeyIdentifier(text);
  if (identifier.kind !== 'alias-name' && identifier.kind !== 'alias-arn') return undefined;
  if (identifier.kind === 'alias-arn' && !isSameScope(identifier, scope)) return undefined;
  return parts.store.alias(scope, identifier.aliasName) === undefined ? awsManagedServices.get(identifier.aliasName) : undefined;
}

function isSameScope(one: Scope, other: Scope): boolean {
  return one.partition === other.partition && one.account === other.account && one.region === other.region;
}

async function makeAwsManagedKey(service: AwsManagedService, context: OperationContext): Promise<void> {
  const key = newKeyOf(service, context);
  const { keySpec, keyUsage } = key;
  const keyStore = keyStoreForSpec(keySpec, context);
  assertReachable(keyStore);
  await makeObject(
    {
      kind: 'create-material',
      key,
      keyStore,
      make: (objectId) => keyStore.createMaterial({ key, keySpec, keyUsage, objectId }, context.signal),
      record: (material, endIntent) => recordKey(service, recordOf(key, material, context), endIntent, context),
    },
    context.parts,
  );
}

/** Of all who come first at once one does: its key is the key, and what the others made is not kept. */
function recordKey(
  { aliasName }: AwsManagedService,
  record: KeyRecord,
  endIntent: Change,
  { parts, scope }: OperationContext,
): Promise<Recorded<undefined>> {
  const { createdAtMs, keyId: targetKeyId } = record;
  const alias = { ...scope, aliasName, targetKeyId, createdAtMs, updatedAtMs: createdAtMs, version: 1 };
  const changes: readonly Change[] = [
    { kind: 'put-key', record, replacesVersion: 0 },
    { kind: 'put-alias', record: alias, replacesVersion: 0 },
    endIntent,
  ];
  return parts.store.transact((store) => {
    const isKept = store.alias(scope, aliasName) === undefined;
    return { changes: isKept ? changes : [], result: { result: undefined, isKept } };
  });
}

function newKeyOf(service: AwsManagedService, { parts, scope }: OperationContext): NewKey {
  return {
    ...scope,
    keyId: newKeyId(parts.randomBytes),
    description: awsManagedKeyDescription(service),
    keySpec: 'SYMMETRIC_DEFAULT',
    keyUsage: 'ENCRYPT_DECRYPT',
    policy: awsManagedKeyPolicy(service, scope),
    tags: [],
  };
}

/** AWS managed keys rotate every year, and nobody can change that. */
function recordOf(key: NewKey, material: MaterialRecord, { parts }: OperationContext): KeyRecord {
  return {
    ...recordWithoutMaterial(key, parts),
    ...firstMaterial(material),
    keyManager: 'AWS',
    rotationSchedule: rotationScheduleFrom(parts.clock.nowMs(), rotationPeriodDaysDefault),
  };
}

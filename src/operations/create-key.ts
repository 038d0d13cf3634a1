/** CreateKey: a key with a material of its own, in the Region's key store or a custom one, or one that waits for an import. */
import { invalid } from '../api/violations.ts';
import { KmsError } from '../errors.ts';
import { usageOfNewKey } from '../keys/algorithms.ts';
import { assertPolicyDocument, defaultKeyPolicy } from '../keys/default-policy.ts';
import { isImportable } from '../keys/import-wrapping.ts';
import { keyMetadata } from '../keys/key-metadata.ts';
import { multiRegionMembers } from '../keys/multi-region.ts';
import { assertTags } from '../keys/tags.ts';
import { isInCustomKeyStore, makeKeyInCustomKeyStore, validateKeyPlace } from './custom-key-stores/key-in-custom-key-store.ts';
import { customKeyStoreMembers } from './custom-key-stores/named-custom-key-store.ts';
import { assertKeyQuota } from './key-quota.ts';
import { makeKey, makeKeyWithoutMaterial } from './make-key.ts';
import { newKeyId, newMultiRegionKeyId } from './new-key-id.ts';
import { defineOperation } from './operation.ts';
import { assertReachable, keyStoreForImport, keyStoreForMultiRegion, keyStoreForSpec } from './region-key-store.ts';
import { tagRecords } from './tag-members.ts';
import type { KeyRecord, KeyUsage } from '../keys/key-record.ts';
import type { NewKey } from './make-key.ts';
import type { Operation, OperationContext } from './operation.ts';
import type { TagMember } from './tag-members.ts';

interface CreateKeyInput {
  readonly Policy?: string;
  readonly Description?: string;
  readonly KeyUsage?: KeyUsage;
  readonly CustomerMasterKeySpec?: string;
  readonly KeySpec?: string;
  readonly Origin?: string;
  readonly CustomKeyStoreId?: string;
  readonly Tags?: readonly TagMember[];
  readonly MultiRegion?: boolean;
  readonly XksKeyId?: string;
}

export const createKey: Operation = defineOperation<CreateKeyInput>({
  name: 'CreateKey',
  action: 'CreateKey',
  keys: [],
  validate: (input) => {
    if (input.KeySpec !== undefined && input.CustomerMasterKeySpec !== undefined) {
      throw invalid('You cannot specify KeySpec and CustomerMasterKeySpec in the same request. CustomerMasterKeySpec is deprecated.');
    }
    usageOfNewKey(specOf(input), input.KeyUsage);
    validateKeyPlace(input, specOf(input));
    refuseOtherImports(input);
    if (input.Policy !== undefined) assertPolicyDocument(input.Policy);
    assertTags(tagRecords(input.Tags ?? []));
  },
  perform: async (input, context) => {
    const keySpec = specOf(input);
    const { store, randomBytes } = context.parts;
    const multiRegion = input.MultiRegion === true;
    assertKeyQuota(store, context.scope);
    const key: NewKey = {
      ...context.scope,
      keyId: multiRegion ? newMultiRegionKeyId(randomBytes) : newKeyId(randomBytes),
      multiRegion,
      description: input.Description ?? '',
      keySpec,
      keyUsage: usageOfNewKey(keySpec, input.KeyUsage),
      policy: input.Policy ?? defaultKeyPolicy(context.scope.partition, context.scope.account),
      tags: tagRecords(input.Tags ?? []),
    };
    const record = await makeKeyOfOrigin(key, input, context);
    const ofOthers = { ...customKeyStoreMembers(record, store), ...multiRegionMembers(record, [record]) };
    return { KeyMetadata: { ...keyMetadata(record), ...ofOthers } };
  },
});

function makeKeyOfOrigin(key: NewKey, input: CreateKeyInput, context: OperationContext): Promise<KeyRecord> {
  if (isInCustomKeyStore(input)) return makeKeyInCustomKeyStore(key, input, context);
  if (isExternal(input)) {
    keyStoreForImport(key.keySpec, context);
    return makeKeyWithoutMaterial(key, context);
  }
  const keyStore = key.multiRegion === true ? keyStoreForMultiRegion(key.keySpec, context) : keyStoreForSpec(key.keySpec, context);
  assertReachable(keyStore);
  return makeKey(key, keyStore, context);
}

function specOf(input: CreateKeyInput): string {
  return input.KeySpec ?? input.CustomerMasterKeySpec ?? 'SYMMETRIC_DEFAULT';
}

function refuseOtherImports(input: CreateKeyInput): void {
  if (isExternal(input) && !isImportable(specOf(input))) {
    throw new KmsError('UnsupportedOperationException', `Key material cannot be imported into keys of spec ${specOf(input)}.`);
  }
}

function isExternal(input: CreateKeyInput): boolean {
  return input.Origin === 'EXTERNAL';
}

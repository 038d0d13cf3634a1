/** CreateKey: a key with a material of its own, in the Region's key store or a custom one, or one that waits for an import. */
import { invalid } from '../api/violations.ts';
import { KmsError } from '../errors.ts';
import { usageOfNewKey } from '../keys/algorithms.ts';
import { assertPolicyDocument, defaultKeyPolicy } from '../keys/default-policy.ts';
import { isImportable } from '../keys/import-wrapping.ts';
import { keyMetadata } from '../keys/key-metadata.ts';
import { assertTags } from '../keys/tags.ts';
import { isInCustomKeyStore, makeKeyInCustomKeyStore, validateKeyPlace } from './custom-key-stores/key-in-custom-key-store.ts';
import { customKeyStoreMembers } from './custom-key-stores/named-custom-key-store.ts';
import { makeKey, makeKeyWithoutMaterial } from './make-key.ts';
import { newKeyId } from './new-key-id.ts';
import { defineOperation } from './operation.ts';
import { assertReachable, keyStoreForImport, keyStoreForSpec } from './region-key-store.ts';
import { tagRecords } from './tag-members.ts';
import type { KeyRecord, KeyUsage } from '../keys/key-record.ts';
import type { Store } from '../store/store.ts';
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

/** AWS quota per account and Region (kms-api.md section 8). */
const KEYS_MAX = 100_000;

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
    refuseOtherOrigins(input);
    if (input.Policy !== undefined) assertPolicyDocument(input.Policy);
    assertTags(tagRecords(input.Tags ?? []));
  },
  perform: async (input, context) => {
    const keySpec = specOf(input);
    assertKeyQuota(context.parts.store, context);
    const key: NewKey = {
      ...context.scope,
      keyId: newKeyId(context.parts.randomBytes),
      description: input.Description ?? '',
      keySpec,
      keyUsage: usageOfNewKey(keySpec, input.KeyUsage),
      policy: input.Policy ?? defaultKeyPolicy(context.scope.partition, context.scope.account),
      tags: tagRecords(input.Tags ?? []),
    };
    const record = await makeKeyOfOrigin(key, input, context);
    return { KeyMetadata: { ...keyMetadata(record), ...customKeyStoreMembers(record, context.parts.store) } };
  },
});

function makeKeyOfOrigin(key: NewKey, input: CreateKeyInput, context: OperationContext): Promise<KeyRecord> {
  if (isInCustomKeyStore(input)) return makeKeyInCustomKeyStore(key, input, context);
  if (isExternal(input)) {
    keyStoreForImport(key.keySpec, context);
    return makeKeyWithoutMaterial(key, context);
  }
  const keyStore = keyStoreForSpec(key.keySpec, context);
  assertReachable(keyStore);
  return makeKey(key, keyStore, context);
}

function specOf(input: CreateKeyInput): string {
  return input.KeySpec ?? input.CustomerMasterKeySpec ?? 'SYMMETRIC_DEFAULT';
}

function refuseOtherOrigins(input: CreateKeyInput): void {
  if (isExternal(input) && !isImportable(specOf(input))) {
    throw unsupported(`Key material cannot be imported into keys of spec ${specOf(input)}.`);
  }
  if (input.MultiRegion === true) throw unsupported('Multi-Region keys are not supported: this service does not replicate key material.');
}

function isExternal(input: CreateKeyInput): boolean {
  return input.Origin === 'EXTERNAL';
}

function assertKeyQuota(store: Store, { scope }: OperationContext): void {
  if (store.countKeys(scope) >= KEYS_MAX) {
    throw new KmsError('LimitExceededException', `An account can have at most ${KEYS_MAX} KMS keys in a Region.`);
  }
}

function unsupported(reason: string): KmsError {
  return new KmsError('UnsupportedOperationException', reason);
}

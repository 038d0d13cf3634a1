/**
 * What a caller of the service believes after a history of requests: keys with their states, aliases, tags, and what was made with them.
 * A plain model: it knows the rules of the API by heart and asks nobody.
 */
import * as fc from 'fast-check';
import { expect } from 'vitest';

export type ModelKind = 'symmetric' | 'hmac' | 'ec';
export type ModelState = 'Enabled' | 'Disabled' | 'PendingImport' | 'PendingDeletion' | 'Deleted';

/** Something that a key made, which it must take back for as long as it can be used. */
export interface Made {
  readonly operation: 'Decrypt' | 'VerifyMac' | 'Verify';
  readonly input: Readonly<Record<string, unknown>>;
  /** Of a ciphertext: base64 of its plaintext. */
  readonly plaintext?: string;
}

/** The material of a key of origin EXTERNAL, which is the same for ever. */
interface ImportedMaterial {
  readonly secret: Uint8Array;
  isPresent: boolean;
  /** The day on which it expires. */
  validToDay: number;
}

export interface ModelKey {
  readonly keyId: string;
  readonly kind: ModelKind;
  readonly imported: ImportedMaterial | undefined;
  state: ModelState;
  description: string;
  deletionDay: number;
  rotations: number;
  readonly tags: Map<string, string>;
  readonly made: Made[];
}

export class KmsModel {
  readonly keys: ModelKey[] = [];
  readonly aliases = new Map<string, ModelKey>();
  day = 0;
}

/** A commit that fails in a request that makes a material: the first is that of the intent, the second that of the record. */
export interface CommitFailure {
  readonly afterCommits: number;
  /** It is there all the same. */
  readonly tookEffect: boolean;
  /** The store cannot say whether it is. */
  readonly isUndecided: boolean;
}

/** The service under test. Rejects with KmsError. */
export interface KmsUnderTest {
  // oxlint-disable-next-line typescript/no-explicit-any
  perform(operation: string, input: object): Promise<any>;
  /** Days pass, by both clocks, and the sweeps run. */
  passDays(days: number): Promise<void>;
  /** Closes the key store and opens it again, as a restart of the service does. */
  reopenKeyStore(): Promise<void>;
  /** Lets a commit of the next request fail. */
  failCommit(failure: CommitFailure): void;
  /** Imports a material that expires after some days, if ever. Undefined where the key store takes none. */
  readonly importMaterial: ((keyId: string, secret: Uint8Array, days: number | undefined) => Promise<void>) | undefined;
}

type Command = fc.AsyncCommand<KmsModel, KmsUnderTest>;

const specs: Readonly<Record<ModelKind, object>> = {
  symmetric: {},
  hmac: { KeySpec: 'HMAC_256', KeyUsage: 'GENERATE_VERIFY_MAC' },
  ec: { KeySpec: 'ECC_NIST_P256', KeyUsage: 'SIGN_VERIFY' },
};

/** Rejections by the code of the error, success as undefined. */
async function outcomeOf(act: Promise<unknown>): Promise<string | undefined> {
  return act.then(
    () => undefined,
    (error: unknown) => (error as { readonly code?: string }).code ?? String(error),
  );
}

/** Performs a request that must end as foretold. Resolves to the reply, or undefined when it was refused. */
// oxlint-disable-next-line typescript/no-explicit-any
async function foretold(real: KmsUnderTest, operation: string, input: object, refusal: string | undefined): Promise<any> {
  const act = real.perform(operation, input);
  expect([operation, await outcomeOf(act)]).toEqual([operation, refusal]);
  return refusal === undefined ? act : undefined;
}

/** Why a key cannot be used now. */
function refusalOfUse({ state }: ModelKey): string | undefined {
  if (state === 'Deleted') return 'NotFoundException';
  if (state === 'Disabled') return 'DisabledException';
  return state === 'Enabled' ? undefined : 'KMSInvalidStateException';
}

/** Why a key cannot be changed now. */
function refusalOfChange({ state }: ModelKey): string | undefined {
  if (state === 'Deleted') return 'NotFoundException';
  return state === 'PendingDeletion' ? 'KMSInvalidStateException' : undefined;
}

/** What is read out of a ciphertext is not said to exist or not. */
function refusalOfReturn(key: ModelKey, { operation }: Made): string | undefined {
  return key.state === 'Deleted' && operation === 'Decrypt' ? 'AccessDeniedException' : refusalOfUse(key);
}

async function takeBack(real: KmsUnderTest, key: ModelKey, made: Made): Promise<void> {
  const reply = await foretold(real, made.operation, made.input, refusalOfReturn(key, made));
  if (made.plaintext !== undefined && reply !== undefined) {
    expect(Buffer.from(reply.Plaintext as Uint8Array).toString('base64')).toBe(made.plaintext);
  }
}

type Run<Argument> = (model: KmsModel, real: KmsUnderTest, argument: Argument) => Promise<void>;

function command<Argument>(name: string, argument: fc.Arbitrary<Argument>, run: Run<Argument>): fc.Arbitrary<Command> {
  return argument.map((value) => ({
    check: () => true,
    run: (model, real) => run(model, real, value),
    toString: () => `${name} ${fc.stringify(value)}`,
  }));
}

/** A command about one of the keys made so far, deleted ones too; nothing when there is none. */
function onKey<Argument>(
  name: string,
  argument: fc.Arbitrary<Argument>,
  run: (key: ModelKey, real: KmsUnderTest, argument: Argument, model: KmsModel) => Promise<void>,
): fc.Arbitrary<Command> {
  return command(name, fc.tuple(fc.nat(), argument), async (model, real, [index, value]) => {
    const key = model.keys[index % Math.max(1, model.keys.length)];
    if (key !== undefined) await run(key, real, value, model);
  });
}

const nothing = fc.constant(undefined);
const blob = fc.uint8Array({ minLength: 1, maxLength: 64 }).map((bytes) => Buffer.from(bytes).toString('base64'));
const context = fc.dictionary(fc.string({ unit: 'grapheme', minLength: 1, maxLength: 8 }), fc.string({ unit: 'grapheme', maxLength: 8 }), {
  maxKeys: 3,
});
const aliasName = fc.constantFrom('alias/a', 'alias/b', 'alias/c');
const tagKey = fc.constantFrom('one', 'two', 'three');

/** A change of state that is allowed from some states. */
function changeOfState(operation: string, to: ModelState): fc.Arbitrary<Command> {
  return onKey(operation, nothing, async (key, real) => {
    const refusal = refusalOfChange(key) ?? (key.state === 'PendingImport' ? 'KMSInvalidStateException' : undefined);
    await foretold(real, operation, { KeyId: key.keyId }, refusal);
    if (refusal === undefined) key.state = to;
  });
}

const createKey = command('CreateKey', fc.constantFrom<ModelKind>('symmetric', 'symmetric', 'hmac', 'ec'), async (model, real, kind) => {
  const { KeyMetadata } = await real.perform('CreateKey', specs[kind]);
  model.keys.push({ ...newKey(KeyMetadata.KeyId as string, 'Enabled'), kind });
});

function newKey(keyId: string, state: ModelState): ModelKey {
  const nothingYet = { description: '', deletionDay: 0, rotations: 0, imported: undefined };
  return { keyId, kind: 'symmetric', state, ...nothingYet, tags: new Map(), made: [] };
}

const createKeyToImport = command(
  'CreateKey of origin EXTERNAL',
  fc.uint8Array({ minLength: 32, maxLength: 32 }),
  async (model, real, secret) => {
    if (real.importMaterial === undefined) return;
    const { KeyMetadata } = await real.perform('CreateKey', { Origin: 'EXTERNAL' });
    const imported = { secret, isPresent: false, validToDay: Infinity };
    model.keys.push({ ...newKey(KeyMetadata.KeyId as string, 'PendingImport'), imported });
  },
);

const reopen = command('the key store opens again', nothing, async (_model, real) => real.reopenKeyStore());

const failure: fc.Arbitrary<CommitFailure> = fc
  .record({ afterCommits: fc.integer({ min: 0, max: 1 }), tookEffect: fc.boolean(), isUndecided: fc.boolean() })
  // A store that is sure that nothing took effect is right.
  .map((one) => ({ ...one, isUndecided: one.isUndecided || one.tookEffect }));

const failedCreateKey = command('CreateKey fails', failure, async (model, real, fault) => {
  real.failCommit(fault);
  expect(['KMSInternalException', undefined]).toContain(await outcomeOf(real.perform('CreateKey', {})));
  const known = new Set(model.keys.map(({ keyId }) => keyId));
  const { Keys } = await real.perform('ListKeys', { Limit: 1000 });
  for (const { KeyId } of Keys as { KeyId: string }[]) if (!known.has(KeyId)) model.keys.push(newKey(KeyId, 'Enabled'));
});

const failedRotation = onKey('RotateKeyOnDemand fails', failure, async (key, real, fault) => {
  if (refusalOfUse(key) !== undefined || key.kind !== 'symmetric' || key.imported !== undefined) return;
  real.failCommit(fault);
  expect(['KMSInternalException', undefined]).toContain(await outcomeOf(real.perform('RotateKeyOnDemand', { KeyId: key.keyId })));
  const { Rotations } = await real.perform('ListKeyRotations', { KeyId: key.keyId });
  expect([key.rotations, key.rotations + 1]).toContain((Rotations as unknown[]).length);
  key.rotations = (Rotations as unknown[]).length;
});

const importMaterial = onKey('import', fc.option(fc.integer({ min: 1, max: 20 }), { nil: undefined }), async (key, real, days, model) => {
  const { imported } = key;
  if (imported === undefined || real.importMaterial === undefined) return;
  const refusal = refusalOfChange(key);
  expect(await outcomeOf(real.importMaterial(key.keyId, imported.secret, days))).toBe(refusal);
  if (refusal !== undefined) return;
  Object.assign(imported, { isPresent: true, validToDay: model.day + (days ?? Infinity) });
  if (key.state === 'PendingImport') key.state = 'Enabled';
});

const deleteImported = onKey('DeleteImportedKeyMaterial', nothing, async (key, real) => {
  const unfit = key.imported === undefined ? 'UnsupportedOperationException' : undefined;
  const refusal = key.state === 'Deleted' ? 'NotFoundException' : unfit;
  await foretold(real, 'DeleteImportedKeyMaterial', { KeyId: key.keyId }, refusal);
  if (refusal === undefined) loseMaterial(key);
});

function loseMaterial(key: ModelKey): void {
  if (key.imported !== undefined) key.imported.isPresent = false;
  if (key.state === 'Enabled' || key.state === 'Disabled') key.state = 'PendingImport';
}

const scheduleDeletion = onKey('ScheduleKeyDeletion', fc.integer({ min: 7, max: 30 }), async (key, real, days, model) => {
  const refusal = refusalOfChange(key);
  await foretold(real, 'ScheduleKeyDeletion', { KeyId: key.keyId, PendingWindowInDays: days }, refusal);
  if (refusal === undefined) Object.assign(key, { state: 'PendingDeletion', deletionDay: model.day + days });
});

const cancelDeletion = onKey('CancelKeyDeletion', nothing, async (key, real) => {
  const isPending = key.state === 'PendingDeletion';
  const refusal = key.state === 'Deleted' ? 'NotFoundException' : isPending ? undefined : 'KMSInvalidStateException';
  await foretold(real, 'CancelKeyDeletion', { KeyId: key.keyId }, refusal);
  if (isPending) key.state = key.imported?.isPresent === false ? 'PendingImport' : 'Disabled';
});

const passDays = command('days pass', fc.integer({ min: 1, max: 31 }), async (model, real, days) => {
  model.day += days;
  await real.passDays(days);
  for (const key of model.keys) {
    if (key.imported !== undefined && key.imported.validToDay <= model.day) loseMaterial(key);
    if (key.state === 'PendingDeletion' && key.deletionDay <= model.day) key.state = 'Deleted';
  }
  for (const [name, { state }] of model.aliases) if (state === 'Deleted') model.aliases.delete(name);
});

const createAlias = onKey('CreateAlias', aliasName, async (key, real, AliasName, model) => {
  const refusal = refusalOfChange(key) ?? (model.aliases.has(AliasName) ? 'AlreadyExistsException' : undefined);
  await foretold(real, 'CreateAlias', { AliasName, TargetKeyId: key.keyId }, refusal);
  if (refusal === undefined) model.aliases.set(AliasName, key);
});

const updateAlias = onKey('UpdateAlias', aliasName, async (key, real, AliasName, model) => {
  const former = model.aliases.get(AliasName);
  const unfit = former === undefined ? 'NotFoundException' : former.kind === key.kind ? undefined : 'ValidationException';
  const refusal = refusalOfChange(key) ?? unfit;
  await foretold(real, 'UpdateAlias', { AliasName, TargetKeyId: key.keyId }, refusal);
  if (refusal === undefined) model.aliases.set(AliasName, key);
});

const deleteAlias = command('DeleteAlias', aliasName, async (model, real, AliasName) => {
  await foretold(real, 'DeleteAlias', { AliasName }, model.aliases.has(AliasName) ? undefined : 'NotFoundException');
  model.aliases.delete(AliasName);
});

const tag = onKey(
  'TagResource',
  fc.tuple(tagKey, fc.string({ maxLength: 5 }).filter(isTagValue)),
  async (key, real, [TagKey, TagValue]) => {
    const refusal = refusalOfChange(key);
    await foretold(real, 'TagResource', { KeyId: key.keyId, Tags: [{ TagKey, TagValue }] }, refusal);
    if (refusal === undefined) key.tags.set(TagKey, TagValue);
  },
);

const untag = onKey('UntagResource', tagKey, async (key, real, TagKey) => {
  const refusal = refusalOfChange(key);
  await foretold(real, 'UntagResource', { KeyId: key.keyId, TagKeys: [TagKey] }, refusal);
  if (refusal === undefined) key.tags.delete(TagKey);
});

const describeKey = onKey('UpdateKeyDescription', fc.string({ maxLength: 20 }), async (key, real, Description) => {
  const refusal = refusalOfChange(key);
  await foretold(real, 'UpdateKeyDescription', { KeyId: key.keyId, Description }, refusal);
  if (refusal === undefined) key.description = Description;
});

const rotate = onKey('RotateKeyOnDemand', nothing, async (key, real) => {
  const unfit = key.kind === 'symmetric' ? undefined : 'UnsupportedOperationException';
  // There is no other material that an imported key could go over to.
  const refusal = refusalOfUse(key) ?? (key.imported === undefined ? unfit : 'KMSInvalidStateException');
  await foretold(real, 'RotateKeyOnDemand', { KeyId: key.keyId }, refusal);
  if (refusal === undefined) key.rotations += 1;
});

/** What a key of each kind is for: the request that makes something, and how that is taken back. */
const use = onKey('use', fc.record({ content: blob, context }), async (key, real, { content, context: EncryptionContext }) => {
  const KeyId = key.keyId;
  const refusal = refusalOfUse(key);
  if (key.kind === 'symmetric') {
    const reply = await foretold(real, 'Encrypt', { KeyId, Plaintext: content, EncryptionContext }, refusal);
    if (reply === undefined) return;
    const CiphertextBlob = Buffer.from(reply.CiphertextBlob as Uint8Array).toString('base64');
    key.made.push({ operation: 'Decrypt', input: { CiphertextBlob, EncryptionContext }, plaintext: content });
    return;
  }
  const signing = { KeyId, Message: content, SigningAlgorithm: 'ECDSA_SHA_256' };
  const coding = { KeyId, Message: content, MacAlgorithm: 'HMAC_SHA_256' };
  const isMac = key.kind === 'hmac';
  const reply = await foretold(real, isMac ? 'GenerateMac' : 'Sign', isMac ? coding : signing, refusal);
  if (reply === undefined) return;
  const proof = Buffer.from((isMac ? reply.Mac : reply.Signature) as Uint8Array).toString('base64');
  key.made.push(
    isMac ? { operation: 'VerifyMac', input: { ...coding, Mac: proof } } : { operation: 'Verify', input: { ...signing, Signature: proof } },
  );
});

const takeSomethingBack = onKey('take back', fc.nat(), async (key, real, index) => {
  const made = key.made[index % Math.max(1, key.made.length)];
  if (made !== undefined) await takeBack(real, key, made);
});

/** A history of at most `commandsMax` requests. */
export function histories(commandsMax: number): fc.Arbitrary<Iterable<Command>> {
  const states = [
    changeOfState('EnableKey', 'Enabled'),
    changeOfState('DisableKey', 'Disabled'),
    scheduleDeletion,
    cancelDeletion,
    passDays,
  ];
  const imports = [createKeyToImport, importMaterial, deleteImported];
  const troubles = [reopen, failedCreateKey, failedRotation];
  const names = [createAlias, updateAlias, deleteAlias, tag, untag, describeKey];
  return fc.commands(
    [createKey, createKey, ...states, ...imports, ...names, ...troubles, rotate, use, use, use, takeSomethingBack, takeSomethingBack],
    {
      maxCommands: commandsMax,
      size: 'max',
    },
  );
}

function isTagValue(text: string): boolean {
  return /^[\w .:/=+@-]*$/.test(text);
}

/** Everything that the service says of its keys is what the model believes, and everything that they made is taken back. */
export async function expectAgreement(model: KmsModel, real: KmsUnderTest): Promise<void> {
  const present = model.keys.filter(({ state }) => state !== 'Deleted');
  const { Keys } = await real.perform('ListKeys', { Limit: 1000 });
  expect((Keys as { KeyId: string }[]).map(({ KeyId }) => KeyId)).toEqual(present.map(({ keyId }) => keyId).toSorted());
  const { Aliases } = await real.perform('ListAliases', { Limit: 100 });
  const targets = (Aliases as { AliasName: string; TargetKeyId: string }[])
    .filter(({ AliasName }) => !AliasName.startsWith('alias/aws/'))
    .map(({ AliasName, TargetKeyId }) => [AliasName, TargetKeyId] as const);
  expect(new Map(targets)).toEqual(new Map([...model.aliases].map(([name, { keyId }]) => [name, keyId])));
  for (const key of model.keys) {
    await expectSameKey(key, real);
    for (const made of key.made) await takeBack(real, key, made);
  }
}

async function expectSameKey(key: ModelKey, real: KmsUnderTest): Promise<void> {
  const isGone = key.state === 'Deleted';
  const described = await foretold(real, 'DescribeKey', { KeyId: key.keyId }, isGone ? 'NotFoundException' : undefined);
  if (isGone) return;
  expect(described.KeyMetadata).toMatchObject({ KeyState: key.state, Description: key.description, Enabled: key.state === 'Enabled' });
  const { Tags } = await real.perform('ListResourceTags', { KeyId: key.keyId });
  const tags = (Tags as { TagKey: string; TagValue: string }[]).map(({ TagKey, TagValue }) => [TagKey, TagValue] as const);
  expect(new Map(tags)).toEqual(key.tags);
  const { Rotations } = await real.perform('ListKeyRotations', { KeyId: key.keyId });
  expect(Rotations).toHaveLength(key.rotations);
}

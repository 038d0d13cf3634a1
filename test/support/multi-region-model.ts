/**
 * What a caller believes of multi-Region keys after a history of requests in three Regions: where each family has its primary and its
 * replicas, their states, and that what one member made every other opens. Knows the rules of the API by heart and asks nobody.
 */
import * as fc from 'fast-check';
import { expect } from 'vitest';
import { intentLeaseMs } from '../../src/operations/intents.ts';
import { runSweeps } from '../../src/operations/sweeps/run-sweeps.ts';
import { StoreUnavailableError } from '../../src/store/store.ts';
import { base64 } from './kms-fixture.ts';
import { far, home, near } from './multi-region-fixture.ts';
import type { MultiRegionFixture } from './multi-region-fixture.ts';

type Region = string;

interface Member {
  state: 'Enabled' | 'Disabled' | 'PendingDeletion' | 'PendingReplicaDeletion';
  windowDays: number;
  deletionDay: number;
}

interface Family {
  readonly keyId: string;
  primary: Region;
  readonly members: Map<Region, Member>;
  rotations: number;
  /** Ciphertexts in base64. */
  readonly made: string[];
}

export class MultiRegionModel {
  readonly families: Family[] = [];
  day = 0;
}

type Command = fc.AsyncCommand<MultiRegionModel, MultiRegionFixture>;
/** The family, the Region where the request is made, and another one. */
type Act = (family: Family, region: Region, other: Region, real: MultiRegionFixture, model: MultiRegionModel) => Promise<void>;

const dayMs = 86_400_000;
const rotationsMax = 25;
const plaintext = base64('in every Region');
const anyRegion = fc.constantFrom(home, near, far);

function onFamily(name: string, act: Act): fc.Arbitrary<Command> {
  return fc.tuple(fc.nat(), anyRegion, anyRegion).map(([index, region, other]) => ({
    check: ({ families }) => families.length > 0,
    run: async (model, real) => {
      const family = model.families[index % model.families.length];
      if (family !== undefined) await act(family, region, other, real, model);
    },
    toString: () => `${name}(${index}, ${region}, ${other})`,
  }));
}

async function outcomeOf(act: Promise<unknown>): Promise<string | undefined> {
  return act.then(
    () => undefined,
    (error: unknown) => (error as { readonly code?: string }).code ?? String(error),
  );
}

/** Performs a request that must end as foretold. Resolves to whether it was granted. */
async function foretold(
  real: MultiRegionFixture,
  region: Region,
  operation: string,
  input: object,
  refusal: string | undefined,
): Promise<boolean> {
  expect([operation, await outcomeOf(real.perform(region, operation, input))]).toEqual([operation, refusal]);
  return refusal === undefined;
}

function refusalOfUse(family: Family, region: Region): string | undefined {
  const member = family.members.get(region);
  if (member === undefined) return 'NotFoundException';
  if (member.state === 'Disabled') return 'DisabledException';
  return member.state === 'Enabled' ? undefined : 'KMSInvalidStateException';
}

function refusalOfChange({ members }: Family, region: Region): string | undefined {
  const member = members.get(region);
  if (member === undefined) return 'NotFoundException';
  return member.state.startsWith('Pending') ? 'KMSInvalidStateException' : undefined;
}

function refusalUnlessPrimary(family: Family, region: Region): string | undefined {
  return refusalOfUse(family, region) ?? (region === family.primary ? undefined : 'UnsupportedOperationException');
}

const newMember = (): Member => ({ state: 'Enabled', windowDays: 0, deletionDay: 0 });

const createKey: fc.Arbitrary<Command> = anyRegion.map((region) => ({
  check: () => true,
  run: async ({ families }, { perform }) => {
    const { KeyMetadata } = await perform(region, 'CreateKey', { MultiRegion: true });
    families.push({ keyId: KeyMetadata.KeyId, primary: region, members: new Map([[region, newMember()]]), rotations: 0, made: [] });
  },
  toString: () => `CreateKey(${region})`,
}));

const replicate = onFamily('ReplicateKey', async (family, region, ReplicaRegion, real) => {
  const exists = family.members.has(ReplicaRegion) ? 'AlreadyExistsException' : undefined;
  const refusal = refusalUnlessPrimary(family, region) ?? exists;
  const isDone = await foretold(real, region, 'ReplicateKey', { KeyId: family.keyId, ReplicaRegion }, refusal);
  if (isDone) family.members.set(ReplicaRegion, newMember());
});

const rotate = onFamily('RotateKeyOnDemand', async (family, region, _other, real) => {
  const limit = family.rotations >= rotationsMax ? 'LimitExceededException' : undefined;
  const refusal = refusalUnlessPrimary(family, region) ?? limit;
  if (await foretold(real, region, 'RotateKeyOnDemand', { KeyId: family.keyId }, refusal)) family.rotations += 1;
});

const movePrimary = onFamily('UpdatePrimaryRegion', async (family, region, PrimaryRegion, real) => {
  const isThere = region === PrimaryRegion ? 'UnsupportedOperationException' : undefined;
  const refusal = refusalUnlessPrimary(family, region) ?? isThere ?? refusalOfUse(family, PrimaryRegion);
  const isDone = await foretold(real, region, 'UpdatePrimaryRegion', { KeyId: family.keyId, PrimaryRegion }, refusal);
  if (isDone) family.primary = PrimaryRegion;
});

const use = onFamily('Encrypt', async (family, region, _other, real) => {
  const { keyId: KeyId, made } = family;
  if (!(await foretold(real, region, 'Encrypt', { KeyId, Plaintext: plaintext }, refusalOfUse(family, region)))) return;
  made.push(base64((await real.perform(region, 'Encrypt', { KeyId, Plaintext: plaintext })).CiphertextBlob));
});

const open = onFamily('Decrypt', async (family, region, _other, real) => openAll(family, region, real));

async function openAll(family: Family, region: Region, real: MultiRegionFixture): Promise<void> {
  const refusal = family.members.has(region) ? refusalOfUse(family, region) : 'AccessDeniedException';
  for (const CiphertextBlob of family.made) {
    if (!(await foretold(real, region, 'Decrypt', { CiphertextBlob }, refusal))) continue;
    expect(base64((await real.perform(region, 'Decrypt', { CiphertextBlob })).Plaintext)).toBe(plaintext);
  }
}

const changeOfState = (operation: string, state: 'Enabled' | 'Disabled'): fc.Arbitrary<Command> =>
  onFamily(operation, async (family, region, _other, real) => {
    const isDone = await foretold(real, region, operation, { KeyId: family.keyId }, refusalOfChange(family, region));
    if (isDone) Object.assign(family.members.get(region) ?? {}, { state });
  });

const scheduleDeletion = onFamily('ScheduleKeyDeletion', async (family, region, _other, real, { day }) => {
  const windowDays = 7 + (family.made.length % 3);
  const input = { KeyId: family.keyId, PendingWindowInDays: windowDays };
  if (!(await foretold(real, region, 'ScheduleKeyDeletion', input, refusalOfChange(family, region)))) return;
  const waits = region === family.primary && family.members.size > 1;
  const state = waits ? 'PendingReplicaDeletion' : 'PendingDeletion';
  family.members.set(region, { state, windowDays, deletionDay: waits ? Infinity : day + windowDays });
});

const cancelDeletion = onFamily('CancelKeyDeletion', async (family, region, _other, real) => {
  const member = family.members.get(region);
  const refusal = member?.state.startsWith('Pending') === false ? 'KMSInvalidStateException' : undefined;
  const isDone = await foretold(
    real,
    region,
    'CancelKeyDeletion',
    { KeyId: family.keyId },
    member === undefined ? 'NotFoundException' : refusal,
  );
  if (isDone) family.members.set(region, { ...newMember(), state: 'Disabled' });
});

/** A commit of the next making of materials fails; whatever it left behind is settled by the sweeps. */
const failures = fc.record({ afterCommits: fc.nat({ max: 4 }), tookEffect: fc.boolean() });

const failedMaking = fc.tuple(failures, onFamily('fails', failing)).map(([failure, command]) => ({
  check: (model: Readonly<MultiRegionModel>) => command.check(model),
  run: async (model: MultiRegionModel, real: MultiRegionFixture) => {
    real.store.failCommit(new StoreUnavailableError('on order', { mayHaveApplied: failure.tookEffect }), failure);
    await command.run(model, real);
  },
  toString: () => `${fc.stringify(failure)} ${command.toString()}`,
}));

async function failing(family: Family, region: Region, ReplicaRegion: Region, real: MultiRegionFixture): Promise<void> {
  const { keyId: KeyId, members } = family;
  const isNew = !members.has(ReplicaRegion);
  await outcomeOf(
    isNew ? real.perform(region, 'ReplicateKey', { KeyId, ReplicaRegion }) : real.perform(region, 'RotateKeyOnDemand', { KeyId }),
  );
  // A failure that the request did not come to is not to meet another one.
  for (let left = 0; left < 5; left += 1) await outcomeOf(real.store.commit([]));
  await passTime(real, intentLeaseMs + 1);
  if (isNew && real.store.keysById(KeyId).some((key) => key.region === ReplicaRegion)) members.set(ReplicaRegion, newMember());
  const [known] = real.store.keysById(KeyId);
  if (known !== undefined) family.rotations = known.materials.length - 1;
}

async function passTime({ clock, parts }: MultiRegionFixture, ms: number): Promise<void> {
  clock.advance(ms);
  await runSweeps(parts, { wallMs: ms, runningMs: ms });
  await runSweeps(parts, { wallMs: 0, runningMs: 0 });
}

export async function passDays(model: MultiRegionModel, real: MultiRegionFixture, days: number): Promise<void> {
  model.day += days;
  await passTime(real, days * dayMs);
  for (const { members, primary } of model.families) {
    for (const [region, { deletionDay, state }] of members)
      if (state === 'PendingDeletion' && deletionDay <= model.day) members.delete(region);
    const left = members.get(primary);
    if (left?.state === 'PendingReplicaDeletion' && members.size === 1) {
      Object.assign(left, { state: 'PendingDeletion', deletionDay: model.day + left.windowDays });
    }
  }
}

const days: fc.Arbitrary<Command> = fc.integer({ min: 1, max: 9 }).map((count) => ({
  check: () => true,
  run: (model, real) => passDays(model, real, count),
  toString: () => `${count} days`,
}));

/** A history of at most `commandsMax` requests. */
export function multiRegionHistories(commandsMax: number): fc.Arbitrary<Iterable<Command>> {
  const states = [changeOfState('EnableKey', 'Enabled'), changeOfState('DisableKey', 'Disabled'), scheduleDeletion, cancelDeletion, days];
  const families = [createKey, replicate, replicate, replicate, replicate, rotate, rotate, movePrimary, movePrimary, failedMaking];
  return fc.commands([...families, ...states, use, use, open], { maxCommands: commandsMax, size: 'max' });
}

/** What the service says of every family, in every Region, is what the model believes. */
export async function expectFamilies({ families }: MultiRegionModel, real: MultiRegionFixture): Promise<void> {
  for (const family of families) {
    const { keyId: KeyId, members, primary } = family;
    for (const region of [home, near, far]) {
      const member = members.get(region);
      await openAll(family, region, real);
      if (member === undefined) {
        await foretold(real, region, 'DescribeKey', { KeyId }, 'NotFoundException');
        continue;
      }
      const { KeyState, MultiRegionConfiguration: shown } = await real.describe(region, KeyId);
      expect([KeyState, shown.MultiRegionKeyType]).toEqual([member.state, region === primary ? 'PRIMARY' : 'REPLICA']);
      const shownRegions = [shown.PrimaryKey, ...shown.ReplicaKeys].map(({ Region: name }: { Region: Region }) => name);
      expect([shownRegions.length, new Set(shownRegions)]).toEqual([members.size, new Set(members.keys())]);
      const { Rotations } = await real.perform(region, 'ListKeyRotations', { KeyId });
      expect(Rotations).toHaveLength(family.rotations);
    }
  }
}

/**
 * Random histories of multi-Region keys against a plain model. After each, every Region says what the model believes, the key stores hold
 * what the records name and nothing else, and nothing at all once every key is deleted.
 */
import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import { toHex } from '../../src/bytes.ts';
import { pinnedStores, openMultiRegionFixture } from '../support/multi-region-fixture.ts';
import { expectFamilies, multiRegionHistories, MultiRegionModel, passDays } from '../support/multi-region-model.ts';
import { propertyRuns } from '../support/property-runs.ts';
import { TransportingFakeKeyStore } from '../support/transporting-fake-key-store.ts';
import type { KeyStore } from '../../src/keystore/keystore.ts';
import type { MultiRegionFixture } from '../support/multi-region-fixture.ts';

const waitingDaysMax = 30;
const commandsMax = 40;

async function expectNothingElse({ store, keyStores }: MultiRegionFixture): Promise<void> {
  const materials = [...store.allKeys()].flatMap((key) => key.materials);
  for (const keyStore of keyStores) {
    const held = (await keyStore.listObjectIds()).map(toHex);
    const named = materials.filter(({ keyStore: name, residency }) => name === keyStore.name && residency === 'token');
    expect(held.toSorted()).toEqual(named.map(({ reference }) => toHex(reference)).toSorted());
  }
}

/** Replicas first: the waiting period of a primary begins when they are gone. */
async function deleteAll(model: MultiRegionModel, real: MultiRegionFixture): Promise<void> {
  for (const { keyId: KeyId, members } of model.families) {
    for (const [region, { state }] of members)
      if (!state.startsWith('Pending')) await real.perform(region, 'ScheduleKeyDeletion', { KeyId });
  }
  for (let round = 0; round < 2; round += 1) await passDays(model, real, waitingDaysMax);
  expect([[...real.store.allKeys()], real.store.intents()]).toEqual([[], []]);
  await expectNothingElse(real);
}

it.each([
  ['token objects', async (): Promise<readonly KeyStore[]> => ['eu', 'us'].map((name) => new TransportingFakeKeyStore(name))],
  ['two software stores', (): Promise<readonly KeyStore[]> => pinnedStores(['eu', 'us'])],
] as const)('histories over %s leave what a plain model believes', { timeout: 600_000 }, async (_name, open) => {
  await fc.assert(
    fc.asyncProperty(multiRegionHistories(commandsMax), async (commands) => {
      const real = await openMultiRegionFixture({ keyStores: await open() });
      const model = new MultiRegionModel();
      await fc.asyncModelRun(() => ({ model, real }), commands);
      await expectFamilies(model, real);
      await expectNothingElse(real);
      await deleteAll(model, real);
      for (const keyStore of real.keyStores) await keyStore.close();
    }),
    propertyRuns({ quick: 60, full: 1_000 }),
  );
});

/**
 * Random histories of requests against a plain model, over every kind of key store. After each, the service says what the model
 * believes, store and token hold the same keys, and once all keys are deleted the token holds none of them.
 */
import * as fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openKms, type Kms } from '../../src/kms.ts';
import { comparePresence } from '../../src/operations/sweeps/presence.ts';
import { runSweeps } from '../../src/operations/sweeps/run-sweeps.ts';
import { toHex } from '../../src/bytes.ts';
import { StoreUnavailableError } from '../../src/store/store.ts';
import type { KeyStore } from '../../src/keystore/keystore.ts';
import { checkedKms } from '../support/checked-kms.ts';
import { keyStoreSubjects, type OpenSubject } from '../support/key-store-subjects.ts';
import { wrapMaterial } from '../support/customer-material.ts';
import { base64, callerOf, MovedClock, partsOver } from '../support/kms-fixture.ts';
import { expectAgreement, histories, KmsModel, type KmsUnderTest } from '../support/kms-model.ts';
import { MemoryStore } from '../support/memory-store.ts';
import { propertyRuns } from '../support/property-runs.ts';

const dayMs = 86_400_000;
const waitingDaysMax = 30;
const subjects = keyStoreSubjects.filter(
  ({ name }) => name === 'software' || /^fake token, (resident|wrapped), derived$/.test(name) || /^SoftHSM, .*, derived$/.test(name),
);

interface Service extends KmsUnderTest {
  /** What store and token do not agree on, in words. */
  differences(): Promise<readonly string[]>;
  close(): Promise<void>;
}

/** A service of its own over a place that was used before. `close` leaves the place. */
async function openService(place: OpenSubject): Promise<Service> {
  const [store, clock] = [new MemoryStore(), new MovedClock()];
  let keyStore = await place.openStore();
  // The service keeps the key store that it was given; what stands behind it is opened anew.
  const current = new Proxy(keyStore, { get: (_first, member) => memberOf(keyStore, member) });
  const parts = partsOver(store, current, clock);
  const kms = checkedKms(openKms(parts));
  const foreign = new Set((await keyStore.listObjectIds()).map(toHex));
  return {
    perform: (operation, input) => kms.perform(operation, input, callerOf()),
    importMaterial: keyStore.importMaterial && ((keyId, secret, days) => importInto(kms, clock, keyId, secret, days)),
    passDays: async (days) => {
      clock.advance(days * dayMs);
      await runSweeps(parts, { wallMs: days * dayMs, runningMs: days * dayMs });
    },
    reopenKeyStore: async () => {
      await keyStore.close();
      keyStore = await place.openStore();
    },
    failCommit: ({ isUndecided, ...when }) =>
      store.failCommit(new StoreUnavailableError('on order', { mayHaveApplied: isUndecided }), when),
    differences: async () => {
      const { missing, unknownObjectIds } = await comparePresence(keyStore, parts);
      const unknown = unknownObjectIds.filter((id) => !foreign.has(id));
      return [...missing.map(({ keyArn }) => `missing: ${keyArn}`), ...unknown.map((id) => `unknown: ${id}`)];
    },
    close: async () => {
      await keyStore.close();
      await store.close();
    },
  };
}

function memberOf(keyStore: KeyStore, member: string | symbol): unknown {
  const value: unknown = Reflect.get(keyStore, member, keyStore);
  return typeof value === 'function' ? value.bind(keyStore) : value;
}

async function importInto(kms: Kms, clock: MovedClock, KeyId: string, secret: Uint8Array, days: number | undefined): Promise<void> {
  // oxlint-disable-next-line typescript/no-explicit-any
  const perform = (operation: string, input: object): Promise<any> => kms.perform(operation, { KeyId, ...input }, callerOf());
  const spec = { WrappingAlgorithm: 'RSAES_OAEP_SHA_256', WrappingKeySpec: 'RSA_2048' };
  const { ImportToken, PublicKey } = await perform('GetParametersForImport', spec);
  const terms =
    days === undefined
      ? { ExpirationModel: 'KEY_MATERIAL_DOES_NOT_EXPIRE' }
      : { ExpirationModel: 'KEY_MATERIAL_EXPIRES', ValidTo: clock.nowMs() / 1000 + (days * dayMs) / 1000 };
  const EncryptedKeyMaterial = base64(wrapMaterial(PublicKey as Uint8Array, spec.WrappingAlgorithm, secret));
  await perform('ImportKeyMaterial', { ImportToken: base64(ImportToken as Uint8Array), EncryptedKeyMaterial, ...terms });
}

/** Deletes every key, and expects nothing of them to be left. */
async function deleteAll(model: KmsModel, service: Service): Promise<void> {
  for (const { keyId, state } of model.keys) {
    if (state !== 'Deleted' && state !== 'PendingDeletion') await service.perform('ScheduleKeyDeletion', { KeyId: keyId });
  }
  await service.passDays(waitingDaysMax);
  expect((await service.perform('ListKeys', {})).Keys).toEqual([]);
  expect(await service.differences()).toEqual([]);
}

describe.each(subjects)('histories over $name', (subject) => {
  let place: OpenSubject;

  beforeAll(async () => {
    if (subject.available()) place = await subject.open();
  });
  afterAll(async () => {
    if (subject.available()) await place.close();
  });

  it.skipIf(!subject.available())('leave what a plain model believes', { timeout: 600_000 }, async () => {
    const runs = propertyRuns(subject.real ? { quick: 5, full: 30 } : { quick: 25, full: 150 });
    await fc.assert(
      fc.asyncProperty(histories(40), async (commands) => {
        const service = await openService(place);
        const model = new KmsModel();
        try {
          await fc.asyncModelRun(() => ({ model, real: service }), commands);
          await expectAgreement(model, service);
          expect(await service.differences()).toEqual([]);
        } finally {
          await deleteAll(model, service);
          await service.close();
        }
      }),
      runs,
    );
  });
});

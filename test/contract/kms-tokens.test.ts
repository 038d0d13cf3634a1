/** The service contract over tokens: each way in which a key store keeps and uses its materials there. */
import { afterAll } from 'vitest';
import { openKms } from '../../src/kms.ts';
import { keyStoreSubjects } from '../support/key-store-subjects.ts';
import { MovedClock, partsOver } from '../support/kms-fixture.ts';
import { MemoryStore } from '../support/memory-store.ts';
import { kmsContract } from './kms-contract.ts';
import type { OpenSubject } from '../support/key-store-subjects.ts';
import type { KmsPlace } from './kms-contract.ts';

for (const subject of keyStoreSubjects.filter((candidate) => candidate.real && candidate.available())) {
  // One token for all tests of a subject: each begins with a store that knows none of its objects.
  let opened: Promise<OpenSubject> | undefined;
  afterAll(async () => (await opened)?.close());

  kmsContract(`KMS over ${subject.name}`, async (): Promise<KmsPlace> => {
    opened ??= subject.open();
    const keyStore = await (await opened).openStore();
    return { kms: openKms(partsOver(new MemoryStore(), keyStore, new MovedClock())), remove: () => keyStore.close() };
  });
}

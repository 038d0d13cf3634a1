/** The service contract, over fakes in memory and over what a machine without a token has: SQLite and the software key store. */
import { randomBytes } from 'node:crypto';
import { systemClock } from '../../src/clock.ts';
import { openKms } from '../../src/kms.ts';
import { openSoftwareKeyStore } from '../../src/keystore/software/key-store.ts';
import { silentLog } from '../../src/log.ts';
import { SecretBytes } from '../../src/secret-bytes.ts';
import { openFixture, partsOver } from '../support/kms-fixture.ts';
import { newSqlitePlace } from '../support/sqlite-place.ts';
import { kmsContract } from './kms-contract.ts';

kmsContract('KMS over fakes', async () => ({ kms: openFixture().kms, remove: async () => {} }));

kmsContract('KMS over SQLite and the software key store', async () => {
  const place = await newSqlitePlace();
  const store = await place.open();
  const leases = { lease: async (materialId: string, count: number): Promise<number> => store.leaseUses(materialId, count) };
  const rootKey = new SecretBytes(new Uint8Array(randomBytes(32)));
  const keyStore = openSoftwareKeyStore({ name: 'software' }, { clock: systemClock, log: silentLog, leases, rootKey });
  return {
    kms: openKms(partsOver(store, keyStore, systemClock)),
    remove: async () => {
      await keyStore.close();
      await store.close();
      await place.remove();
    },
  };
});

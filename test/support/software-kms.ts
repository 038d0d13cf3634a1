/** A service over SQLite in a temporary folder and the software key store, with a root key of its own. */
import { randomBytes } from 'node:crypto';
import { systemClock } from '../../src/clock.ts';
import { openKms } from '../../src/kms.ts';
import type { Kms, ServiceParts } from '../../src/kms.ts';
import { openSoftwareKeyStore } from '../../src/keystore/software/key-store.ts';
import { silentLog } from '../../src/log.ts';
import { SecretBytes } from '../../src/secret-bytes.ts';
import { partsOver } from './kms-fixture.ts';
import { newSqlitePlace } from './sqlite-place.ts';

/** `changes` replace parts of the service; `regions` are served. */
export async function openSoftwareKms(
  changes: Partial<ServiceParts> = {},
  regions?: readonly string[],
): Promise<{ readonly kms: Kms; remove(): Promise<void> }> {
  const place = await newSqlitePlace();
  const store = await place.open();
  const leases = { lease: async (materialId: string, count: number): Promise<number> => store.leaseUses(materialId, count) };
  const rootKey = new SecretBytes(new Uint8Array(randomBytes(32)));
  const keyStore = openSoftwareKeyStore({ name: 'software' }, { clock: systemClock, log: silentLog, leases, rootKey });
  return {
    kms: openKms({ ...partsOver(store, keyStore, systemClock, regions), ...changes }),
    remove: async () => {
      await keyStore.close();
      await store.close();
      await place.remove();
    },
  };
}

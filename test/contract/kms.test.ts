/** The service contract, over fakes in memory and over what a machine without a token has: SQLite and the software key store. */
import { openFixture } from '../support/kms-fixture.ts';
import { openSoftwareKms } from '../support/software-kms.ts';
import { kmsContract } from './kms-contract.ts';

kmsContract('KMS over fakes', async () => ({ kms: openFixture().kms, remove: async () => {} }));

kmsContract('KMS over SQLite and the software key store', openSoftwareKms);

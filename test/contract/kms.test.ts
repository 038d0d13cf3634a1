/** The service contract over a store and a key store in memory. */
import { openFixture } from '../support/kms-fixture.ts';
import { kmsContract } from './kms-contract.ts';

kmsContract('KMS over fakes', async () => ({ kms: openFixture().kms, remove: async () => {} }));

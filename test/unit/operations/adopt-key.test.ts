import { randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { systemClock } from '../../../src/clock.ts';
import type { AdoptionRequest, KeyStore } from '../../../src/keystore/keystore.ts';
import { adoptKey } from '../../../src/operations/adopt-key.ts';
import type { KeyAdoption } from '../../../src/operations/adopt-key.ts';
import type { Change } from '../../../src/store/store.ts';
import { MemoryStore } from '../../support/memory-store.ts';

const scope = { partition: 'aws', account: '111122223333', region: 'eu-central-1' };
const reference = Uint8Array.of(7);
const adoption: KeyAdoption = {
  scope,
  label: 'payments',
  custody: 'full',
  description: 'found',
  aliasName: 'alias/payments',
  dryRun: false,
};
const sharing = new Set(['hsm', 'twin']);

/** A store that writes down every change, and a key store that adopts whatever it is asked for. */
function stage(name = 'hsm') {
  const store = new MemoryStore();
  const committed: Change['kind'][] = [];
  const asked: AdoptionRequest[] = [];
  const commit = store.commit.bind(store);
  store.commit = (changes) => {
    committed.push(...changes.map(({ kind }) => kind));
    return commit(changes);
  };
  const keyStore: Partial<KeyStore> = {
    name,
    adoptMaterial: async (request) => {
      asked.push(request);
      const place = { keyStore: name, protection: 'HSM', residency: 'token', custody: 'full', adopted: true } as const;
      const ids = { materialId: randomBytes(32).toString('hex'), reference, fingerprint: randomBytes(48) };
      return { keySpec: 'HMAC_256', keyUsage: 'GENERATE_VERIFY_MAC', weaknesses: [], material: { ...place, ...ids, createdAtMs: 1 } };
    },
  };
  return { store, committed, asked, keyStore: keyStore as KeyStore };
}

type Stage = ReturnType<typeof stage>;

function adopt({ store, keyStore }: Pick<Stage, 'store' | 'keyStore'>, changes: Partial<KeyAdoption> = {}) {
  return adoptKey({ ...adoption, ...changes }, keyStore, sharing, { store, clock: systemClock, randomBytes });
}

describe('the adoption of a key', () => {
  it('makes key and alias in one commit, and never an intent that names the object', async () => {
    const scene = stage();
    const { record } = await adopt(scene);
    expect(scene.committed).toEqual(['put-key', 'put-alias']);
    expect(scene.store.key(scope, record.keyId)).toMatchObject({
      origin: 'AWS_KMS',
      state: 'Enabled',
      keySpec: 'HMAC_256',
      description: 'found',
    });
    expect(scene.store.alias(scope, 'alias/payments')?.targetKeyId).toBe(record.keyId);
  });

  it('binds the material to the id that the key then has', async () => {
    const scene = stage();
    const { record } = await adopt(scene);
    expect(scene.asked).toEqual([{ key: { ...scope, keyId: record.keyId }, label: 'payments', custody: 'full' }]);
  });

  it('records nothing in a dry run', async () => {
    const scene = stage();
    await adopt(scene, { dryRun: true });
    expect(scene.committed).toEqual([]);
  });

  it('refuses an object that a key of any key store on the token has, and takes one of the same id on another token', async () => {
    const scene = stage();
    const { record } = await adopt(scene);
    const twin = { ...stage('twin'), store: scene.store };
    await expect(adopt(twin, { aliasName: 'alias/other' })).rejects.toThrow(
      `is the material of arn:aws:kms:eu-central-1:111122223333:key/${record.keyId}`,
    );
    const elsewhere = adoptKey({ ...adoption, aliasName: 'alias/other' }, stage('far').keyStore, new Set(['far']), {
      store: scene.store,
      clock: systemClock,
      randomBytes,
    });
    await expect(elsewhere).resolves.toBeDefined();
  });

  it('refuses an object that an intent names', async () => {
    const scene = stage();
    const record = {
      intentId: '0'.repeat(32),
      kind: 'destroy-material',
      keyStore: 'hsm',
      scope,
      keyId: 'gone',
      objectId: reference,
    } as const;
    await scene.store.commit([{ kind: 'put-intent', record: { ...record, owner: 'other', fence: 1, leaseUntilMs: 1 } }]);
    await expect(adopt(scene)).rejects.toThrow('is being made or destroyed');
  });

  it.each([
    ['alias/aws/mine', 'reserved'],
    ['mine', 'must start with the prefix'],
    ['alias/taken', 'already exists'],
  ])('refuses the alias %s before it asks the token', async (aliasName, reason) => {
    const scene = stage();
    const times = { createdAtMs: 1, updatedAtMs: 1, version: 1 };
    await scene.store.commit([
      { kind: 'put-alias', record: { ...scope, aliasName: 'alias/taken', targetKeyId: 'x', ...times }, replacesVersion: 0 },
    ]);
    await expect(adopt(scene, { aliasName })).rejects.toThrow(reason);
    expect(scene.asked).toEqual([]);
  });

  it('is refused by a key store without a token', async () => {
    const { store } = stage();
    await expect(adopt({ store, keyStore: { name: 'software' } as KeyStore })).rejects.toThrow('is not in a token');
  });
});

/** Seeds: keys with ids and material of the user's choice, made once and never again. */
import { createHmac, generateKeyPairSync, randomBytes, verify } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { openKms } from '../../../../src/kms.ts';
import { openSoftwareKeyStore } from '../../../../src/keystore/software/key-store.ts';
import { silentLog } from '../../../../src/log.ts';
import { applySeeds, SeedError } from '../../../../src/operations/seeding/apply-seeds.ts';
import { SecretBytes } from '../../../../src/secret-bytes.ts';
import { base64, callerOf, MovedClock, partsOver } from '../../../support/kms-fixture.ts';
import { MemoryStore } from '../../../support/memory-store.ts';
import { keyIdOf, scopeA } from '../../../support/store-records.ts';
import type { KeyStore } from '../../../../src/keystore/keystore.ts';
import type { ServiceParts } from '../../../../src/operations/operation.ts';
import type { KeySeed } from '../../../../src/operations/seeding/apply-seeds.ts';

let store: MemoryStore;
let keyStore: KeyStore;
let parts: ServiceParts;

beforeEach(() => {
  store = new MemoryStore();
  const clock = new MovedClock();
  const leases = { lease: async (materialId: string, count: number): Promise<number> => store.leaseUses(materialId, count) };
  keyStore = openSoftwareKeyStore({ name: 'software' }, { clock, log: silentLog, leases, rootKey: new SecretBytes(randomBytes(32)) });
  parts = partsOver(store, keyStore, clock);
});
afterEach(async () => keyStore.close());

function seedOf(changes: Partial<KeySeed> = {}): KeySeed {
  return {
    ...scopeA,
    keyId: keyIdOf(1),
    createKey: { KeySpec: 'SYMMETRIC_DEFAULT', Description: 'seeded', Tags: [{ TagKey: 'a', TagValue: 'b' }] },
    aliases: ['alias/seeded'],
    enabled: true,
    rotationPeriodDays: undefined,
    material: undefined,
    place: 'seeds.yaml:2',
    ...changes,
  };
}

// oxlint-disable-next-line typescript/no-explicit-any
const perform = async (operation: string, input: object): Promise<any> => openKms(parts).perform(operation, input, callerOf());
const secret = (bytes: Uint8Array): SecretBytes => new SecretBytes(Uint8Array.from(bytes));

describe('seeds', () => {
  test('make a key that is used by its id and alias, and nothing at the next start', async () => {
    expect(await applySeeds([seedOf({ rotationPeriodDays: 90 })], parts)).toEqual({ made: 1, known: 0 });
    const { KeyMetadata } = await perform('DescribeKey', { KeyId: 'alias/seeded' });
    expect(KeyMetadata).toMatchObject({ KeyId: keyIdOf(1), Description: 'seeded', KeyState: 'Enabled', Origin: 'AWS_KMS' });
    expect(await perform('GetKeyRotationStatus', { KeyId: keyIdOf(1) })).toMatchObject({ RotationPeriodInDays: 90 });
    expect(await applySeeds([seedOf()], parts)).toEqual({ made: 0, known: 1 });
    expect(store.intents()).toEqual([]);
  });

  test('leave alone what was changed since, and do not bring back a key that was deleted', async () => {
    await applySeeds([seedOf()], parts);
    await perform('UpdateKeyDescription', { KeyId: keyIdOf(1), Description: 'changed' });
    await perform('DeleteAlias', { AliasName: 'alias/seeded' });
    await applySeeds([seedOf()], parts);
    expect(store.key(scopeA, keyIdOf(1))?.description).toBe('changed');
    expect(store.alias(scopeA, 'alias/seeded')).toBeUndefined();
    await store.commit([{ kind: 'delete-key', record: store.key(scopeA, keyIdOf(1))! }]);
    expect(await applySeeds([seedOf()], parts)).toEqual({ made: 0, known: 1 });
  });

  test('give fixed material to keys, which then say EXTERNAL', async () => {
    const macKey = randomBytes(32);
    const pair = generateKeyPairSync('ec', { namedCurve: 'prime256v1' });
    const pem = Buffer.from(pair.privateKey.export({ type: 'pkcs8', format: 'pem' }));
    const mac = seedOf({
      createKey: { KeySpec: 'HMAC_256', KeyUsage: 'GENERATE_VERIFY_MAC', Origin: 'EXTERNAL', Description: '', Tags: [] },
      material: secret(macKey),
    });
    const signing = seedOf({
      keyId: keyIdOf(2),
      createKey: { KeySpec: 'ECC_NIST_P256', KeyUsage: 'SIGN_VERIFY', Origin: 'EXTERNAL', Description: '', Tags: [] },
      aliases: [],
      material: secret(pem),
    });
    await applySeeds([mac, signing], parts);
    const { Mac } = await perform('GenerateMac', { KeyId: 'alias/seeded', Message: base64('m'), MacAlgorithm: 'HMAC_SHA_256' });
    expect(Buffer.from(Mac)).toEqual(createHmac('sha256', macKey).update('m').digest());
    const { Signature } = await perform('Sign', { KeyId: keyIdOf(2), Message: base64('m'), SigningAlgorithm: 'ECDSA_SHA_256' });
    expect(verify('sha256', Buffer.from('m'), pair.publicKey, Signature)).toBe(true);
    expect((await perform('DescribeKey', { KeyId: keyIdOf(2) })).KeyMetadata).toMatchObject({ Origin: 'EXTERNAL', KeyState: 'Enabled' });
    expect(store.intents()).toEqual([]);
    expect(mac.material?.expose((bytes) => bytes.every((byte) => byte === 0))).toBe(true);
  });

  test('are many at once', async () => {
    const seeds = Array.from({ length: 200 }, (_unused, number) => seedOf({ keyId: keyIdOf(number), aliases: [`alias/n${number}`] }));
    expect(await applySeeds(seeds, parts)).toEqual({ made: 200, known: 0 });
    expect(store.countKeys(scopeA)).toBe(200);
  });

  test.each<[string, Partial<KeySeed>, string]>([
    ['a spec that there is not', { createKey: { KeySpec: 'RSA_1024', Description: '', Tags: [] } }, 'RSA_1024'],
    [
      'a usage that does not fit',
      { createKey: { KeySpec: 'HMAC_256', KeyUsage: 'SIGN_VERIFY', Description: '', Tags: [] } },
      'not compatible',
    ],
    ['a reserved alias', { aliases: ['alias/aws/s3'] }, 'reserved'],
    ['a Region that is not served', { region: 'ap-south-1' }, 'ap-south-1'],
    ['a policy that is none', { createKey: { KeySpec: 'SYMMETRIC_DEFAULT', Policy: '[]', Description: '', Tags: [] } }, 'policy'],
    [
      'rotation of a key that does not rotate',
      { createKey: { KeySpec: 'HMAC_256', KeyUsage: 'GENERATE_VERIFY_MAC', Description: '', Tags: [] }, rotationPeriodDays: 90 },
      'rotate',
    ],
  ])('with %s are refused with their place, and nothing is made', async (_what, changes, complaint) => {
    const seeds = [seedOf({ keyId: keyIdOf(7), aliases: [] }), seedOf(changes)];
    const refused = await applySeeds(seeds, parts).catch((error: unknown) => error);
    expect(refused).toBeInstanceOf(SeedError);
    expect((refused as Error).message).toContain(complaint);
    expect((refused as Error).message).toContain('seeds.yaml:2');
    expect([...store.allKeys(), ...store.intents()]).toEqual([]);
  });

  test('do not take an id or an alias that somebody has', async () => {
    const { KeyMetadata } = await perform('CreateKey', {});
    await perform('CreateAlias', { AliasName: 'alias/seeded', TargetKeyId: KeyMetadata.KeyId });
    await expect(applySeeds([seedOf()], parts)).rejects.toThrow(`belongs to ${KeyMetadata.KeyId}`);
    await expect(applySeeds([seedOf({ keyId: KeyMetadata.KeyId, aliases: [] })], parts)).rejects.toThrow('give the seed another id');
  });

  test('with material that is no key of the spec leave no pair and no key', async () => {
    const seed = seedOf({
      createKey: { KeySpec: 'SYMMETRIC_DEFAULT', Origin: 'EXTERNAL', Description: '', Tags: [] },
      material: secret(randomBytes(31)),
    });
    await expect(applySeeds([seed], parts)).rejects.toBeInstanceOf(SeedError);
    expect([...store.allKeys(), ...store.intents()]).toEqual([]);
  });
});

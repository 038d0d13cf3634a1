import { describe, expect, it } from 'vitest';
import type { KeyRecord, MaterialRecord } from '../../../../src/keys/key-record.ts';
import { openSoftwareKeyStore } from '../../../../src/keystore/software/key-store.ts';
import { proveRootKey } from '../../../../src/keystore/software/root-key-proof.ts';
import { SecretBytes } from '../../../../src/secret-bytes.ts';
import { testParts } from '../../../support/key-store-parts.ts';
import { keyOf } from '../../../support/store-records.ts';

const rootKey = (fill: number): SecretBytes => new SecretBytes(new Uint8Array(32).fill(fill));

/** A key of the store `software`, sealed under `rootKey(fill)`. */
async function sealedKey(number: number, fill: number, kind: Pick<KeyRecord, 'keySpec' | 'keyUsage'>): Promise<KeyRecord> {
  const store = openSoftwareKeyStore({ name: 'software' }, { ...testParts(), rootKey: rootKey(fill) });
  const key = keyOf(number, kind);
  const material = await store.createMaterial({ key, ...kind, objectId: new Uint8Array(16) });
  await store.close();
  return { ...key, materials: [material] };
}

const symmetric = { keySpec: 'SYMMETRIC_DEFAULT', keyUsage: 'ENCRYPT_DECRYPT' } as const;
const pair = { keySpec: 'ECC_NIST_P256', keyUsage: 'SIGN_VERIFY' } as const;
const mac = { keySpec: 'HMAC_256', keyUsage: 'GENERATE_VERIFY_MAC' } as const;
const changed = (key: KeyRecord, change: Partial<MaterialRecord>): KeyRecord => ({
  ...key,
  materials: key.materials.map((material) => ({ ...material, ...change })),
});

describe('the proof of a root key', () => {
  it('opens keys of every kind, and counts their materials', async () => {
    const keys = await Promise.all([symmetric, pair, mac].map((kind, number) => sealedKey(number + 1, 1, kind)));
    expect(proveRootKey(rootKey(1), keys, 'software')).toBe(3);
  });

  it('fails at one key that another root key sealed', async () => {
    const keys = [await sealedKey(1, 1, symmetric), await sealedKey(2, 2, pair)];
    expect(() => proveRootKey(rootKey(1), keys, 'software')).toThrow('the root key is another one');
  });

  it('leaves out what is in other key stores, and what was imported and deleted', async () => {
    const key = await sealedKey(1, 2, symmetric);
    expect(proveRootKey(rootKey(1), [changed(key, { keyStore: 'hsm' })], 'software')).toBe(0);
    const deleted = { state: 'PENDING_IMPORT' } as NonNullable<MaterialRecord['import']>;
    expect(proveRootKey(rootKey(1), [changed(key, { import: deleted })], 'software')).toBe(0);
  });
});

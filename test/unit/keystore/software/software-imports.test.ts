/** Wrapping keys of the software store: sealed, for nothing but unwrapping, under the root key that made them. */
import { randomBytes } from 'node:crypto';
import { afterAll, describe, expect, it } from 'vitest';
import { openSoftwareKeyStore } from '../../../../src/keystore/software/key-store.ts';
import type { ImportedMaterial, ImportRequest, KeyStore, MaterialImports } from '../../../../src/keystore/keystore.ts';
import { SecretBytes } from '../../../../src/secret-bytes.ts';
import { wrapMaterial } from '../../../support/customer-material.ts';
import { kindOf, newKey, testParts } from '../../../support/key-store-parts.ts';

const stores: KeyStore[] = [];

function openStore(rootKey: Uint8Array): KeyStore & MaterialImports {
  const store = openSoftwareKeyStore({ name: 'software' }, { ...testParts(), rootKey: new SecretBytes(Uint8Array.from(rootKey)) });
  stores.push(store);
  return store as KeyStore & MaterialImports;
}

const objectId = randomBytes(16);
const hmacSpec = { keySpec: 'HMAC_256', keyUsage: 'GENERATE_VERIFY_MAC' } as const;

async function requestUnder(importKey: Uint8Array, publicKey: Uint8Array, material = randomBytes(32)): Promise<ImportRequest> {
  const wrappingAlgorithm = 'RSAES_OAEP_SHA_256';
  const wrapped = wrapMaterial(publicKey, wrappingAlgorithm, material);
  return { key: newKey(), ...hmacSpec, objectId, importKey, wrappingAlgorithm, wrapped };
}

const importUnder = async (target: MaterialImports, importKey: Uint8Array, publicKey: Uint8Array): Promise<ImportedMaterial> =>
  target.importMaterial(await requestUnder(importKey, publicKey));

describe('a wrapping key of the software store', () => {
  const rootKey = randomBytes(32);
  const store = openStore(rootKey);
  afterAll(() => Promise.all(stores.map((opened) => opened.close())));

  it('works after a restart, and under no other root key', async () => {
    const { reference, publicKey } = await store.createImportKey('RSA_2048', objectId);
    expect((await importUnder(openStore(rootKey), reference, publicKey)).material.protection).toBe('SOFTWARE');
    expect(await kindOf(importUnder(openStore(randomBytes(32)), reference, publicKey))).toBe('internal');
  });

  it('does not work when a byte of it is another', async () => {
    const { reference, publicKey } = await store.createImportKey('RSA_2048', objectId);
    for (const at of [0, 5, reference.length - 1]) {
      const altered = Uint8Array.from(reference, (byte, index) => (index === at ? byte ^ 1 : byte));
      expect(await kindOf(importUnder(store, altered, publicKey))).toBe('internal');
    }
  });

  it('is no material, and no material is a wrapping key', async () => {
    const { reference, publicKey } = await store.createImportKey('RSA_2048', objectId);
    const key = { ...newKey(), keySpec: 'RSA_2048', keyUsage: 'ENCRYPT_DECRYPT' } as const;
    const material = await store.createMaterial({ key, keySpec: key.keySpec, keyUsage: key.keyUsage, objectId });
    const posing = { key, material: { ...material, reference, publicKey } };
    expect(await kindOf(store.decryptWithPrivateKey(posing, 'RSAES_OAEP_SHA_256', new Uint8Array(256)))).toBe('internal');
    expect(await kindOf(importUnder(store, material.reference, material.publicKey ?? publicKey))).toBe('internal');
  });

  it('says of what it unwraps that the bytes were in this process', async () => {
    const { reference, publicKey } = await store.createImportKey('RSA_2048', objectId);
    expect((await importUnder(store, reference, publicKey)).throughSoftware).toBe(true);
  });

  it('unwraps no algorithm that the API no longer serves', async () => {
    const { reference, publicKey } = await store.createImportKey('RSA_2048', objectId);
    const request = await requestUnder(reference, publicKey);
    expect(await kindOf(store.importMaterial({ ...request, wrappingAlgorithm: 'RSAES_PKCS1_V1_5' }))).toBe('unsupported');
  });
});

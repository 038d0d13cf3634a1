/** A key store over a fake token, as the tests of what it does with the token need it. */
import type { BoundMaterial, KeyStore } from '../../src/keystore/keystore.ts';
import type { Pkcs11KeyStoreConfig } from '../../src/keystore/pkcs11/key-store.ts';
import { openPkcs11KeyStore } from '../../src/keystore/pkcs11/key-store.ts';
import type { Capabilities } from '../../src/token/token.ts';
import type { FakeToken } from './fake-token.ts';
import { createBound, headerOf, noContext, testParts } from './key-store-parts.ts';
import type { TestParts } from './key-store-parts.ts';
import { provisionedFakeToken } from './key-store-subjects.ts';

export interface Setting {
  readonly config?: Partial<Pkcs11KeyStoreConfig>;
  readonly capabilities?: Partial<Capabilities>;
  readonly epochKeysMax?: number;
}

export interface Scene {
  readonly token: FakeToken;
  readonly store: KeyStore;
  readonly bound: BoundMaterial;
  readonly parts: TestParts;
}

/** A provisioned fake token with a key store on it and one key. */
export async function stage({ config = {}, capabilities = {}, epochKeysMax = 16 }: Setting = {}): Promise<Scene> {
  const token = provisionedFakeToken(capabilities);
  const parts = testParts(epochKeysMax);
  const store = await openPkcs11KeyStore({ name: 'hsm', residency: 'token', suite: 'measured', custody: 'full', ...config }, token, parts);
  return { token, store, bound: await createBound(store), parts };
}

/** A ciphertext of the bytes 1, 2, 3. */
export const seal = (scene: Scene, bound: BoundMaterial = scene.bound): Promise<Uint8Array> =>
  scene.store.encrypt(bound, Uint8Array.of(1, 2, 3), noContext);
export const nonceOf = (blob: Uint8Array): string => Buffer.from(headerOf(blob).epochNonce).toString('hex');
/** Epoch keys that the token holds now. */
export const epochKeysIn = (token: FakeToken): number => token.sessionObjects.filter(({ LABEL }) => LABEL === 'hsm-kms epoch').length;

/** Blobs of so many epochs of the scene's material: each is sealed after the store forgot the one before. */
export async function sealInEpochs(scene: Scene, count: number): Promise<readonly Uint8Array[]> {
  const blobs: Uint8Array[] = [];
  for (let epoch = 0; epoch < count; epoch += 1) {
    blobs.push(await seal(scene));
    await scene.store.forget(scene.bound.material.materialId);
  }
  return blobs;
}

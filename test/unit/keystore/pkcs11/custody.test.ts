import { describe, expect, it } from 'vitest';
import { openPkcs11KeyStore } from '../../../../src/keystore/pkcs11/key-store.ts';
import type { Capabilities } from '../../../../src/token/token.ts';
import { kindOf, newKey, symmetricRequest, testParts } from '../../../support/key-store-parts.ts';
import { stage } from '../../../support/key-store-scene.ts';
import { provisionedFakeToken } from '../../../support/key-store-subjects.ts';

const refusalOf = async (capabilities: Partial<Capabilities>, custody: 'full' | 'reduced'): Promise<string> => {
  const token = provisionedFakeToken(capabilities);
  const store = await openPkcs11KeyStore({ name: 'hsm', residency: 'wrapped', suite: 'measured', custody }, token, testParts());
  const created = store.createMaterial(symmetricRequest(newKey()));
  return created.then(
    (material) => `made with custody ${material.custody}`,
    (error: unknown) => String(error),
  );
};

describe('custody', () => {
  it.each([
    ['honours WRAP_WITH_TRUSTED', { honoursWrapWithTrusted: false }, 'WRAP_WITH_TRUSTED'],
    ['enforces the unwrap template', { enforcesUnwrapTemplate: false }, 'unwraps records into keys that can be taken out'],
    ['honours EXTRACTABLE', { honoursExtractable: false }, 'not extractable'],
  ])(
    'is full only when the token %s; else wrapped keys are refused unless reduced custody is accepted',
    async (_name, capabilities, reason) => {
      expect(await refusalOf(capabilities, 'full')).toContain(reason);
      expect(await refusalOf(capabilities, 'reduced')).toBe('made with custody reduced');
    },
  );

  it('needs the keys that "token init" makes', async () => {
    const token = provisionedFakeToken();
    token.findObjects = async () => [];
    const store = await openPkcs11KeyStore(
      { name: 'hsm', residency: 'wrapped', suite: 'measured', custody: 'reduced' },
      token,
      testParts(),
    );
    expect(await kindOf(store.createMaterial(symmetricRequest(newKey())))).toBe('refused');
    expect(store.describe().remarks.join()).toContain('hsm-kms token init');
  });

  it('is recorded as reduced where a token lets keys that live in it be taken out', async () => {
    const scene = await stage({ capabilities: { honoursExtractable: false } });
    expect(scene.bound.material.custody).toBe('reduced');
    expect(scene.store.describe().remarks.join()).toContain('PIN');
  });

  it.each([
    ['derived', { keyDerivation: undefined }],
    ['measured', { aesGcm: false }],
    ['direct', { aesGcm: false }],
  ] as const)('suite "%s" is refused by a token that cannot do it', async (suite, capabilities) => {
    const token = provisionedFakeToken(capabilities);
    const store = await openPkcs11KeyStore({ name: 'hsm', residency: 'token', suite, custody: 'full' }, token, testParts());
    expect(store.describe().suite).toBeUndefined();
    expect(await kindOf(store.createMaterial(symmetricRequest(newKey())))).toBe('unsupported');
  });
});

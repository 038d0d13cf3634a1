import { randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { openPkcs11KeyStore } from '../../../../src/keystore/pkcs11/key-store.ts';
import type { KeyStore } from '../../../../src/keystore/keystore.ts';
import { RECORD_MAC_KEY_LABEL, WRAPPING_KEY_LABEL } from '../../../../src/token/service-keys.ts';
import { recordMacKey, wrappingKey } from '../../../../src/token/templates.ts';
import type { Template } from '../../../../src/token/mechanism.ts';
import { FakeToken } from '../../../support/fake-token.ts';
import { createBound, kindOf, newKey, noContext, symmetricRequest, testParts } from '../../../support/key-store-parts.ts';

const trustedKey = (): Template => wrappingKey({ id: randomBytes(16), label: WRAPPING_KEY_LABEL }, true);
const macKey = (): Template => recordMacKey({ id: randomBytes(16), label: RECORD_MAC_KEY_LABEL });

async function storeWith(token: FakeToken, custody: 'full' | 'reduced', ...keys: readonly Template[]): Promise<KeyStore> {
  for (const key of keys) token.install(key);
  return openPkcs11KeyStore({ name: 'hsm', residency: 'wrapped', suite: 'measured', custody }, token, testParts());
}

const creation = (store: KeyStore): Promise<string> =>
  store.createMaterial(symmetricRequest(newKey())).then(
    (material) => `made with custody ${material.custody}`,
    (error: unknown) => String(error),
  );

describe('the wrapping key', () => {
  it('is not trusted to keep records inside unless an unwrap that asks for more is refused', async () => {
    const { UNWRAP_TEMPLATE: _template, ...lax } = trustedKey();
    const token = new FakeToken();
    const store = await storeWith(token, 'full', lax, macKey());
    expect(await creation(store)).toContain('can be taken out');
    expect(token.sessionObjects).toEqual([]);
    expect(await creation(await storeWith(token, 'reduced'))).toBe('made with custody reduced');
  });

  it('must be marked TRUSTED for full custody', async () => {
    const untrusted = wrappingKey({ id: randomBytes(16), label: WRAPPING_KEY_LABEL }, false);
    expect(await creation(await storeWith(new FakeToken(), 'full', untrusted, macKey()))).toContain('not marked TRUSTED');
    expect(await creation(await storeWith(new FakeToken(), 'reduced', untrusted, macKey()))).toBe('made with custody reduced');
  });

  it('is not used when it can be taken out of the token', async () => {
    expect(await creation(await storeWith(new FakeToken(), 'reduced', { ...trustedKey(), EXTRACTABLE: true }, macKey()))).toContain(
      'make it anew',
    );
  });

  it.each([
    ['opens records itself', { DECRYPT: true }],
    ['can be given more uses', { MODIFIABLE: true }],
  ])('must do nothing but wrap and unwrap for full custody: one that %s is not enough', async (_name, lax) => {
    expect(await creation(await storeWith(new FakeToken(), 'full', { ...trustedKey(), ...lax }, macKey()))).toContain('can be taken out');
    expect(await creation(await storeWith(new FakeToken(), 'reduced', { ...trustedKey(), ...lax }, macKey()))).toBe(
      'made with custody reduced',
    );
  });

  it('that somebody put in the place of the trusted one wraps nothing with full custody', async () => {
    const token = new FakeToken();
    const store = await storeWith(token, 'full', trustedKey(), macKey());
    token.remove({ LABEL: WRAPPING_KEY_LABEL });
    token.install(wrappingKey({ id: randomBytes(16), label: WRAPPING_KEY_LABEL }, false));
    token.renew();
    expect(await creation(store)).toContain('not the one that was examined');
    expect(token.sessionObjects).toEqual([]);
  });

  it('may be followed by another one: old records name theirs', async () => {
    const token = new FakeToken();
    const store = await storeWith(token, 'full', trustedKey(), macKey());
    const old = await createBound(store);
    token.install(trustedKey());
    token.renew();
    expect(await kindOf(store.encrypt(old, Uint8Array.of(1), noContext))).toBe('no error');
  });

  it('that a record names is missing, not deleted, when the token does not show it', async () => {
    const mac = macKey();
    const token = new FakeToken();
    const store = await storeWith(token, 'full', trustedKey(), mac);
    const bound = await createBound(store);
    const findObjects = token.findObjects.bind(token);
    token.findObjects = async (template, readBack) => {
      const found = await findObjects(template, readBack);
      return template.LABEL === WRAPPING_KEY_LABEL
        ? found.map((key) => ({ ...key, attributes: { ...key.attributes, ID: randomBytes(16) } }))
        : found;
    };
    token.renew();
    expect(await kindOf(store.encrypt(bound, Uint8Array.of(1), noContext))).toBe('material-missing');
  });
});

describe('the record MAC key', () => {
  it('must be the only one of its name', async () => {
    expect(await creation(await storeWith(new FakeToken(), 'full', trustedKey(), macKey(), macKey()))).toContain('holds 2 keys');
  });

  it('must be there', async () => {
    expect(await creation(await storeWith(new FakeToken(), 'full', trustedKey()))).toContain('hsm-kms token init');
  });
});

describe('a token that cannot wrap', () => {
  it.each([
    ['without key wrap', { kwp: undefined, aesKeyWrap: false }],
    ['without HMAC', { hmacSha256: false }],
    ['that unwraps into readable keys', { honoursUnwrapAttributes: false }],
  ])('%s makes no wrapped keys under any custody', async (_name, capabilities) => {
    const store = await storeWith(new FakeToken(capabilities), 'reduced', trustedKey(), macKey());
    expect(await kindOf(store.createMaterial(symmetricRequest(newKey())))).toBe('unsupported');
  });
});

describe('a material of another store', () => {
  it.each([
    ['residency', { residency: 'software' } as const, 'internal'],
    ['suite', { suite: 'composed' } as const, 'unsupported'],
  ])('is not used: %s', async (_name, change, kind) => {
    const store = await storeWith(new FakeToken(), 'full', trustedKey(), macKey());
    const { key, material } = await createBound(store);
    expect(await kindOf(store.encrypt({ key, material: { ...material, ...change } }, Uint8Array.of(1), noContext))).toBe(kind);
  });
});

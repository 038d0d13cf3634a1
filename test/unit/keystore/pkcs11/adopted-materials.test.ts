import { describe, expect, it } from 'vitest';
import type { AdoptionRequest } from '../../../../src/keystore/keystore.ts';
import type { Template } from '../../../../src/token/mechanism.ts';
import { kindOf, newKey } from '../../../support/key-store-parts.ts';
import { seal, stage } from '../../../support/key-store-scene.ts';
import type { Scene } from '../../../support/key-store-scene.ts';
import { isSymmetricMaterial } from '../../../../src/keys/key-record.ts';

const flagless = { ENCRYPT: false, DECRYPT: false, SIGN: false, VERIFY: false, WRAP: false, UNWRAP: false, DERIVE: false };
const derivingKey: Template = {
  CLASS: 'SECRET_KEY',
  KEY_TYPE: 'AES',
  VALUE_LEN: 32,
  TOKEN: true,
  PRIVATE: true,
  SENSITIVE: true,
  EXTRACTABLE: false,
  ALWAYS_SENSITIVE: true,
  NEVER_EXTRACTABLE: true,
  LOCAL: true,
  MODIFIABLE: false,
  ...flagless,
  DERIVE: true,
  ID: Uint8Array.of(1),
  LABEL: 'payments',
};
const encryptingKey: Template = { ...derivingKey, ...flagless, ENCRYPT: true, DECRYPT: true };

async function stageWith(template: Template): Promise<Scene> {
  const scene = await stage();
  scene.token.install(template);
  return scene;
}

function requestOf(changes: Partial<AdoptionRequest> = {}): AdoptionRequest {
  return { key: newKey(), label: 'payments', custody: 'full', ...changes };
}

async function adopted(scene: Scene, request: AdoptionRequest = requestOf()): Promise<Scene['bound']> {
  const { material } = await scene.store.adoptMaterial!(request);
  if (!isSymmetricMaterial(material)) throw new Error('the adopted key is not symmetric');
  return { key: request.key, material };
}

describe('an adopted key', () => {
  it.each([
    ['direct', encryptingKey],
    ['derived-aes-cbc-data', derivingKey],
  ] as const)(
    'has the suite %s that its flags ask for, full custody, and the reference that it has in the token',
    async (suite, template) => {
      const bound = await adopted(await stageWith(template));
      expect(bound.material).toMatchObject({ adopted: true, suite, custody: 'full', residency: 'token', protection: 'HSM' });
      expect(bound.material.reference).toEqual(Uint8Array.of(1));
    },
  );

  it.each([encryptingKey, derivingKey])('encrypts, and is the object that it was', async (template) => {
    const scene = await stageWith(template);
    const bound = await adopted(scene);
    expect(await kindOf(seal(scene, bound))).toBe('no error');
    expect(scene.token.tokenObjects).toContainEqual(template);
  });

  it('is listed where its id is asked for, and not else', async () => {
    const scene = await stageWith(derivingKey);
    expect(await scene.store.listObjectIds()).not.toContainEqual(Uint8Array.of(1));
    expect(await scene.store.listObjectIds([Uint8Array.of(1), Uint8Array.of(2)])).toContainEqual(Uint8Array.of(1));
    expect(await scene.store.listObjectIds([Uint8Array.of(2)])).not.toContainEqual(Uint8Array.of(2));
  });

  it('is destroyed with its KMS key, and by nothing that knows its id only', async () => {
    const scene = await stageWith(derivingKey);
    const bound = await adopted(scene);
    expect(await kindOf(scene.store.destroyByObjectId(bound.material.reference))).toBe('refused');
    expect(scene.token.tokenObjects).toContainEqual(derivingKey);
    await scene.store.destroyMaterial(bound);
    expect(scene.token.tokenObjects).not.toContainEqual(derivingKey);
  });

  it('whose record names a key of this service is not destroyed', async () => {
    const scene = await stage();
    const material = { ...scene.bound.material, adopted: true } as const;
    expect(await kindOf(scene.store.destroyMaterial({ ...scene.bound, material }))).toBe('refused');
    expect(await kindOf(seal(scene))).toBe('no error');
  });
});

describe('adoption', () => {
  it('records what it accepted as reduced custody', async () => {
    const scene = await stageWith({ ...derivingKey, MODIFIABLE: true, LOCAL: false });
    expect(await kindOf(adopted(scene))).toBe('refused');
    const { material, weaknesses } = await scene.store.adoptMaterial!(requestOf({ custody: 'reduced' }));
    expect(material.custody).toBe('reduced');
    expect(weaknesses).toEqual([expect.stringContaining('MODIFIABLE'), expect.stringContaining('not generated in the token')]);
  });

  it.each<[string, Template]>([
    ['that can be read', { SENSITIVE: false }],
    ['that can be wrapped out', { EXTRACTABLE: true }],
    ['that needs no PIN', { PRIVATE: false }],
    ['that cannot be destroyed', { DESTROYABLE: false }],
    ['without an id', { ID: new Uint8Array() }],
    ['that encrypts and derives', { ENCRYPT: true, DECRYPT: true }],
    ['that derives and authenticates', { SIGN: true }],
    ['that unwraps', { UNWRAP: true }],
    ['that may do nothing', { DERIVE: false }],
  ])('refuses a key %s, whatever the operator accepts', async (_what, changes) => {
    const scene = await stageWith({ ...derivingKey, ...changes });
    expect(await kindOf(adopted(scene, requestOf({ custody: 'reduced' })))).toBe('refused');
    expect(scene.token.tokenObjects).toContainEqual({ ...derivingKey, ...changes });
  });

  it('refuses a key whose id or label another key has, and finds one of two labels by its id', async () => {
    const twins = await stageWith(derivingKey);
    twins.token.install({ ...derivingKey, LABEL: 'other' });
    expect(await kindOf(adopted(twins))).toBe('refused');
    const namesakes = await stageWith(derivingKey);
    namesakes.token.install({ ...derivingKey, ID: Uint8Array.of(2) });
    expect(await kindOf(adopted(namesakes))).toBe('refused');
    expect((await adopted(namesakes, requestOf({ objectId: Uint8Array.of(2) }))).material.reference).toEqual(Uint8Array.of(2));
  });

  it('refuses a key of another spec than was expected, and one that KMS has no spec for', async () => {
    expect(await kindOf(adopted(await stageWith(derivingKey), requestOf({ keySpec: 'HMAC_256' })))).toBe('refused');
    expect(await kindOf(adopted(await stageWith({ ...derivingKey, VALUE_LEN: 16 })))).toBe('unsupported');
  });

  it('refuses the keys of this service, and a key store whose keys are wrapped', async () => {
    const scene = await stage();
    const label = scene.token.tokenObjects.map(({ LABEL }) => LABEL).find((name) => name?.length === 16);
    expect(await kindOf(adopted(scene, requestOf({ label: label! })))).toBe('refused');
    const wrapping = await stage({ config: { residency: 'wrapped' } });
    wrapping.token.install(derivingKey);
    expect(await kindOf(adopted(wrapping))).toBe('refused');
  });

  it('says of a key that is not there that it is missing', async () => {
    expect(await kindOf(adopted(await stage()))).toBe('material-missing');
  });
});

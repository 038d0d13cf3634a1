import { describe, expect, it } from 'vitest';
import { openPkcs11KeyStore } from '../../../../src/keystore/pkcs11/key-store.ts';
import { WRAPPING_KEY_LABEL } from '../../../../src/token/service-keys.ts';
import { TokenError } from '../../../../src/token/token-error.ts';
import { createBound, headerOf, kindOf, newKey, symmetricRequest, testParts } from '../../../support/key-store-parts.ts';
import { seal, stage } from '../../../support/key-store-scene.ts';

describe('materials that live in the token', () => {
  it('are listed once, not searched for each key', async () => {
    const scene = await stage();
    const others = await Promise.all(Array.from({ length: 5 }, () => createBound(scene.store)));
    scene.token.renew();
    await seal(scene);
    const before = scene.token.counts.findObjects;
    for (const other of others) await seal(scene, other);
    expect(scene.token.counts.findObjects).toBe(before);
  });

  it('are found when another process made them after the listing', async () => {
    const scene = await stage();
    await seal(scene);
    const other = await openPkcs11KeyStore(
      { name: 'hsm', residency: 'token', suite: 'measured', custody: 'full' },
      scene.token,
      testParts(),
    );
    const late = await createBound(other);
    expect(await kindOf(seal(scene, late))).toBe('no error');
  });

  it('are not used when two objects have their id', async () => {
    const scene = await stage();
    const twin = scene.token.tokenObjects.find(({ ID }) => ID !== undefined && Buffer.compare(ID, scene.bound.material.reference) === 0);
    scene.token.install(twin!);
    expect(await kindOf(seal(scene))).toBe('material-missing');
  });

  it('are reported as missing, never as deleted, when the token does not show them', async () => {
    const scene = await stage();
    await createBound(scene.store);
    scene.token.loseTokenObjects();
    expect(await kindOf(seal(scene))).toBe('material-missing');
  });

  it('are neither missing nor destroyed while the token cannot read its storage', async () => {
    const scene = await stage();
    scene.token.hideStorage(true);
    expect(await kindOf(seal(scene))).toBe('unavailable');
    expect(await kindOf(scene.store.destroyMaterial(scene.bound))).toBe('unavailable');
    expect(await kindOf(scene.store.destroyByObjectId(scene.bound.material.reference))).toBe('unavailable');
    scene.token.hideStorage(false);
    expect(await kindOf(seal(scene))).toBe('no error');
  });

  it('cannot be extracted, and can only derive', async () => {
    const { token } = await stage();
    const material = token.tokenObjects.find(({ LABEL }) => LABEL?.length === 16);
    expect(material).toMatchObject({ TOKEN: true, PRIVATE: true, SENSITIVE: true, EXTRACTABLE: false, MODIFIABLE: false });
    expect(material).toMatchObject({
      DERIVE: true,
      ENCRYPT: false,
      DECRYPT: false,
      SIGN: false,
      VERIFY: false,
      WRAP: false,
      UNWRAP: false,
    });
    expect(material?.LABEL).toMatch(/^hsm-kms [0-9a-f]{8}$/);
  });

  it('are made once when a generation is repeated after a failure', async () => {
    const scene = await stage();
    const request = symmetricRequest(newKey());
    scene.token.fail('deriveKey', new TokenError('session', 'lost'));
    const { material } = await createBound(scene.store, request.key, request);
    expect(scene.token.tokenObjects.filter(({ ID }) => ID !== undefined && Buffer.compare(ID, request.objectId) === 0)).toHaveLength(1);
    expect(await kindOf(seal(scene, { key: request.key, material }))).toBe('no error');
  });

  it('leave no object behind when the token refuses what comes after the generation', async () => {
    const scene = await stage();
    const before = scene.token.tokenObjects.length;
    scene.token.fail('deriveKey', new TokenError('weaker-key', 'made weaker than asked for'));
    expect(await kindOf(scene.store.createMaterial(symmetricRequest(newKey())))).toBe('refused');
    expect(scene.token.tokenObjects).toHaveLength(before);
  });

  it('that could not be destroyed after a refusal count as a fault, so that their intent stays', async () => {
    const scene = await stage();
    scene.token.fail('deriveKey', new TokenError('refused', 'not permitted'));
    scene.token.fail('destroyObject', new TokenError('overdue', 'no answer'));
    expect(await kindOf(scene.store.createMaterial(symmetricRequest(newKey())))).toBe('timeout');
  });

  it('are all that is ever destroyed: an id of another object destroys nothing', async () => {
    const scene = await stage();
    const wrapping = scene.token.tokenObjects.find(({ LABEL }) => LABEL === WRAPPING_KEY_LABEL);
    const objects = scene.token.tokenObjects.length;
    const { key, material } = scene.bound;
    const forged = { key, material: { ...material, reference: wrapping!.ID! } };
    expect(await kindOf(scene.store.destroyMaterial(forged))).toBe('refused');
    expect(await kindOf(scene.store.destroyByObjectId(wrapping!.ID!))).toBe('refused');
    expect(scene.token.tokenObjects).toHaveLength(objects);
  });

  it('are not generated again when the first generation may still happen', async () => {
    const scene = await stage();
    const before = scene.token.counts.generateKey;
    scene.token.fail('generateKey', new TokenError('overdue', 'no answer'));
    expect(await kindOf(scene.store.createMaterial(symmetricRequest(newKey())))).toBe('timeout');
    expect(scene.token.counts.generateKey).toBe(before + 1);
  });
});

describe('materials that are wrapped', () => {
  it('leave no object in the token', async () => {
    const scene = await stage({ config: { residency: 'wrapped' } });
    expect(scene.token.sessionObjects).toEqual([]);
    expect(scene.token.tokenObjects).toHaveLength(2);
  });

  it('cannot be extracted again while they are in use', async () => {
    const scene = await stage({ config: { residency: 'wrapped' } });
    await seal(scene);
    const material = scene.token.sessionObjects.find(({ DERIVE }) => DERIVE === true);
    expect(material).toMatchObject({ TOKEN: false, SENSITIVE: true, EXTRACTABLE: false, ENCRYPT: false, DECRYPT: false });
  });

  it('are not used when any byte of their record was altered', async () => {
    const scene = await stage({ config: { residency: 'wrapped' } });
    const { reference } = scene.bound.material;
    for (let offset = 0; offset < reference.length; offset += 1) {
      const altered = Uint8Array.from(reference);
      altered[offset]! ^= 1;
      const bound = { key: scene.bound.key, material: { ...scene.bound.material, reference: altered } };
      expect(await kindOf(seal(scene, bound))).toBe('internal');
    }
    expect(scene.token.counts.unwrapKey).toBe(2);
  });

  it.each([
    ['account', { account: '999999999999' }],
    ['partition', { partition: 'aws-cn' }],
  ])('are bound to the %s of their key', async (_name, change) => {
    const scene = await stage({ config: { residency: 'wrapped' } });
    expect(await kindOf(seal(scene, { key: { ...scene.bound.key, ...change }, material: scene.bound.material }))).toBe('internal');
  });

  it('are bound to the custody that they were made with', async () => {
    const scene = await stage({ config: { residency: 'wrapped', custody: 'reduced' } });
    const material = { ...scene.bound.material, custody: 'full' } as const;
    expect(await kindOf(seal(scene, { key: scene.bound.key, material }))).toBe('internal');
  });

  it('open in every Region: the Region is not part of the binding', async () => {
    const scene = await stage({ config: { residency: 'wrapped' } });
    expect(await kindOf(seal(scene, { key: { ...scene.bound.key, region: 'us-east-1' }, material: scene.bound.material }))).toBe(
      'no error',
    );
  });
});

describe('the direct suite', () => {
  it('leases uses before it encrypts, and puts their numbers into the IVs', async () => {
    const scene = await stage({ config: { suite: 'direct' } });
    const blobs = [await seal(scene), await seal(scene)];
    expect(blobs.map((blob) => Buffer.from(headerOf(blob).iv).readUInt32BE(0))).toEqual([0, 1]);
    expect(scene.parts.leases.totals.get(scene.bound.material.materialId)).toBe(65_536);
  });

  it('takes a new number for a run again', async () => {
    const scene = await stage({ config: { suite: 'direct' } });
    await seal(scene);
    scene.token.fail('encrypt', new TokenError('session', 'lost'));
    const again = await seal(scene);
    expect(Buffer.from(headerOf(again).iv).readUInt32BE(0)).toBeGreaterThan(1);
    expect(scene.token.violations).toEqual([]);
  });

  it('stops at 2^31 uses and says to rotate', async () => {
    const scene = await stage({ config: { suite: 'direct' } });
    scene.parts.leases.totals.set(scene.bound.material.materialId, 2 ** 31);
    expect(await kindOf(seal(scene))).toBe('exhausted');
  });
});

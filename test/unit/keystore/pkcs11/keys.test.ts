import { createHash, generateKeyPairSync, randomBytes } from 'node:crypto';
import { describe, expect, it, vi } from 'vitest';
import type { KeyUsage, MaterialRecord } from '../../../../src/keys/key-record.ts';
import { isSignatureValid } from '../../../../src/keys/verify-signature.ts';
import type { BoundKey } from '../../../../src/keystore/keystore.ts';
import { openPkcs11KeyStore } from '../../../../src/keystore/pkcs11/key-store.ts';
import { TokenError } from '../../../../src/token/token-error.ts';
import { kindOf, newKey, testParts } from '../../../support/key-store-parts.ts';
import { provisionedFakeToken } from '../../../support/key-store-subjects.ts';
import { stage } from '../../../support/key-store-scene.ts';
import type { Scene } from '../../../support/key-store-scene.ts';

const message = Buffer.from('message');
const request = { algorithm: 'ECDSA_SHA_256', messageType: 'RAW', message } as const;
const wrapped = { config: { residency: 'wrapped' } } as const;

async function create({ store }: Scene, keySpec = 'ECC_NIST_P256', keyUsage: KeyUsage = 'SIGN_VERIFY'): Promise<BoundKey> {
  const key = { ...newKey(), keySpec, keyUsage };
  return { key, material: await store.createMaterial({ key, keySpec, keyUsage, objectId: randomBytes(16) }) };
}

const sign = ({ store }: Scene, bound: BoundKey): Promise<Uint8Array> => store.sign(bound, request);
const changed = ({ key, material }: BoundKey, changes: Partial<MaterialRecord>): BoundKey => ({
  key,
  material: { ...material, ...changes },
});

describe('a key pair in the token', () => {
  it('is one private object that can do one thing, and no public object', async () => {
    const scene = await stage();
    const before = scene.token.tokenObjects.length;
    await create(scene);
    expect(scene.token.tokenObjects).toHaveLength(before + 1);
    expect(scene.token.tokenObjects.at(-1)).toMatchObject({
      CLASS: 'PRIVATE_KEY',
      SENSITIVE: true,
      EXTRACTABLE: false,
      MODIFIABLE: false,
      SIGN: true,
      DERIVE: false,
      DECRYPT: false,
      ALLOWED_MECHANISMS: ['ECDSA'],
    });
    expect(scene.token.sessionObjects.filter(({ CLASS }) => CLASS === 'PUBLIC_KEY')).toEqual([]);
  });

  it('leaves nothing in the token when it is wrapped, and cannot leave again while it is in use', async () => {
    const scene = await stage(wrapped);
    const before = scene.token.tokenObjects.length;
    const bound = await create(scene);
    expect(scene.token.tokenObjects).toHaveLength(before);
    expect(scene.token.sessionObjects).toEqual([]);
    await sign(scene, bound);
    expect(scene.token.sessionObjects).toMatchObject([{ CLASS: 'PRIVATE_KEY', EXTRACTABLE: false, SENSITIVE: true, TOKEN: false }]);
    await scene.store.forget(bound.material.materialId);
    expect(scene.token.sessionObjects).toEqual([]);
  });

  it.each([{}, wrapped])('is not used when its record has the public key of another pair (%o)', async (setting) => {
    const scene = await stage(setting);
    const [bound, other] = [await create(scene), await create(scene)];
    const { publicKey, fingerprint, materialId } = other.material;
    expect(await kindOf(sign(scene, changed(bound, { ...(publicKey && { publicKey }) })))).toBe('internal');
    const taken = { key: other.key, material: { ...bound.material, fingerprint, materialId, ...(publicKey && { publicKey }) } };
    expect(await kindOf(sign(scene, taken))).toBe('internal');
    const { publicKey: _none, ...bare } = bound.material;
    expect(await kindOf(sign(scene, { key: bound.key, material: bare }))).toBe('internal');
    expect(await kindOf(sign(scene, bound))).toBe('no error');
  });

  it('is not used for another purpose than its record was made for', async () => {
    const scene = await stage(wrapped);
    const bound = await create(scene);
    const { publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const agreement = { key: { ...bound.key, keyUsage: 'KEY_AGREEMENT' as const }, material: bound.material };
    expect(await kindOf(scene.store.agree(agreement, publicKey.export({ format: 'der', type: 'spki' })))).toBe('internal');
    expect(await kindOf(scene.store.mac(bound, 'HMAC_SHA_256', message))).toBe('unsupported');
    expect(await kindOf(scene.store.decapsulate(bound, message))).toBe('unsupported');
  });

  it('makes no signature of what is shorter or longer than r and s of its curve', async () => {
    const scene = await stage();
    const bound = await create(scene);
    await sign(scene, bound);
    const answers = vi.spyOn(scene.token, 'sign');
    for (const length of [62, 63, 66, 70]) {
      answers.mockResolvedValueOnce(new Uint8Array(length).fill(1));
      expect(await kindOf(sign(scene, bound))).toBe('internal');
    }
    expect(await kindOf(sign(scene, bound))).toBe('no error');
  });

  it('is opened once for many uses, and again after the token had a new life', async () => {
    const scene = await stage(wrapped);
    const bound = await create(scene);
    const unwrappings = (): number => scene.token.counts.unwrapKey;
    await Promise.all(Array.from({ length: 8 }, () => sign(scene, bound)));
    const before = unwrappings();
    await sign(scene, bound);
    expect(unwrappings()).toBe(before);
    scene.token.renew();
    const signature = await sign(scene, bound);
    expect(unwrappings()).toBe(before + 1);
    const judged = { keySpec: 'ECC_NIST_P256', publicKey: bound.material.publicKey ?? new Uint8Array(), ...request };
    expect(await isSignatureValid(judged, signature)).toBe(true);
  });

  it('makes room for others: the least recently used one is closed, never under a running call', async () => {
    const scene = await stage({ ...wrapped, epochKeysMax: 2 });
    const keys = [await create(scene), await create(scene), await create(scene)];
    await Promise.all(keys.flatMap((bound) => [sign(scene, bound), sign(scene, bound)]));
    for (const bound of keys) await sign(scene, bound);
    await scene.store.forget(keys[0]?.material.materialId ?? '');
    expect(scene.token.sessionObjects.length).toBeLessThanOrEqual(2);
    expect(scene.token.violations).toEqual([]);
  });

  it('is made once when its generation is repeated after a failure', async () => {
    const scene = await stage();
    const before = scene.token.tokenObjects.length;
    scene.token.fail('sign', new TokenError('session', 'lost'));
    const bound = await create(scene);
    expect(scene.token.tokenObjects).toHaveLength(before + 1);
    expect(await kindOf(sign(scene, bound))).toBe('no error');
  });

  it('leaves no key that may leave the token when its public object is not destroyed', async () => {
    const scene = await stage(wrapped);
    scene.token.fail('destroyObject', new TokenError('refused', 'not permitted'));
    expect(await kindOf(create(scene))).toBe('refused');
    expect(scene.token.sessionObjects.filter(({ CLASS }) => CLASS === 'PRIVATE_KEY')).toEqual([]);
  });

  it('is not generated again when the first generation may still happen', async () => {
    const scene = await stage();
    scene.token.fail('generateKeyPair', new TokenError('overdue', 'no answer'));
    expect(await kindOf(create(scene))).toBe('timeout');
    expect(scene.token.counts.generateKeyPair).toBe(1);
  });

  it('goes when the token refuses what comes after its generation', async () => {
    const scene = await stage();
    const before = scene.token.tokenObjects.length;
    scene.token.fail('sign', new TokenError('refused', 'not permitted'));
    expect(await kindOf(create(scene))).toBe('refused');
    expect(scene.token.tokenObjects).toHaveLength(before);
  });

  it('is found among the objects of the service, and destroyed by its object id', async () => {
    const scene = await stage();
    const { material } = await create(scene);
    const ids = (await scene.store.listObjectIds()).map((id) => Buffer.from(id).toString('hex'));
    expect(ids).toContain(Buffer.from(material.reference).toString('hex'));
    expect(await scene.store.destroyByObjectId(material.reference)).toBe(true);
    expect(await scene.store.destroyByObjectId(material.reference)).toBe(false);
  });
});

describe('an agreed secret', () => {
  it('leaves no object behind', async () => {
    const scene = await stage();
    const bound = await create(scene, 'ECC_NIST_P384', 'KEY_AGREEMENT');
    const { publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-384' });
    expect(await scene.store.agree(bound, publicKey.export({ format: 'der', type: 'spki' }))).toHaveLength(48);
    expect(scene.token.sessionObjects).toEqual([]);
  });
});

describe('what a token cannot serve', () => {
  it('is refused with the reason, and is not among the specs of new keys', async () => {
    const scene = await stage({ capabilities: { ecdsa: [], ed25519: false } });
    const { keySpecs = [], refusals } = scene.store.describe();
    expect(keySpecs).toContain('ECC_NIST_P256');
    expect(keySpecs).not.toContain('ECC_SECG_P256K1');
    expect(refusals?.['ECC_SECG_P256K1']).toContain('ECDSA');
    expect(refusals?.['ML_DSA_44']).toContain('PKCS#11');
    await expect(create(scene)).rejects.toMatchObject({ kind: 'unsupported', message: expect.stringContaining('ECDSA') as string });
  });

  it('may be one algorithm of a key: the others serve', async () => {
    const scene = await stage({ capabilities: { ed25519ph: false } });
    const bound = await create(scene, 'ECC_NIST_EDWARDS25519');
    const digest = createHash('sha512').update(message).digest();
    const ph = { algorithm: 'ED25519_PH_SHA_512', messageType: 'DIGEST', message: digest } as const;
    await expect(scene.store.sign(bound, ph)).rejects.toMatchObject({
      kind: 'unsupported',
      message: expect.stringContaining('Ed25519ph') as string,
    });
    expect(await kindOf(scene.store.sign(bound, { algorithm: 'ED25519_SHA_512', messageType: 'RAW', message }))).toBe('no error');
  });

  it('may be the wrapping: such keys are refused where they would have to be wrapped, and serve as token objects', async () => {
    const capabilities = { wrapsPrivate: ['EC'] } as const;
    const outside = await stage({ ...wrapped, capabilities });
    expect(outside.store.describe().refusals?.['ECC_NIST_EDWARDS25519']).toContain('Residency "token"');
    expect(await kindOf(create(outside, 'ECC_NIST_EDWARDS25519'))).toBe('unsupported');
    const inside = await stage({ capabilities });
    expect(await kindOf(create(inside, 'ECC_NIST_EDWARDS25519'))).toBe('no error');
  });

  it('may be symmetric encryption: a token without AES-GCM still makes key pairs', async () => {
    const config = { name: 'hsm', residency: 'token', suite: 'measured', custody: 'full' } as const;
    const store = await openPkcs11KeyStore(config, provisionedFakeToken({ aesGcm: false }), testParts());
    expect(store.describe().keySpecs).not.toContain('SYMMETRIC_DEFAULT');
    expect(store.describe().refusals?.['SYMMETRIC_DEFAULT']).toContain('AES-GCM');
    const key = { ...newKey(), keySpec: 'ECC_NIST_P256', keyUsage: 'SIGN_VERIFY' as const };
    expect(await kindOf(store.createMaterial({ key, ...key, objectId: randomBytes(16) }))).toBe('no error');
  });
});

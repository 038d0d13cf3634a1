/** What every key store that imports materials promises, for each spec and wrapping algorithm that the API allows. */
import { createHmac, createPublicKey, randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { keyAlgorithms, keyShape, keySpecs, usageOfNewKey } from '../../src/keys/algorithms.ts';
import { isImportable, wrappingKeySpecs, wrappingRefusal } from '../../src/keys/import-wrapping.ts';
import { isSymmetricMaterial } from '../../src/keys/key-record.ts';
import type { KeyIdentity, KeyUsage } from '../../src/keys/key-record.ts';
import { materialIdOf } from '../../src/keys/material-id.ts';
import { encryptWithPublicKey } from '../../src/keys/public-key-encryption.ts';
import { sm2PublicPoint } from '../../src/keys/sm2-curve.ts';
import { isSignatureValid } from '../../src/keys/verify-signature.ts';
import type { BoundKey, BoundMaterial, ImportKey, KeyStore, MaterialImports } from '../../src/keystore/keystore.ts';
import { customerMaterial, wrapMaterial, wrapPadded } from '../support/customer-material.ts';
import type { CustomerMaterial } from '../support/customer-material.ts';
import { kindOf, newKey, noContext, openBlob } from '../support/key-store-parts.ts';
import { keyStoreSubjects } from '../support/key-store-subjects.ts';
import type { OpenSubject } from '../support/key-store-subjects.ts';

type ImportingStore = KeyStore & MaterialImports;

const message = randomBytes(33);
const objectId = (): Uint8Array => new Uint8Array(randomBytes(16));
const specs = [...keySpecs.keys()].filter(isImportable);
const usageOf = (keySpec: string): KeyUsage =>
  keySpec === 'SYMMETRIC_DEFAULT'
    ? 'ENCRYPT_DECRYPT'
    : usageOfNewKey(keySpec, keyShape(keySpec).type === 'hmac' ? 'GENERATE_VERIFY_MAC' : 'SIGN_VERIFY');

/** One key of each RSA spec for all tests: making them is slow. */
const rsaMaterials = new Map<string, CustomerMaterial>();

function materialOf(keySpec: string): CustomerMaterial {
  const material = rsaMaterials.get(keySpec) ?? customerMaterial(keySpec);
  if (keyShape(keySpec).type === 'rsa') rsaMaterials.set(keySpec, material);
  return material;
}

/** A wrapping key of the algorithm, long enough for everything that it wraps. */
const wrappingKeyOf = (algorithm: string): string => (algorithm === 'SM2PKE' ? 'SM2' : 'RSA_3072');
const wraps = (algorithm: string, spec: string): boolean => wrappingRefusal(spec, algorithm, wrappingKeyOf(algorithm)) === undefined;

interface Attempt {
  readonly key: KeyIdentity;
  readonly keySpec: string;
  readonly importKey: ImportKey;
  readonly wrappingAlgorithm: string;
  readonly wrapped: Uint8Array;
  readonly suite?: 'composed' | undefined;
}

async function importInto(store: ImportingStore, attempt: Attempt, keyUsage = usageOf(attempt.keySpec)): Promise<BoundKey> {
  const { key, keySpec, importKey, wrappingAlgorithm, wrapped, suite } = attempt;
  const { material } = await store.importMaterial({
    key,
    keySpec,
    keyUsage,
    objectId: objectId(),
    importKey: importKey.reference,
    wrappingAlgorithm,
    wrapped,
    ...(suite && { suite }),
  });
  return { key: { ...key, keySpec, keyUsage }, material };
}

function symmetric({ key, material }: BoundKey): BoundMaterial {
  if (!isSymmetricMaterial(material)) throw new Error('the material has no suite');
  return { key, material };
}

/** Uses the imported key, and checks the answer against what the customer has. */
async function prove(store: ImportingStore, bound: BoundKey, customer: CustomerMaterial): Promise<void> {
  const { keySpec, keyUsage } = bound.key;
  const shape = keyShape(keySpec);
  if (shape.type === 'aes') {
    const blob = await store.encrypt(symmetric(bound), message, noContext);
    expect(Buffer.from(await openBlob(store, symmetric(bound), blob))).toEqual(message);
    return;
  }
  const [algorithm = ''] = keyAlgorithms(keySpec, keyUsage);
  if (shape.type === 'hmac') {
    const expected = createHmac(shape.digest, customer.bytes).update(message).digest();
    expect(Buffer.from(await store.mac(bound, algorithm, message))).toEqual(expected);
    return;
  }
  const publicKey = customer.publicKey ?? Buffer.alloc(0);
  expect(Buffer.from(bound.material.publicKey ?? [])).toEqual(publicKey);
  const request = { algorithm, messageType: 'RAW', message } as const;
  expect(await isSignatureValid({ keySpec, publicKey, ...request }, await store.sign(bound, request))).toBe(true);
}

/** Imports into a real token do not depend on how it encrypts: the suites are told apart in a full run only. */
const subjects = keyStoreSubjects.filter(
  ({ real, expects }) => process.env['HSM_KMS_TEST_FULL'] !== undefined || !real || expects.suite !== 'direct',
);

for (const subject of subjects) {
  describe.skipIf(!subject.available())(`imports of a key store (${subject.name})`, () => {
    const algorithms = subject.importsWrappedBy ?? [];
    const { importsSpecs: imported = specs, seesEncoding = true } = subject;
    let open: OpenSubject;
    let store: ImportingStore;
    const importKeys = new Map<string, ImportKey>();

    beforeAll(async () => {
      open = await subject.open();
      const opened = await open.openStore();
      if (algorithms.length === 0) expect(opened.importMaterial).toBeUndefined();
      store = opened as ImportingStore;
    });
    afterAll(async () => {
      for (const { reference } of importKeys.values()) await store.destroyImportKey(reference);
      await store?.close();
      await open?.close();
    });

    /** One per spec for all tests: making them is slow. */
    async function importKeyOf(wrappingKeySpec: string): Promise<ImportKey> {
      const made = importKeys.get(wrappingKeySpec) ?? (await store.createImportKey(wrappingKeySpec, objectId()));
      importKeys.set(wrappingKeySpec, made);
      return made;
    }

    async function attemptOf(
      keySpec: string,
      wrappingAlgorithm: string,
      bytes: Uint8Array,
      wrappingKeySpec = wrappingKeyOf(wrappingAlgorithm),
    ): Promise<Attempt> {
      const importKey = await importKeyOf(wrappingKeySpec);
      const wrapped = wrapMaterial(importKey.publicKey, wrappingAlgorithm, bytes);
      return { key: newKey(), keySpec, importKey, wrappingAlgorithm, wrapped };
    }

    const rows = imported.flatMap((spec) =>
      algorithms.flatMap((algorithm) =>
        wrappingKeySpecs
          .filter((wrappingKeySpec) => wrappingRefusal(spec, algorithm, wrappingKeySpec) === undefined)
          .map((wrappingKeySpec) => [spec, algorithm, wrappingKeySpec] as const),
      ),
    );

    const usedKeySpecs = wrappingKeySpecs.filter((spec) => rows.some(([, , wrappingKeySpec]) => wrappingKeySpec === spec));
    it.skipIf(algorithms.length === 0).each(usedKeySpecs)('come with a wrapping key of spec %s', async (spec) => {
      const { publicKey } = await importKeyOf(spec);
      if (spec === 'SM2') return expect(() => sm2PublicPoint(publicKey)).not.toThrow();
      const key = createPublicKey({ key: Buffer.from(publicKey), format: 'der', type: 'spki' });
      expect(`RSA_${key.asymmetricKeyDetails?.modulusLength}`).toBe(spec);
    });

    it.skipIf(algorithms.length === 0)('have no other wrapping keys', async () => {
      for (const spec of ['RSA_1024', 'ECC_NIST_P256', 'HMAC_256'])
        expect(await kindOf(store.createImportKey(spec, objectId()))).toBe('unsupported');
    });

    it.skipIf(rows.length === 0).each(rows)(
      'of %s wrapped by %s under %s work as what they were made of',
      async (spec, algorithm, wrappingKeySpec) => {
        const customer = materialOf(spec);
        const bound = await importInto(store, await attemptOf(spec, algorithm, customer.bytes, wrappingKeySpec));
        const { material, key } = bound;
        expect(material.materialId).toBe(materialIdOf(key.keyId, material.fingerprint));
        expect([material.keyStore, material.protection, material.custody]).toEqual([store.name, store.protection, subject.expects.custody]);
        await prove(store, bound, customer);
      },
    );

    it
      .skipIf(algorithms.length === 0)
      .each(imported.filter((spec) => spec !== 'RSA_4096' && algorithms.some((algorithm) => wraps(algorithm, spec))))(
      'of the same %s twice are the same material, and of another are another',
      async (spec) => {
        const algorithm = algorithms.find((name) => wraps(name, spec)) ?? '';
        const customer = materialOf(spec);
        const attempt = await attemptOf(spec, algorithm, customer.bytes);
        const first = await importInto(store, attempt);
        const again = await importInto(store, attempt);
        const elsewhere = await importInto(store, { ...attempt, key: newKey() });
        const other = await importInto(store, { ...(await attemptOf(spec, algorithm, customerMaterial(spec).bytes)), key: attempt.key });
        expect(again.material.materialId).toBe(first.material.materialId);
        expect(Buffer.from(elsewhere.material.fingerprint)).toEqual(Buffer.from(first.material.fingerprint));
        expect(elsewhere.material.materialId).not.toBe(first.material.materialId);
        expect(other.material.materialId).not.toBe(first.material.materialId);
        await prove(store, again, customer);
      },
    );

    it.skipIf(algorithms.length === 0)('open what was sealed before the material was deleted, in the suite that it had', async () => {
      const attempt = await attemptOf('SYMMETRIC_DEFAULT', algorithms[0] ?? '', customerMaterial('SYMMETRIC_DEFAULT').bytes);
      const first = await importInto(store, attempt);
      expect(first.material.suite).toBe(subject.expects.suite);
      const blob = await store.encrypt(symmetric(first), message, noContext);
      await store.destroyMaterial(first);
      const again = await importInto(store, attempt);
      expect(Buffer.from(await openBlob(store, symmetric(again), blob))).toEqual(message);
      expect(await kindOf(importInto(store, { ...attempt, suite: 'composed' }))).toBe('unsupported');
    });

    it.skipIf(algorithms.length === 0)('that do not unwrap are refused, all in the same words, and leave nothing', async () => {
      const before = await store.listObjectIds();
      for (const algorithm of algorithms) {
        const spec = ['SYMMETRIC_DEFAULT', 'ECC_NIST_P256', 'SM2'].find((name) => imported.includes(name) && wraps(algorithm, name));
        if (spec === undefined) continue;
        const good = await attemptOf(spec, algorithm, customerMaterial(spec).bytes);
        const { wrapped } = good;
        const otherKey = await store.createImportKey(algorithm === 'SM2PKE' ? 'SM2' : 'RSA_2048', objectId());
        const turned = (at: number): Uint8Array => Uint8Array.from(wrapped, (byte, index) => (index === at ? byte ^ 1 : byte));
        const bad: Attempt[] = [
          turned(0),
          turned(100),
          turned(wrapped.length - 1),
          wrapped.subarray(1),
          wrapped.subarray(0, -1),
          new Uint8Array(1),
        ].map((bytes) => ({ ...good, wrapped: bytes }));
        bad.push({ ...good, importKey: otherKey });
        const others = algorithms.filter((name) => name !== algorithm && wraps(name, spec));
        bad.push(...others.map((name) => ({ ...good, wrappingAlgorithm: name })));
        const texts = new Set<string>();
        for (const attempt of bad) {
          const error: unknown = await importInto(store, attempt).catch((reason: unknown) => reason);
          expect(error).toMatchObject({ kind: 'invalid-ciphertext' });
          texts.add((error as Error).message);
        }
        expect(texts.size).toBe(1);
        await store.destroyImportKey(otherKey.reference);
      }
      expect(await store.listObjectIds()).toHaveLength(before.length);
    });

    it.skipIf(algorithms.length === 0)('whose content is no key of the spec are refused and leave nothing', async () => {
      const before = await store.listObjectIds();
      const oaep = algorithms.find((name) => wraps(name, 'SYMMETRIC_DEFAULT')) ?? '';
      const p256 = customerMaterial('ECC_NIST_P256').bytes;
      for (const [spec, content] of [
        ['SYMMETRIC_DEFAULT', randomBytes(31)],
        ['SYMMETRIC_DEFAULT', randomBytes(33)],
        ['SYMMETRIC_DEFAULT', randomBytes(16)],
        ['HMAC_224', randomBytes(32)],
        ['HMAC_512', randomBytes(32)],
        ['ECC_SECG_P256K1', p256],
        ...(seesEncoding ? ([['ECC_NIST_P256', Buffer.concat([p256, Buffer.alloc(1)])]] as const) : []),
        ['ECC_NIST_P256', randomBytes(138)],
        ['ECC_NIST_EDWARDS25519', p256],
      ] as const) {
        if (!imported.includes(spec)) continue;
        const kind = await kindOf(importInto(store, await attemptOf(spec, oaep, content)));
        expect(['incorrect-material', 'invalid-ciphertext'], `${spec} of ${content.length} bytes`).toContain(kind);
      }
      expect(await store.listObjectIds()).toHaveLength(before.length);
    });

    const keyWrap = algorithms.find((name) => name.startsWith('RSA_AES_KEY_WRAP'));
    it.skipIf(keyWrap === undefined || !imported.includes('ECC_NIST_P256'))(
      'wrapped in two steps have an AES-256 key in the first',
      async () => {
        const { publicKey } = await importKeyOf('RSA_3072');
        const { bytes } = customerMaterial('ECC_NIST_P256');
        const good = await attemptOf('ECC_NIST_P256', keyWrap ?? '', bytes);
        const oaep = (keyWrap ?? '').replace('RSA_AES_KEY_WRAP', 'RSAES_OAEP');
        const wrappingKey = randomBytes(32);
        const twoSteps = (key: Uint8Array): Buffer => Buffer.concat([wrapMaterial(publicKey, oaep, key), wrapPadded(wrappingKey, bytes)]);
        expect(await kindOf(importInto(store, { ...good, wrapped: twoSteps(wrappingKey) }))).toBe('no error');
        const short = importInto(store, { ...good, wrapped: twoSteps(wrappingKey.subarray(0, 16)) });
        if (seesEncoding) expect(await kindOf(short)).toBe('invalid-ciphertext');
        else await short.catch(() => undefined);
      },
    );

    const others = specs.filter((spec) => !imported.includes(spec) && keyShape(spec).type !== 'sm2');
    it.skipIf(algorithms.length === 0 || others.length === 0)('of other specs are refused and leave nothing', async () => {
      const before = await store.listObjectIds();
      for (const spec of others) {
        const algorithm = algorithms.find((name) => wraps(name, spec)) ?? '';
        expect(await kindOf(importInto(store, await attemptOf(spec, algorithm, materialOf(spec).bytes))), spec).toBe('unsupported');
      }
      expect(await store.listObjectIds()).toHaveLength(before.length);
    });

    it.skipIf(!imported.includes('RSA_2048') || algorithms.length === 0)('as private keys of RSA decrypt', async () => {
      const wrappingAlgorithm = algorithms.find((name) => wraps(name, 'RSA_2048')) ?? '';
      const customer = materialOf('RSA_2048');
      const bound = await importInto(store, await attemptOf('RSA_2048', wrappingAlgorithm, customer.bytes), 'ENCRYPT_DECRYPT');
      const ciphertext = encryptWithPublicKey(customer.publicKey ?? Buffer.alloc(0), 'RSAES_OAEP_SHA_256', message);
      expect(Buffer.from(await store.decryptWithPrivateKey(bound, 'RSAES_OAEP_SHA_256', ciphertext))).toEqual(message);
    });

    it.skipIf(algorithms.length === 0)('end with their wrapping key, whose destruction may be repeated', async () => {
      const { reference } = await store.createImportKey('RSA_2048', objectId());
      await store.destroyImportKey(reference);
      await store.destroyImportKey(reference);
    });
  });
}

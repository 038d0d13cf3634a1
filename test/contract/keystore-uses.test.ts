/**
 * What every key store promises of keys other than SYMMETRIC_DEFAULT, for each spec that it says it makes. Answers are judged outside
 * of the store: by OpenSSL through node:crypto, and by the public key.
 */
import { createHash, createPrivateKey, createPublicKey, diffieHellman, generateKeyPairSync, randomBytes } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { keyAlgorithms, keyShape, keySpecs, signingAlgorithm } from '../../src/keys/algorithms.ts';
import type { MessageType } from '../../src/keys/algorithms.ts';
import { publicKeyFingerprint } from '../../src/keys/key-fingerprint.ts';
import type { KeyUsage } from '../../src/keys/key-record.ts';
import { materialIdOf } from '../../src/keys/material-id.ts';
import { encapsulateTo, encryptWithPublicKey } from '../../src/keys/public-key-encryption.ts';
import { isSignatureValid } from '../../src/keys/verify-signature.ts';
import type { BoundKey, KeyStore } from '../../src/keystore/keystore.ts';
import { kindOf, newKey } from '../support/key-store-parts.ts';
import { keyStoreSubjects } from '../support/key-store-subjects.ts';
import type { OpenSubject } from '../support/key-store-subjects.ts';

const message = randomBytes(33);

async function create(store: KeyStore, keySpec: string, keyUsage: KeyUsage): Promise<BoundKey> {
  const key = { ...newKey(), keySpec, keyUsage };
  return { key, material: await store.createMaterial({ key, keySpec, keyUsage, objectId: new Uint8Array(randomBytes(16)) }) };
}

/** One use of the key with one algorithm, checked from outside the store. */
async function prove(store: KeyStore, bound: BoundKey, algorithm: string): Promise<void> {
  const { keySpec, keyUsage } = bound.key;
  const publicKey = bound.material.publicKey ?? new Uint8Array();
  switch (keyUsage) {
    case 'SIGN_VERIFY':
      return proveSigning(store, bound, algorithm);
    case 'ENCRYPT_DECRYPT':
      return proveDecryption(store, bound, algorithm);
    case 'KEY_AGREEMENT': {
      const peer = peerOf(keySpec);
      expect(Buffer.from(await store.agree(bound, spki(peer.publicKey)))).toEqual(agreed(peer.privateKey, publicKey));
      return;
    }
    case 'GENERATE_VERIFY_MAC': {
      const mac = await store.mac(bound, algorithm, message);
      const shape = keyShape(keySpec);
      expect(mac.length).toBe(shape.type === 'hmac' ? shape.keyBytes : 0);
      expect(Buffer.from(await store.mac(bound, algorithm, message))).toEqual(Buffer.from(mac));
      expect(Buffer.from(await store.mac(bound, algorithm, message.subarray(1)))).not.toEqual(Buffer.from(mac));
      return;
    }
    case 'ENCAPSULATE_DECAPSULATE': {
      const { sharedSecret, ciphertext } = encapsulateTo(publicKey, keySpec);
      expect(Buffer.from(await store.decapsulate(bound, ciphertext))).toEqual(Buffer.from(sharedSecret));
    }
  }
}

/** With every message type, and each signature against the other's message where a digest stands for one. */
async function proveSigning(store: KeyStore, bound: BoundKey, algorithm: string): Promise<void> {
  const { keySpec } = bound.key;
  const publicKey = bound.material.publicKey ?? new Uint8Array();
  const { messageTypes, digest, scheme } = signingAlgorithm(algorithm);
  for (const messageType of Object.keys(messageTypes) as MessageType[]) {
    const length = messageTypes[messageType] ?? message.length;
    const hashed = messageType === 'DIGEST' && digest !== undefined && scheme !== 'sm2';
    const signed = hashed ? createHash(digest).update(message).digest() : randomBytes(length);
    const signature = await store.sign(bound, { algorithm, messageType, message: signed });
    const judged = hashed ? { messageType: 'RAW' as const, message } : { messageType, message: signed };
    expect(await isSignatureValid({ keySpec, publicKey, algorithm, ...judged }, signature)).toBe(true);
    expect(await isSignatureValid({ keySpec, publicKey, algorithm, ...judged, message: randomBytes(length) }, signature)).toBe(false);
  }
}

async function proveDecryption(store: KeyStore, bound: BoundKey, algorithm: string): Promise<void> {
  const publicKey = bound.material.publicKey ?? new Uint8Array();
  for (const plaintext of [message, randomBytes(1)]) {
    const ciphertext = encryptWithPublicKey(publicKey, algorithm, plaintext);
    expect(Buffer.from(await store.decryptWithPrivateKey(bound, algorithm, ciphertext))).toEqual(plaintext);
  }
  const ciphertext = encryptWithPublicKey(publicKey, algorithm, message);
  const other = algorithm === 'RSAES_OAEP_SHA_1' ? 'RSAES_OAEP_SHA_256' : 'RSAES_OAEP_SHA_1';
  const wrong = [
    Uint8Array.from(ciphertext, (byte, at) => (at === 40 ? byte ^ 1 : byte)),
    ciphertext.subarray(1),
    new Uint8Array(ciphertext.length),
    new Uint8Array(ciphertext.length).fill(0xff),
    encryptWithPublicKey(publicKey, other, message),
  ];
  for (const bad of wrong) expect(await kindOf(store.decryptWithPrivateKey(bound, algorithm, bad))).toBe('invalid-ciphertext');
}

function peerOf(keySpec: string): { readonly publicKey: KeyObject; readonly privateKey: KeyObject } {
  const shape = keyShape(keySpec);
  return generateKeyPairSync('ec', { namedCurve: shape.type === 'ec' ? shape.curve : '' });
}

function spki(key: KeyObject): Buffer {
  return key.export({ format: 'der', type: 'spki' });
}

function agreed(privateKey: KeyObject, publicKey: Uint8Array): Buffer {
  return diffieHellman({ privateKey, publicKey: createPublicKey({ key: Buffer.from(publicKey), format: 'der', type: 'spki' }) });
}

const rows = [...keySpecs]
  .filter(([spec]) => spec !== 'SYMMETRIC_DEFAULT' && spec !== 'RSA_4096')
  .flatMap(([spec, { algorithms }]) => (Object.keys(algorithms) as KeyUsage[]).map((usage) => [spec, usage] as const));

// The suite of symmetric materials makes no difference here.
for (const subject of keyStoreSubjects.filter(({ real, expects }) => !real || expects.suite !== 'direct')) {
  describe.skipIf(!subject.available())(`keys of a key store (${subject.name})`, () => {
    let open: OpenSubject;
    let store: KeyStore;

    beforeAll(async () => {
      open = await subject.open();
      store = await open.openStore();
    });
    afterAll(async () => {
      await store?.close();
      await open?.close();
    });

    it('are of the specs that it says, with a reason for each of the others', () => {
      const { keySpecs: made = [], refusals } = store.describe();
      expect([...made].filter((spec) => spec !== 'SYMMETRIC_DEFAULT').sort()).toEqual([...subject.keySpecs].sort());
      if (store.protection === 'SOFTWARE') return;
      const others = [...keySpecs.keys()].filter((spec) => !made.includes(spec));
      for (const spec of others) expect(refusals?.[spec], spec).toMatch(/token/);
    });

    // SM2 is no algorithm of the oracle's: where it is made, it is held to vectors of its own.
    it.each(rows.filter(([spec]) => spec !== 'SM2' || !subject.keySpecs.includes(spec)))(
      '%s for %s works and keeps to its record where it is made, and is refused where it is not',
      async (spec, usage) => {
        if (!subject.keySpecs.includes(spec)) {
          expect(await kindOf(create(store, spec, usage))).toBe('unsupported');
          return;
        }
        const bound = await create(store, spec, usage);
        const { material, key } = bound;
        expect(material).toMatchObject({ keyStore: store.name, protection: store.protection, residency: subject.expects.residency });
        expect([material.suite, material.publicKey !== undefined]).toEqual([undefined, keySpecs.get(spec)?.family === 'asymmetric']);
        expect(material.materialId).toBe(materialIdOf(key.keyId, material.fingerprint));
        expect(material.fingerprint.length).toBe(48);
        if (material.publicKey !== undefined) expect(material.fingerprint).toEqual(publicKeyFingerprint(material.publicKey));
        const [first = ''] = keyAlgorithms(spec, usage);
        for (const algorithm of keyAlgorithms(spec, usage)) {
          if (subject.refusedAlgorithms.includes(`${spec} ${algorithm}`))
            expect(await kindOf(prove(store, bound, algorithm))).toBe('unsupported');
          else await prove(store, bound, algorithm);
        }
        await store.forget(material.materialId);
        await prove(store, bound, first);
        await expect(prove(store, { key: { ...key, keyId: newKey().keyId }, material }, first)).rejects.toMatchObject({ kind: 'internal' });
        const second = await open.openStore();
        await prove(second, bound, first);
        await second.close();
        await store.destroyMaterial(bound);
        await store.destroyMaterial(bound);
        expect(['material-missing', 'no error']).toContain(await kindOf(prove(store, bound, first)));
      },
    );

    it('do each algorithm where the store says: in the token, composed, in software, or not at all', () => {
      const rows = store.algorithms?.() ?? [];
      expect(rows.length).toBe([...keySpecs.values()].flatMap(({ algorithms }) => Object.values(algorithms).flat()).length);
      const made = rows.filter(({ keySpec }) => subject.keySpecs.includes(keySpec));
      const names = (how: string): string[] => made.filter((row) => row.how === how).map((row) => `${row.keySpec} ${row.algorithm}`);
      expect(names('refused')).toEqual(subject.refusedAlgorithms);
      expect(new Set(names('composed').map((name) => name.split(' ')[1]))).toEqual(new Set(subject.composedAlgorithms));
      expect(names('software').length > 0).toBe(store.protection === 'SOFTWARE');
      for (const row of rows) expect(row.reason !== undefined, row.algorithm).toBe(row.how === 'refused');
    });

    it.each(['RSA_2048', 'ECC_NIST_P384', 'ECC_SECG_P256K1', 'ECC_NIST_EDWARDS25519', 'ML_KEM_512'])(
      'a data key pair of %s is one pair, or is left to others',
      async (spec) => {
        const pair = await store.createDataKeyPair?.(spec);
        expect(pair !== undefined).toBe(subject.dataKeyPairs.includes(spec));
        if (pair === undefined) return;
        const privateKey = createPrivateKey({ key: Buffer.from(pair.privateKey), format: 'der', type: 'pkcs8' });
        expect(spki(createPublicKey(privateKey))).toEqual(Buffer.from(pair.publicKey));
        const again = await store.createDataKeyPair?.(spec);
        expect(Buffer.from(again?.publicKey ?? [])).not.toEqual(Buffer.from(pair.publicKey));
      },
    );

    it.runIf(subject.keySpecs.includes('ECC_NIST_P256'))('an agreed secret keeps its leading zeros', async () => {
      const bound = await create(store, 'ECC_NIST_P256', 'KEY_AGREEMENT');
      const publicKey = bound.material.publicKey ?? new Uint8Array();
      let peer = peerOf('ECC_NIST_P256');
      while (agreed(peer.privateKey, publicKey)[0] !== 0) peer = peerOf('ECC_NIST_P256');
      expect(Buffer.from(await store.agree(bound, spki(peer.publicKey)))).toEqual(agreed(peer.privateKey, publicKey));
    });
  });
}

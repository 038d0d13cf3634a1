/** What every key store promises of keys other than SYMMETRIC_DEFAULT, for each spec that it says it makes. */
import { createPublicKey, diffieHellman, generateKeyPairSync, randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { keyAlgorithms, keyShape, keySpecs } from '../../src/keys/algorithms.ts';
import type { KeyUsage } from '../../src/keys/key-record.ts';
import { materialIdOf } from '../../src/keys/material-id.ts';
import { encapsulateTo, encryptWithPublicKey } from '../../src/keys/public-key-encryption.ts';
import { isSignatureValid } from '../../src/keys/verify-signature.ts';
import type { BoundKey, KeyStore, KeyUses } from '../../src/keystore/keystore.ts';
import { kindOf, newKey } from '../support/key-store-parts.ts';
import { keyStoreSubjects } from '../support/key-store-subjects.ts';
import type { OpenSubject } from '../support/key-store-subjects.ts';

const message = randomBytes(33);

async function create(store: KeyStore, keySpec: string, keyUsage: KeyUsage): Promise<BoundKey> {
  const key = { ...newKey(), keySpec, keyUsage };
  return { key, material: await store.createMaterial({ key, keySpec, keyUsage, objectId: new Uint8Array(randomBytes(16)) }) };
}

/** Uses the key once, and checks the answer from outside the store. */
async function prove(store: KeyUses, bound: BoundKey): Promise<void> {
  const { keySpec, keyUsage } = bound.key;
  const [algorithm = ''] = keyAlgorithms(keySpec, keyUsage);
  const publicKey = bound.material.publicKey ?? new Uint8Array();
  switch (keyUsage) {
    case 'SIGN_VERIFY': {
      const request = { algorithm, messageType: 'RAW', message } as const;
      expect(await isSignatureValid({ keySpec, publicKey, ...request }, await store.sign(bound, request))).toBe(true);
      return;
    }
    case 'ENCRYPT_DECRYPT': {
      const ciphertext = encryptWithPublicKey(publicKey, algorithm, message);
      expect(Buffer.from(await store.decryptWithPrivateKey(bound, algorithm, ciphertext))).toEqual(message);
      return;
    }
    case 'KEY_AGREEMENT': {
      const shape = keyShape(keySpec);
      const peer = generateKeyPairSync('ec', { namedCurve: shape.type === 'ec' ? shape.curve : '' });
      const secret = await store.agree(bound, peer.publicKey.export({ format: 'der', type: 'spki' }));
      const own = createPublicKey({ key: Buffer.from(publicKey), format: 'der', type: 'spki' });
      expect(Buffer.from(secret)).toEqual(diffieHellman({ privateKey: peer.privateKey, publicKey: own }));
      return;
    }
    case 'GENERATE_VERIFY_MAC': {
      const mac = await store.mac(bound, algorithm, message);
      const shape = keyShape(keySpec);
      expect(mac.length).toBe(shape.type === 'hmac' ? shape.keyBytes : 0);
      expect(Buffer.from(await store.mac(bound, algorithm, message))).toEqual(Buffer.from(mac));
      return;
    }
    case 'ENCAPSULATE_DECAPSULATE': {
      const { sharedSecret, ciphertext } = encapsulateTo(publicKey, keySpec);
      expect(Buffer.from(await store.decapsulate(bound, ciphertext))).toEqual(Buffer.from(sharedSecret));
    }
  }
}

/** True when the store has every use; which specs it makes is in its description. */
function usesOf(store: KeyStore): store is KeyStore & KeyUses {
  const { sign, mac, decryptWithPrivateKey, agree, decapsulate } = store;
  return [sign, mac, decryptWithPrivateKey, agree, decapsulate].every((use) => use !== undefined);
}

const rows = [...keySpecs]
  .filter(([spec]) => spec !== 'SYMMETRIC_DEFAULT' && spec !== 'RSA_4096')
  .flatMap(([spec, { algorithms }]) => (Object.keys(algorithms) as KeyUsage[]).map((usage) => [spec, usage] as const));

for (const subject of keyStoreSubjects) {
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

    it.each(rows)('%s for %s works and keeps to its record where it is made, and is refused where it is not', async (spec, usage) => {
      if (!usesOf(store) || store.describe().keySpecs?.includes(spec) !== true) {
        expect(await kindOf(create(store, spec, usage))).toBe('unsupported');
        return;
      }
      const bound = await create(store, spec, usage);
      const { material, key } = bound;
      expect(material).toMatchObject({ keyStore: store.name, protection: store.protection });
      expect([material.suite, material.publicKey !== undefined]).toEqual([undefined, keySpecs.get(spec)?.family === 'asymmetric']);
      expect(material.materialId).toBe(materialIdOf(key.keyId, material.fingerprint));
      expect(material.fingerprint.length).toBe(48);
      await prove(store, bound);
      await store.forget(material.materialId);
      await prove(store, bound);
      await expect(prove(store, { key: { ...key, keyId: newKey().keyId }, material })).rejects.toMatchObject({ kind: 'internal' });
      const second = await open.openStore();
      if (usesOf(second)) await prove(second, bound);
      await second.close();
      await store.destroyMaterial(bound);
      await store.destroyMaterial(bound);
    });
  });
}

import { EventEmitter, once } from 'node:events';
import { setImmediate } from 'node:timers/promises';
import { inspect } from 'node:util';
import { describe, expect, it } from 'vitest';
import { openSoftwareKeyStore } from '../../../../src/keystore/software/key-store.ts';
import { sealMaterial, unsealMaterial } from '../../../../src/keystore/software/sealed-material.ts';
import { symmetricSpec } from '../../../../src/keystore/material-binding.ts';
import { SecretBytes } from '../../../../src/secret-bytes.ts';
import { heldThreads } from '../../../support/held-threads.ts';
import { createBound, kindOf, newKey, noContext, testParts } from '../../../support/key-store-parts.ts';

const rootKey = (fill: number): SecretBytes => new SecretBytes(new Uint8Array(32).fill(fill));
const binding = {
  key: newKey(),
  ...symmetricSpec,
  suite: 'derived-aes-cbc-data',
  custody: 'full',
  materialId: 'ab'.repeat(32),
  fingerprint: new Uint8Array(48),
} as const;
const material = new Uint8Array(32).fill(0x5c);

describe('a sealed software material', () => {
  const sealed = sealMaterial(rootKey(1), new Uint8Array(12), material, binding);

  it('opens under its root key and binding', () => {
    expect(Buffer.from(unsealMaterial(rootKey(1), sealed, binding))).toEqual(Buffer.from(material));
  });

  it('does not show the material', () => {
    expect(Buffer.from(sealed).includes(Buffer.from(material.subarray(0, 8)))).toBe(false);
  });

  it('does not open under another root key, and says so', () => {
    expect(() => unsealMaterial(rootKey(2), sealed, binding)).toThrow('root key is another one');
  });

  it.each([
    ['key id', { key: { ...binding.key, keyId: 'other' } }],
    ['account', { key: { ...binding.key, account: '999999999999' } }],
    ['usage', { keyUsage: 'SIGN_VERIFY' }],
    ['spec', { keySpec: 'HMAC_256' }],
    ['suite', { suite: 'direct' as const }],
    ['material id', { materialId: 'cd'.repeat(32) }],
    ['fingerprint', { fingerprint: new Uint8Array(48).fill(1) }],
  ])('does not open for another %s', (_name, change) => {
    expect(() => unsealMaterial(rootKey(1), sealed, { ...binding, ...change })).toThrow('belongs to another key');
  });

  it('does not open when any byte of it changed', () => {
    for (let offset = 0; offset < sealed.length; offset += 1) {
      const altered = Uint8Array.from(sealed);
      altered[offset]! ^= 1;
      expect(() => unsealMaterial(rootKey(1), altered, binding)).toThrow('was altered');
    }
  });
});

describe('the software key store', () => {
  it('takes root keys of 32 bytes only', () => {
    expect(() => openSoftwareKeyStore({ name: 's' }, { ...testParts(), rootKey: new SecretBytes(new Uint8Array(31)) })).toThrow(TypeError);
  });

  it('does not use the keys of another root key', async () => {
    const bound = await createBound(openSoftwareKeyStore({ name: 's' }, { ...testParts(), rootKey: rootKey(1) }));
    const other = openSoftwareKeyStore({ name: 's' }, { ...testParts(), rootKey: rootKey(2) });
    expect(await kindOf(other.encrypt(bound, Uint8Array.of(1), noContext))).toBe('internal');
  });

  it('wipes its root key when it is closed', async () => {
    const key = rootKey(1);
    await openSoftwareKeyStore({ name: 's' }, { ...testParts(), rootKey: key }).close();
    expect(key.expose((bytes) => bytes.every((byte) => byte === 0))).toBe(true);
  });

  it('shows no key bytes when it is inspected or fails', async () => {
    const store = openSoftwareKeyStore({ name: 's' }, { ...testParts(), rootKey: rootKey(0x41) });
    const bound = await createBound(store);
    const failure = await store
      .encrypt({ key: newKey(), material: bound.material }, Uint8Array.of(1), noContext)
      .catch((error: unknown) => error);
    for (const shown of [inspect(store, { depth: 9, showHidden: true }), inspect(failure, { depth: 9 })]) {
      expect(shown).not.toMatch(/41 41 41 41|65,\s*65,\s*65|AAAAAAAA/);
    }
  });

  it('lets a running signature end before it has forgotten the key', async () => {
    const { threads, started } = heldThreads({ threadsMax: 1, waitingMax: 1 });
    const store = openSoftwareKeyStore({ name: 's' }, { ...testParts(), threads, rootKey: rootKey(1) });
    const key = { ...newKey(), keySpec: 'ECC_NIST_P256', keyUsage: 'SIGN_VERIFY' } as const;
    const made = await store.createMaterial({ key, keySpec: key.keySpec, keyUsage: key.keyUsage, objectId: new Uint8Array(16) });
    const request = { algorithm: 'ECDSA_SHA_256', message: Uint8Array.of(1), messageType: 'RAW' } as const;
    const signing = store.sign?.({ key, material: made }, request);
    await setImmediate();
    let forgotten = false;
    const forgetting = store.forget(made.materialId).then(() => (forgotten = true));
    await setImmediate();
    expect(forgotten).toBe(false);
    started[0]!.answer('signature');
    expect(await signing).toBe('signature');
    await forgetting;
  });

  it('has forgotten a material only when what wraps it for another store is over', async () => {
    const asked = new EventEmitter();
    const transportPeers = { publicKeyOf: async () => (await once(asked, 'answer'))[0] as Uint8Array };
    const store = openSoftwareKeyStore({ name: 's' }, { ...testParts(), rootKey: rootKey(1), transportPeers });
    const peer = openSoftwareKeyStore({ name: 'peer' }, { ...testParts(), rootKey: rootKey(2) });
    const { key, material: made } = await createBound(store, { ...newKey(), keyId: `mrk-${'1'.repeat(32)}` });
    const wrapping = store.wrapForTransport?.(
      { key: { ...key, keySpec: 'SYMMETRIC_DEFAULT', keyUsage: 'ENCRYPT_DECRYPT' }, material: made },
      'peer',
    );
    await setImmediate();
    let forgotten = false;
    const forgetting = store.forget(made.materialId).then(() => (forgotten = true));
    await setImmediate();
    expect(forgotten).toBe(false);
    asked.emit('answer', await peer.transportPublicKey?.());
    await wrapping;
    await forgetting;
  });

  it.each([0, 1025, 1.5])('does not give %d random bytes', async (count) => {
    const store = openSoftwareKeyStore({ name: 's' }, { ...testParts(), rootKey: rootKey(1) });
    await expect(store.random(count)).rejects.toThrow(TypeError);
  });
});

/**
 * What every key store promises, on every key store: in software, over a strict token in memory, and over SoftHSM and NSS
 * softokn behind the real door. What one of them cannot do is written in its row.
 */
import * as fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { canonicalEncryptionContext } from '../../src/keys/encryption-context.ts';
import { materialIdOf } from '../../src/keys/material-id.ts';
import type { BoundMaterial, KeyStore } from '../../src/keystore/keystore.ts';
import { keyStoreSubjects } from '../support/key-store-subjects.ts';
import type { KeyStoreSubject, OpenSubject } from '../support/key-store-subjects.ts';
import { createBound, headerOf, kindOf, newKey, noContext, openBlob, symmetricRequest } from '../support/key-store-parts.ts';

const text = (value: string): Uint8Array => Buffer.from(value, 'utf8');
const runs = (subject: KeyStoreSubject, fast: number): number => (subject.real ? Math.ceil(fast / 4) : fast);

for (const subject of keyStoreSubjects) {
  describe.skipIf(!subject.available())(`a key store (${subject.name})`, () => {
    let open: OpenSubject;
    let store: KeyStore;
    let bound: BoundMaterial;

    beforeAll(async () => {
      open = await subject.open();
      store = await open.openStore();
      bound = await createBound(store);
    });

    afterAll(async () => {
      await store?.close();
      await open?.close();
    });

    it('says truthfully what a new material is', () => {
      const { material, key } = bound;
      expect(material).toMatchObject({ keyStore: store.name, protection: store.protection, ...subject.expects });
      expect(material.fingerprint.length).toBe(48);
      expect(material.materialId).toBe(materialIdOf(key.keyId, material.fingerprint));
      expect(store.describe()).toMatchObject({ name: store.name, residency: subject.expects.residency, suite: subject.expects.suite });
    });

    it('makes a different material each time', async () => {
      const other = await createBound(store, bound.key);
      expect(Buffer.from(other.material.fingerprint)).not.toEqual(Buffer.from(bound.material.fingerprint));
    });

    it.each([1, 2, 15, 16, 17, 32, 1024, 4096])('opens what it sealed, with %i bytes', async (lengthBytes) => {
      const plaintext = new Uint8Array(lengthBytes).map((_byte, index) => index * 7);
      const blob = await store.encrypt(bound, plaintext, noContext);
      expect(blob.length).toBeLessThanOrEqual(6144);
      expect(Buffer.from(blob).toString('base64').slice(0, 6)).toBe('AQICAH');
      expect(Buffer.from(await openBlob(store, bound, blob))).toEqual(Buffer.from(plaintext));
    });

    it('opens any plaintext under any context, and under no other', async () => {
      const context = fc.dictionary(fc.string({ maxLength: 20 }), fc.string({ maxLength: 40 }), { maxKeys: 4 });
      await fc.assert(
        fc.asyncProperty(fc.uint8Array({ minLength: 1, maxLength: 4096 }), context, context, async (plaintext, right, wrong) => {
          const authenticated = canonicalEncryptionContext(right);
          const other = canonicalEncryptionContext(wrong);
          const blob = await store.encrypt(bound, plaintext, authenticated);
          expect(Buffer.from(await openBlob(store, bound, blob, authenticated))).toEqual(Buffer.from(plaintext));
          if (Buffer.compare(authenticated, other) !== 0)
            expect(await kindOf(openBlob(store, bound, blob, other))).toBe('invalid-ciphertext');
        }),
        { numRuns: runs(subject, 40) },
      );
    });

    it('takes any change of one byte of the blob for an invalid ciphertext, and for nothing else', async () => {
      const blob = await store.encrypt(bound, text('attack at dawn'), noContext);
      await fc.assert(
        fc.asyncProperty(fc.nat(blob.length - 1), fc.integer({ min: 1, max: 255 }), async (offset, difference) => {
          const changed = Uint8Array.from(blob);
          changed[offset] = changed[offset]! ^ difference;
          expect(await kindOf(openBlob(store, bound, changed))).toBe('invalid-ciphertext');
        }),
        { numRuns: runs(subject, 200) },
      );
      expect(Buffer.from(await openBlob(store, bound, blob))).toEqual(Buffer.from('attack at dawn'));
    });

    it('takes any change of one byte of the context for an invalid ciphertext', async () => {
      const context = canonicalEncryptionContext({ department: 'finance', purpose: 'test' });
      const blob = await store.encrypt(bound, text('x'), context);
      await fc.assert(
        fc.asyncProperty(fc.nat(context.length - 1), fc.integer({ min: 1, max: 255 }), async (offset, difference) => {
          const changed = Uint8Array.from(context);
          changed[offset] = changed[offset]! ^ difference;
          expect(await kindOf(openBlob(store, bound, blob, changed))).toBe('invalid-ciphertext');
        }),
        { numRuns: runs(subject, 40) },
      );
    });

    it('never seals the same plaintext to the same blob', async () => {
      const blobs = await Promise.all(Array.from({ length: 50 }, () => store.encrypt(bound, text('same'), noContext)));
      expect(new Set(blobs.map((blob) => Buffer.from(headerOf(blob).iv).toString('hex'))).size).toBe(50);
      expect(new Set(blobs.map((blob) => Buffer.from(blob).toString('hex'))).size).toBe(50);
    });

    it('does not mix up calls that run at the same time', async () => {
      const others = await Promise.all(Array.from({ length: 3 }, () => createBound(store)));
      const answers = Array.from({ length: 64 }, async (_none, index) => {
        const owner = [bound, ...others][index % 4]!;
        const context = canonicalEncryptionContext({ index: String(index) });
        const blob = await store.encrypt(owner, text(`message ${index}`), context);
        return Buffer.from(await openBlob(store, owner, blob, context)).toString();
      });
      expect(await Promise.all(answers)).toEqual(answers.map((_answer, index) => `message ${index}`));
    });

    it('refuses a blob of another material before any work', async () => {
      const other = await createBound(store);
      const blob = await store.encrypt(other, text('x'), noContext);
      expect(await kindOf(openBlob(store, bound, blob))).toBe('invalid-ciphertext');
      const sibling = await createBound(store, bound.key);
      expect(await kindOf(openBlob(store, bound, await store.encrypt(sibling, text('x'), noContext)))).toBe('invalid-ciphertext');
    });

    it('refuses a header that names another suite than the material has', async () => {
      const header = headerOf(await store.encrypt(bound, text('x'), noContext));
      const forged = { ...header, suite: header.suite === 'direct' ? 'derived-aes-cbc-data' : 'direct' } as const;
      expect(await kindOf(store.decrypt(bound, forged, noContext))).toBe('invalid-ciphertext');
    });

    it('does not serve a material under a key that it was not made for', async () => {
      const blob = await store.encrypt(bound, text('x'), noContext);
      const moved = { key: newKey(), material: bound.material };
      expect(await kindOf(store.encrypt(moved, text('x'), noContext))).toBe('internal');
      await store.forget(bound.material.materialId);
      expect(await kindOf(store.encrypt(moved, text('x'), noContext))).toBe('internal');
      expect(Buffer.from(await openBlob(store, bound, blob)).toString()).toBe('x');
    });

    it('does not serve a material whose record was altered', async () => {
      const other = await createBound(store);
      const { material } = bound;
      await store.forget(material.materialId);
      for (const altered of [
        { ...material, fingerprint: other.material.fingerprint },
        { ...material, reference: other.material.reference },
        { ...material, materialId: other.material.materialId },
      ]) {
        expect(await kindOf(store.encrypt({ key: bound.key, material: altered }, text('x'), noContext))).toBe('internal');
      }
      expect(await kindOf(store.encrypt(bound, text('x'), noContext))).toBe('no error');
    });

    it('opens after it forgot a material, and begins a new epoch', async () => {
      const blob = await store.encrypt(bound, text('before'), noContext);
      await store.forget(bound.material.materialId);
      expect(Buffer.from(await openBlob(store, bound, blob)).toString()).toBe('before');
      const after = headerOf(await store.encrypt(bound, text('after'), noContext));
      if (bound.material.suite !== 'direct') expect(Buffer.from(after.epochNonce)).not.toEqual(Buffer.from(headerOf(blob).epochNonce));
    });

    it('opens in a new process what an old one sealed', async () => {
      const blob = await store.encrypt(bound, text('kept'), noContext);
      const second = await open.openStore();
      expect(Buffer.from(await openBlob(second, bound, blob)).toString()).toBe('kept');
      expect(Buffer.from(headerOf(await second.encrypt(bound, text('x'), noContext)).iv)).not.toEqual(Buffer.from(headerOf(blob).iv));
      await second.close();
    });

    it('destroys a material, more than once without harm', async () => {
      const doomed = await createBound(store);
      const blob = await store.encrypt(doomed, text('x'), noContext);
      await store.destroyMaterial(doomed);
      await store.destroyMaterial(doomed);
      // A record that its key store does not hold itself is the caller's to delete.
      const left = subject.expects.residency === 'token' ? 'material-missing' : 'no error';
      expect(await kindOf(openBlob(store, doomed, blob))).toBe(left);
      expect(await kindOf(store.encrypt(bound, text('x'), noContext))).toBe('no error');
    });

    it('lists the objects that it holds itself, and destroys one by its id', async () => {
      const request = symmetricRequest(newKey());
      await store.createMaterial(request);
      const has = async (): Promise<boolean> => (await store.listObjectIds()).some((id) => Buffer.compare(id, request.objectId) === 0);
      expect(await has()).toBe(subject.expects.residency === 'token');
      expect(await store.destroyByObjectId(request.objectId)).toBe(subject.expects.residency === 'token');
      expect(await has()).toBe(false);
      expect(await store.destroyByObjectId(request.objectId)).toBe(false);
    });

    it('gives 1 to 1,024 random bytes', async () => {
      expect((await store.random(1)).length).toBe(1);
      const [one, other] = [await store.random(1024), await store.random(1024)];
      expect(one.length).toBe(1024);
      expect(Buffer.compare(one, other)).not.toBe(0);
    });

    it('makes no keys of specs that it does not know', async () => {
      for (const [keySpec, keyUsage] of [['SM2', 'GENERATE_VERIFY_MAC'] as const, ['SYMMETRIC_DEFAULT', 'SIGN_VERIFY'] as const]) {
        expect(await kindOf(store.createMaterial({ ...symmetricRequest(newKey()), keySpec, keyUsage }))).toBe('unsupported');
      }
    });

    it('answers its probe', async () => {
      await store.probe();
      expect(store.health()).toBe('ready');
    });
  });
}

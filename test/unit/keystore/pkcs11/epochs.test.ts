import { setImmediate as nextTurn } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { canonicalEncryptionContext } from '../../../../src/keys/encryption-context.ts';
import { TokenError } from '../../../../src/token/token-error.ts';
import { createBound, headerOf, kindOf, noContext, openBlob } from '../../../support/key-store-parts.ts';
import { epochKeysIn, nonceOf, seal, sealInEpochs, stage } from '../../../support/key-store-scene.ts';

describe('an encryption epoch in a token', () => {
  it('lasts over many calls and derives no key for them', async () => {
    const scene = await stage();
    const first = await seal(scene);
    const before = scene.token.counts.deriveKey;
    const blobs = await Promise.all(Array.from({ length: 50 }, () => seal(scene)));
    expect(new Set(blobs.map(nonceOf))).toEqual(new Set([nonceOf(first)]));
    expect(scene.token.counts.deriveKey).toBe(before);
    expect(scene.token.violations).toEqual([]);
  });

  it('is begun once for all calls that wait', async () => {
    const scene = await stage();
    const blobs = await Promise.all(Array.from({ length: 20 }, () => seal(scene)));
    expect(new Set(blobs.map(nonceOf)).size).toBe(1);
  });

  it('ends after 24 hours, and its key is destroyed', async () => {
    const scene = await stage();
    const first = await seal(scene);
    scene.parts.clock.elapsedMs = 24 * 60 * 60 * 1000 - 1;
    expect(nonceOf(await seal(scene))).toBe(nonceOf(first));
    scene.parts.clock.elapsedMs += 1;
    expect(nonceOf(await seal(scene))).not.toBe(nonceOf(first));
    await nextTurn();
    expect(epochKeysIn(scene.token)).toBe(1);
  });

  it('ends with the life of the token, and is not resumed', async () => {
    const scene = await stage({ config: { residency: 'wrapped' } });
    const first = await seal(scene);
    scene.token.renew();
    const second = await seal(scene);
    expect(nonceOf(second)).not.toBe(nonceOf(first));
    expect(Buffer.from(await openBlob(scene.store, scene.bound, first))).toEqual(Buffer.of(1, 2, 3));
  });

  it('is proven by two derivations before its first ciphertext, of which one remains', async () => {
    const scene = await stage();
    const before = scene.token.counts.deriveKey;
    await seal(scene);
    await nextTurn();
    // One for the fingerprint, two for the epoch.
    expect(scene.token.counts.deriveKey - before).toBe(3);
    expect(epochKeysIn(scene.token)).toBe(1);
    expect(scene.token.sessionObjects).toHaveLength(1);
  });

  it('serves the decryption of its own ciphertexts', async () => {
    const scene = await stage();
    const blob = await seal(scene);
    const before = scene.token.counts.deriveKey;
    await openBlob(scene.store, scene.bound, blob);
    expect(scene.token.counts.deriveKey).toBe(before);
  });
});

describe('epoch keys for decryption', () => {
  it('are derived once, then found again', async () => {
    const scene = await stage();
    const [blob] = await sealInEpochs(scene, 2);
    await openBlob(scene.store, scene.bound, blob!);
    const before = scene.token.counts.deriveKey;
    for (let call = 0; call < 5; call += 1) await openBlob(scene.store, scene.bound, blob!);
    expect(scene.token.counts.deriveKey).toBe(before);
  });

  it('are derived once for calls that wait for the same one', async () => {
    const scene = await stage();
    const [blob] = await sealInEpochs(scene, 1);
    await seal(scene);
    const before = scene.token.counts.deriveKey;
    await Promise.all(Array.from({ length: 10 }, () => openBlob(scene.store, scene.bound, blob!)));
    expect(scene.token.counts.deriveKey).toBe(before + 1);
  });

  it('are kept only after a tag verified, and destroyed otherwise', async () => {
    const scene = await stage();
    const blob = await seal(scene);
    const objects = scene.token.sessionObjects.length;
    for (let guess = 1; guess <= 20; guess += 1) {
      const header = headerOf(blob);
      const headerBytes = Uint8Array.from(header.headerBytes);
      headerBytes[headerBytes.length - 1]! ^= guess;
      const forged = { ...header, headerBytes, epochNonce: headerBytes.subarray(-16) };
      expect(await kindOf(scene.store.decrypt(scene.bound, forged, noContext))).toBe('invalid-ciphertext');
    }
    expect(scene.token.sessionObjects).toHaveLength(objects);
    expect(scene.token.violations).toEqual([]);
  });

  it('are kept when one of the waiting calls succeeds and others fail', async () => {
    const scene = await stage();
    const [blob] = await sealInEpochs(scene, 1);
    await seal(scene);
    const wrong = canonicalEncryptionContext({ wrong: 'context' });
    const calls = [wrong, noContext, wrong].map((context) => kindOf(openBlob(scene.store, scene.bound, blob!, context)));
    expect(await Promise.all(calls)).toEqual(['invalid-ciphertext', 'no error', 'invalid-ciphertext']);
    const before = scene.token.counts.deriveKey;
    await openBlob(scene.store, scene.bound, blob!);
    expect(scene.token.counts.deriveKey).toBe(before);
    expect(scene.token.violations).toEqual([]);
  });

  it('stay within their bound when every ciphertext has another epoch', async () => {
    const scene = await stage({ epochKeysMax: 8 });
    const blobs = await sealInEpochs(scene, 20);
    for (let round = 0; round < 2; round += 1) for (const blob of blobs) await openBlob(scene.store, scene.bound, blob);
    await nextTurn();
    await nextTurn();
    expect(epochKeysIn(scene.token)).toBeLessThanOrEqual(8 / 4);
  });

  it('are never destroyed under a running call, however small the bound', async () => {
    const scene = await stage({ epochKeysMax: 1, config: { residency: 'wrapped' } });
    const others = await Promise.all([1, 2, 3].map(() => createBound(scene.store)));
    const owners = [scene.bound, ...others];
    const blobs = await Promise.all(owners.map((owner) => seal(scene, owner)));
    const calls = Array.from({ length: 60 }, (_none, index) => openBlob(scene.store, owners[index % 4]!, blobs[index % 4]!));
    for (const plaintext of await Promise.all(calls)) expect(Buffer.from(plaintext)).toEqual(Buffer.of(1, 2, 3));
    expect(scene.token.violations).toEqual([]);
  });
});

describe('forgetting a material', () => {
  it.each(['token', 'wrapped'] as const)('destroys all its session objects before it resolves (residency %s)', async (residency) => {
    const scene = await stage({ config: { residency } });
    const blobs = await sealInEpochs(scene, 3);
    for (const blob of blobs) await openBlob(scene.store, scene.bound, blob);
    await seal(scene);
    expect(scene.token.sessionObjects.length).toBeGreaterThan(2);
    await scene.store.forget(scene.bound.material.materialId);
    expect(scene.token.sessionObjects).toEqual([]);
  });

  it('waits for calls that run, and leaves nothing of them behind', async () => {
    const scene = await stage({ config: { residency: 'wrapped' } });
    const [blob] = await sealInEpochs(scene, 1);
    const running = [seal(scene), openBlob(scene.store, scene.bound, blob!), openBlob(scene.store, scene.bound, blob!)];
    await nextTurn();
    await nextTurn();
    await scene.store.forget(scene.bound.material.materialId);
    expect(scene.token.sessionObjects).toEqual([]);
    await Promise.all(running);
    expect(scene.token.violations).toEqual([]);
  });

  it('waits for calls that run again after a recovery, and leaves nothing of them behind', async () => {
    const scene = await stage({ config: { residency: 'wrapped' } });
    await seal(scene);
    scene.token.fail('encrypt', new TokenError('session', 'lost'), 2);
    const answers: string[] = [];
    const running = seal(scene).then(() => answers.push('sealed'));
    await scene.store.forget(scene.bound.material.materialId).then(() => answers.push('forgotten'));
    expect(scene.token.sessionObjects).toEqual([]);
    await running;
    expect(answers).toEqual(['sealed', 'forgotten']);
  });

  it('waits for calls that are about to use a material which was just opened', async () => {
    const scene = await stage({ config: { residency: 'wrapped' } });
    for (let turns = 0; turns < 16; turns += 1) {
      const running = seal(scene);
      for (let turn = 0; turn < turns; turn += 1) await nextTurn();
      await scene.store.forget(scene.bound.material.materialId);
      expect(scene.token.sessionObjects).toEqual([]);
      await running;
    }
  });

  it('ends hosts that were replaced and still hold session objects', async () => {
    const scene = await stage();
    scene.token.replacedHosts = 2;
    await scene.store.forget(scene.bound.material.materialId);
    expect(scene.token.replacedHosts).toBe(0);
  });

  it('does not resolve while an object could not be destroyed, and tries again when repeated', async () => {
    const scene = await stage();
    await seal(scene);
    scene.token.fail('destroyObject', new TokenError('overdue', 'no answer'), 1);
    expect(await kindOf(scene.store.forget(scene.bound.material.materialId))).toBe('timeout');
    await scene.store.forget(scene.bound.material.materialId);
    expect(scene.token.sessionObjects).toEqual([]);
  });

  it('of an unknown material does nothing', async () => {
    const scene = await stage();
    await scene.store.forget('00'.repeat(32));
  });

  it('is part of closing the store', async () => {
    const scene = await stage({ config: { residency: 'wrapped' } });
    await seal(scene);
    await scene.store.close();
    expect(scene.token.sessionObjects).toEqual([]);
  });
});

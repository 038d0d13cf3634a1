import { describe, expect, it } from 'vitest';
import { TokenError } from '../../../../src/token/token-error.ts';
import { kindOf, openBlob } from '../../../support/key-store-parts.ts';
import { nonceOf, seal, sealInEpochs, stage } from '../../../support/key-store-scene.ts';

describe('a token that fails', () => {
  it.each(['session', 'login', 'device', 'handle'] as const)('is recovered from after %s, with a new IV and a new epoch', async (kind) => {
    const scene = await stage({ config: { residency: 'wrapped' } });
    const first = await seal(scene);
    scene.token.fail('encrypt', new TokenError(kind, 'fault'));
    const second = await seal(scene);
    expect(nonceOf(second)).not.toBe(nonceOf(first));
    expect(Buffer.from(await openBlob(scene.store, scene.bound, second))).toEqual(Buffer.of(1, 2, 3));
    expect(scene.token.violations).toEqual([]);
  });

  it.each([
    ['overdue', 'timeout'],
    ['pin', 'unavailable'],
    ['capacity', 'unavailable'],
    ['unavailable', 'unavailable'],
    ['refused', 'refused'],
    ['unsupported', 'unsupported'],
    ['input', 'internal'],
  ] as const)('with %s is reported as %s', async (tokenKind, storeKind) => {
    const scene = await stage();
    await seal(scene);
    scene.token.fail('encrypt', new TokenError(tokenKind, 'fault'), 10);
    expect(await kindOf(seal(scene))).toBe(storeKind);
  });

  it('is not taken for a bad ciphertext when a derivation or an unwrap fails on the way', async () => {
    const scene = await stage({ config: { residency: 'wrapped' } });
    const [blob] = await sealInEpochs(scene, 1);
    for (const method of ['deriveKey', 'unwrapKey', 'sign'] as const) {
      for (const kind of ['input', 'unclear'] as const) {
        scene.token.fail(method, new TokenError(kind, 'CKR_GENERAL_ERROR'), 1);
        const outcome = await kindOf(openBlob(scene.store, scene.bound, blob!));
        expect(outcome).toBe(kind === 'input' ? 'internal' : 'no error');
        await scene.store.forget(scene.bound.material.materialId);
      }
    }
  });

  it('answers unavailable when it does not recover, and serves again afterwards', async () => {
    const scene = await stage();
    await seal(scene);
    scene.token.fail('encrypt', new TokenError('device', 'gone'), 3);
    expect(await kindOf(seal(scene))).toBe('unavailable');
    expect(await kindOf(seal(scene))).toBe('no error');
  });

  it('does not use an epoch key that fails its known-answer test', async () => {
    const scene = await stage();
    const decrypt = scene.token.decrypt.bind(scene.token);
    scene.token.decrypt = async (...call) => Uint8Array.from(await decrypt(...call)).toReversed();
    expect(await kindOf(seal(scene))).toBe('unavailable');
    await scene.store.forget(scene.bound.material.materialId);
    expect(scene.token.sessionObjects).toEqual([]);
  });
});

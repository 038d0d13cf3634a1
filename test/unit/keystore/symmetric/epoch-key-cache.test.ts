import { describe, expect, it } from 'vitest';
import { EpochKeyCache } from '../../../../src/keystore/symmetric/epoch-key-cache.ts';
import { SharedKey } from '../../../../src/keystore/symmetric/shared-key.ts';

function cacheOf(
  keysMax: number,
  keysPerMaterialMax: number,
): { cache: EpochKeyCache<string>; evicted: string[]; put: (materialId: string, nonce: string) => void } {
  const evicted: string[] = [];
  const cache = new EpochKeyCache<string>({ keysMax, keysPerMaterialMax }, (_materialId, key) => evicted.push(key.key));
  const put = (materialId: string, nonce: string): void =>
    cache.put(materialId, nonce, new SharedKey(`${materialId}${nonce}`, async () => {}));
  return { cache, evicted, put };
}

describe('the epoch key cache', () => {
  it('evicts the least recently used key over its bound', () => {
    const { cache, evicted, put } = cacheOf(3, 3);
    for (const id of ['a', 'b', 'c']) put(id, '1');
    cache.get('a', '1');
    put('d', '1');
    expect(evicted).toEqual(['b1']);
    expect(cache.size).toBe(3);
  });

  it('bounds one material without touching the others', () => {
    const { cache, evicted, put } = cacheOf(10, 2);
    put('other', '1');
    for (const nonce of ['1', '2', '3', '4']) put('busy', nonce);
    expect(evicted).toEqual(['busy1', 'busy2']);
    expect(cache.get('other', '1')?.key).toBe('other1');
  });

  it('replaces a key of the same nonce', () => {
    const { cache, evicted, put } = cacheOf(4, 4);
    put('a', '1');
    put('a', '1');
    expect(evicted).toEqual(['a1']);
    expect(cache.size).toBe(1);
  });

  it('removes all keys of a material and finds none of them again', () => {
    const { cache, evicted, put } = cacheOf(4, 4);
    put('a', '1');
    put('a', '2');
    put('b', '1');
    cache.removeMaterial('a');
    expect(evicted).toEqual(['a1', 'a2']);
    expect([cache.get('a', '1'), cache.get('a', '2')]).toEqual([undefined, undefined]);
    cache.remove('b', '1');
    expect([cache.get('b', '1'), cache.size]).toEqual([undefined, 0]);
  });

  it('hands out every key when it is cleared', () => {
    const { cache, evicted, put } = cacheOf(4, 4);
    put('a', '1');
    put('b', '1');
    cache.clear();
    expect([evicted, cache.size]).toEqual([['a1', 'b1'], 0]);
  });
});

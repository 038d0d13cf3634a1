import { describe, expect, it } from 'vitest';
import { SharedKey } from '../../../../src/keystore/symmetric/shared-key.ts';

function deferred(): { promise: Promise<void>; resolve: () => void } {
  let settle: (() => void) | undefined;
  const promise = new Promise<void>((done) => (settle = done));
  return { promise, resolve: () => settle?.() };
}

describe('a shared key', () => {
  it('is destroyed only after the last running call', async () => {
    const destroyed: string[] = [];
    const shared = new SharedKey('key', async (key) => void destroyed.push(key));
    const [first, second] = [deferred(), deferred()];
    const calls = [shared.use(() => first.promise), shared.use(() => second.promise)];
    const retired = shared.retire();
    first.resolve();
    await calls[0];
    expect(destroyed).toEqual([]);
    second.resolve();
    await retired;
    expect(destroyed).toEqual(['key']);
  });

  it('is destroyed once, however often it is retired', async () => {
    let destructions = 0;
    const shared = new SharedKey('key', async () => void (destructions += 1));
    await Promise.all([shared.retire(), shared.retire()]);
    await shared.retire();
    expect(destructions).toBe(1);
  });

  it('is not lent any more once it is retired', async () => {
    const shared = new SharedKey('key', async () => {});
    await shared.retire();
    await expect(shared.use(async () => {})).rejects.toThrow('retired');
  });

  it('can be retired again when its destruction failed', async () => {
    let attempts = 0;
    const shared = new SharedKey('key', async () => {
      attempts += 1;
      if (attempts === 1) throw new Error('no answer');
    });
    await expect(shared.retire()).rejects.toThrow('no answer');
    await shared.retire();
    expect(attempts).toBe(2);
  });
});

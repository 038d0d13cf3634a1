import { describe, expect, it } from 'vitest';
import { RunningCalls } from '../../../../src/keystore/symmetric/running-calls.ts';

describe('running calls', () => {
  it('are waited for, whether they succeed or fail, and later ones are not', async () => {
    const calls = new RunningCalls();
    const order: string[] = [];
    let succeed!: () => void;
    let fail!: (error: Error) => void;
    const first = calls.during('a', () => new Promise<void>((resolve) => (succeed = resolve)));
    const second = calls.during('a', () => new Promise<void>((_resolve, reject) => (fail = reject)));
    const ended = calls.ended('a').then(() => order.push('ended'));
    void calls.during('a', () => new Promise(() => {}));
    succeed();
    await first;
    order.push('first');
    fail(new Error('failed'));
    await expect(second).rejects.toThrow('failed');
    await ended;
    expect(order).toEqual(['first', 'ended']);
  });

  it('of other materials are not waited for', async () => {
    const calls = new RunningCalls();
    void calls.during('a', () => new Promise(() => {}));
    await calls.ended('b');
  });
});

import { describe, expect, it } from 'vitest';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { IvSource, openSystemRandom } from '../../../../src/keystore/symmetric/iv-source.ts';

/** Random bytes that count up: 00.., 01.., so that every byte given out can be told. */
function countingRandom(): { fill: (target: Uint8Array) => void; fills: () => number } {
  let next = 0;
  let fills = 0;
  return {
    fill: (target) => {
      fills += 1;
      for (let at = 0; at < target.length; at += 8)
        Buffer.from(target.buffer, target.byteOffset + at, 8).writeBigUInt64BE(BigInt((next += 1)));
    },
    fills: () => fills,
  };
}

describe('the IV source', () => {
  it('puts the number first, big-endian, and random bytes after it', () => {
    const source = new IvSource(countingRandom().fill);
    expect(Buffer.from(source.next(0xfe_dc_ba_98)).toString('hex')).toBe('fedcba980000000000000001');
    expect(Buffer.from(source.next(1)).toString('hex')).toBe('000000010000000000000002');
  });

  it('gives every random byte out once, over many refills', () => {
    const source = new IvSource(countingRandom().fill);
    const tails = Array.from({ length: 1000 }, () => Buffer.from(source.next(0)).toString('hex', 4));
    expect(new Set(tails).size).toBe(1000);
  });

  it('drops random bytes at the end of the turn in which they were drawn', async () => {
    const random = countingRandom();
    const source = new IvSource(random.fill);
    source.next(0);
    source.next(1);
    expect(random.fills()).toBe(1);
    await nextTurn();
    source.next(2);
    expect(random.fills()).toBe(2);
  });

  it('hands out arrays that do not change afterwards', () => {
    const source = new IvSource(countingRandom().fill);
    const first = source.next(0);
    const copy = Buffer.from(first);
    for (let index = 0; index < 100; index += 1) source.next(index);
    expect(Buffer.from(first)).toEqual(copy);
  });
});

describe('the random generator of the operating system', () => {
  it('fills the whole array, differently each time', () => {
    const fill = openSystemRandom();
    const [one, other] = [new Uint8Array(64), new Uint8Array(64)];
    fill(one);
    fill(other);
    expect(Buffer.compare(one, other)).not.toBe(0);
    expect(one.subarray(32).some((byte) => byte !== 0)).toBe(true);
  });
});

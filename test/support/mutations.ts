/** Random changes of bytes and of encryption contexts for properties: what was changed is never what it was. */
import { isDeepStrictEqual } from 'node:util';
import * as fc from 'fast-check';

export type Mutation = (bytes: Uint8Array) => Uint8Array;

/** Numbers below the length, from a number that knows no length. */
const within = (at: number, length: number): number => at % length;

const flipped = fc.tuple(fc.nat(), fc.integer({ min: 0, max: 7 })).map(([at, bit]): Mutation => (bytes) => {
  const changed = Uint8Array.from(bytes);
  const index = within(at, bytes.length);
  changed[index] = (changed[index] ?? 0) ^ (1 << bit);
  return changed;
});
const shortened = fc.nat().map(
  (count): Mutation =>
    (bytes) =>
      bytes.slice(0, 1 + within(count, bytes.length - 1)),
);
const dropped = fc.nat().map(
  (at): Mutation =>
    (bytes) =>
      Buffer.concat([bytes.subarray(0, within(at, bytes.length)), bytes.subarray(within(at, bytes.length) + 1)]),
);
const extended = fc.uint8Array({ minLength: 1, maxLength: 20 }).map(
  (more): Mutation =>
    (bytes) =>
      Buffer.concat([bytes, more]),
);
const doubled = fc.nat().map(
  (at): Mutation =>
    (bytes) =>
      Buffer.concat([bytes.subarray(0, within(at, bytes.length) + 1), bytes.subarray(within(at, bytes.length))]),
);

/** Bytes with a bit flipped, cut short, one byte fewer, or more. At least one byte is left of two or more. */
export const mutation: fc.Arbitrary<Mutation> = fc.oneof({ weight: 4, arbitrary: flipped }, shortened, dropped, extended, doubled);

export type Context = Readonly<Record<string, string>>;

const text = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 12 });
/** Contexts of at least `pairsMin` pairs. */
export function context(pairsMin = 0): fc.Arbitrary<Context> {
  return fc.dictionary(text, fc.string({ unit: 'grapheme', maxLength: 12 }), { minKeys: pairsMin, maxKeys: 5 });
}

/** A context, and another one that differs by one pair. */
export const twoContexts: fc.Arbitrary<readonly [Context, Context]> = fc
  .tuple(context(1), fc.nat(), text, fc.constantFrom('add', 'remove', 'rename', 'change', 'swap'))
  .map(([first, at, word, how]): readonly [Context, Context] => {
    const pairs = Object.entries(first);
    const [name, value] = pairs[within(at, pairs.length)] ?? ['', ''];
    const rest = Object.fromEntries(pairs.filter(([other]) => other !== name));
    if (how === 'remove') return [first, rest];
    if (how === 'rename') return [first, { ...rest, [`${name}${word}`]: value }];
    if (how === 'change') return [first, { ...rest, [name]: `${value}${word}` }];
    if (how === 'swap' && name !== value && value !== '') return [first, { ...rest, [value]: name }];
    return [first, { ...first, [`${name}${word}`]: value }];
  })
  .filter(([first, second]) => !isDeepStrictEqual(first, second));

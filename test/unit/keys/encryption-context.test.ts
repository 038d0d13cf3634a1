import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { EncryptionContextError, canonicalEncryptionContext, encryptionContextBytesMax } from '../../../src/keys/encryption-context.ts';

const hex = (context: Record<string, string>): string => Buffer.from(canonicalEncryptionContext(context)).toString('hex');
const u32 = (value: number): string => value.toString(16).padStart(8, '0');
const reasonOf = (context: Record<string, string>): string => {
  try {
    canonicalEncryptionContext(context);
    return 'accepted';
  } catch (error) {
    return error instanceof EncryptionContextError ? error.reason : String(error);
  }
};

const sorted = (context: Record<string, string>): string => JSON.stringify(Object.entries(context).sort(([a], [b]) => (a < b ? -1 : 1)));

describe('the canonical encryption context', () => {
  it('is the number of pairs, then each name and value with its length', () => {
    expect(hex({ b: 'xy', a: '' })).toBe(['00000002', '00000001', '61', '00000000', '00000001', '62', '00000002', '7879'].join(''));
  });

  it('is the same for an absent and an empty context', () => {
    expect(canonicalEncryptionContext(undefined)).toEqual(canonicalEncryptionContext({}));
    expect(hex({})).toBe('00000000');
  });

  it('sorts by UTF-8 bytes, where UTF-16 order differs', () => {
    // U+10000 is a surrogate pair (d800 ...) in UTF-16, so before U+FF5E there, and after it in UTF-8.
    expect(hex({ '\u{10000}': '1', '\uff5e': '2' })).toMatch(/^00000002\s*00000003efbd9e/);
  });

  it('sorts any names as Buffer.compare sorts their UTF-8 bytes', () => {
    const name = fc.string({ unit: fc.constantFrom('a', 'b', '\u{10000}', '\u{10001}', '\uff5e', '\ud7ff', '\ue000', '\0'), maxLength: 4 });
    fc.assert(
      fc.property(fc.uniqueArray(name, { minLength: 1, maxLength: 8 }), (names) => {
        const expected = names.map((text) => Buffer.from(text)).toSorted((a, b) => Buffer.compare(a, b));
        const pairs = expected.map((bytes) => `${u32(bytes.length)}${bytes.toString('hex')}${u32(0)}`);
        expect(hex(Object.fromEntries(names.map((text) => [text, ''])))).toBe(`${u32(names.length)}${pairs.join('')}`);
      }),
      { numRuns: 500 },
    );
  });

  it('does not depend on the order of members', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string({ unit: 'grapheme' }), fc.string({ unit: 'grapheme' }), { maxKeys: 8 }), (context) => {
        const reversed = Object.fromEntries(Object.entries(context).toReversed());
        expect(hex(reversed)).toBe(hex(context));
      }),
      { numRuns: 200 },
    );
  });

  it('differs whenever a name or value differs', () => {
    const pair = fc.dictionary(fc.string({ maxLength: 3 }), fc.string({ maxLength: 3 }), { maxKeys: 3 });
    fc.assert(
      fc.property(pair, pair, (one, other) => {
        expect(hex(one) === hex(other)).toBe(sorted(one) === sorted(other));
      }),
      { numRuns: 500 },
    );
  });

  it('normalises nothing: composed and decomposed letters are different contexts', () => {
    expect(hex({ name: '\u00e9' })).not.toBe(hex({ name: 'e\u0301' }));
  });

  it('keeps a member that is named __proto__', () => {
    expect(hex(JSON.parse('{"__proto__":"x"}') as Record<string, string>)).toContain(Buffer.from('__proto__').toString('hex'));
  });

  it.each([
    ['a lone high surrogate in a value', { a: '\ud800' }],
    ['a lone low surrogate in a name', { 'x\udc00y': 'a' }],
  ])('refuses %s', (_name, context) => {
    expect(reasonOf(context)).toBe('malformed-text');
  });

  it('takes 8,192 bytes and refuses one more', () => {
    const overhead = 4 + 4 + 1 + 4;
    expect(reasonOf({ a: 'v'.repeat(encryptionContextBytesMax - overhead) })).toBe('accepted');
    expect(reasonOf({ a: 'v'.repeat(encryptionContextBytesMax - overhead + 1) })).toBe('too-large');
    expect(reasonOf({ a: 'v'.repeat(10_000_000) })).toBe('too-large');
  });
});

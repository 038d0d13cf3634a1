/** Parsed public keys: the same object for the array of a record, never for another array, and not without bound. */
import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { publicKeyObject } from '../../../src/keys/public-key-object.ts';

const newPublicKey = (): { readonly der: Uint8Array; readonly object: KeyObject } => {
  const { publicKey } = generateKeyPairSync('ec', { namedCurve: 'prime256v1' });
  return { der: Uint8Array.from(publicKey.export({ format: 'der', type: 'spki' })), object: publicKey };
};

describe('a parsed public key', () => {
  it('is the key of its bytes, and made once for an array', () => {
    const [one, other] = [newPublicKey(), newPublicKey()];
    const parsed = publicKeyObject(one.der);
    expect(parsed.equals(one.object)).toBe(true);
    expect(publicKeyObject(other.der).equals(other.object)).toBe(true);
    expect(publicKeyObject(one.der)).toBe(parsed);
  });

  it('is made anew for another array, even of the same bytes', () => {
    const { der } = newPublicKey();
    expect(publicKeyObject(Uint8Array.from(der))).not.toBe(publicKeyObject(der));
  });

  it('is forgotten when many others were used since, and not while it is used', () => {
    const [used, unused] = [newPublicKey().der, newPublicKey().der];
    const before = [publicKeyObject(used), publicKeyObject(unused)];
    const { der } = newPublicKey();
    for (let others = 0; others < 300; others++) {
      publicKeyObject(Uint8Array.from(der));
      publicKeyObject(used);
    }
    expect(publicKeyObject(used)).toBe(before[0]);
    expect(publicKeyObject(unused)).not.toBe(before[1]);
  });

  it('is refused when the bytes are no public key, every time', () => {
    const bytes = Uint8Array.of(1, 2, 3);
    for (let times = 0; times < 2; times++) expect(() => publicKeyObject(bytes)).toThrow();
  });
});

/** Private keys taken out of PKCS#8 are the keys that node:crypto reads there itself. */
import { createPrivateKey, generateKeyPairSync } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { softwareKeySpecs } from '../../../../src/keystore/software/software-keys.ts';
import { privateKeyObject } from '../../../../src/keystore/software/private-key-object.ts';
import { generateKeyPair } from '../../../../src/keys/key-pair.ts';

const encoding = { type: 'pkcs8', format: 'der' } as const;
const specs = softwareKeySpecs.filter((spec) => /^(RSA|ECC)/.test(spec));

describe('a private key object', () => {
  it.each(specs)('of %s is the key of its PKCS#8, which is left as it was', async (spec) => {
    const { privateKey } = await generateKeyPair(spec, () => new Uint8Array());
    const before = Uint8Array.from(privateKey);
    const expected = createPrivateKey({ key: Buffer.from(privateKey), ...encoding });
    expect(privateKeyObject(privateKey).equals(expected)).toBe(true);
    expect(Uint8Array.from(privateKey)).toEqual(before);
  });

  it('is found inside of a longer array', () => {
    const der = generateKeyPairSync('ec', { namedCurve: 'secp521r1' }).privateKey.export(encoding);
    const longer = Buffer.concat([Buffer.alloc(5), der, Buffer.alloc(5)]);
    const expected = createPrivateKey({ key: der, ...encoding });
    expect(privateKeyObject(longer.subarray(5, 5 + der.length)).equals(expected)).toBe(true);
  });

  it.each([0, 1, 5, 40])('is refused when only %d bytes of it are there', (length) => {
    const der = generateKeyPairSync('ec', { namedCurve: 'prime256v1' }).privateKey.export(encoding);
    expect(() => privateKeyObject(der.subarray(0, length))).toThrow();
  });
});

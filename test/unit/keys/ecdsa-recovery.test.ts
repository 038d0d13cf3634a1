import { createHash, createPublicKey, generateKeyPairSync, sign } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { recoverPublicPoint } from '../../../src/keys/ecdsa-recovery.ts';
import type { SignedDigest } from '../../../src/keys/ecdsa-recovery.ts';
import { publicPointOf } from '../../../src/token/key-pairs.ts';

const signedBy = (privateKey: ReturnType<typeof generateKeyPairSync>['privateKey'], text: string): SignedDigest => ({
  digest: createHash('sha256').update(text).digest(),
  signature: sign('sha256', Buffer.from(text), { key: privateKey, dsaEncoding: 'ieee-p1363' }),
});

describe.each(['prime256v1', 'secp384r1', 'secp521r1', 'secp256k1'] as const)('the public point behind signatures on %s', (namedCurve) => {
  const pair = generateKeyPairSync('ec', { namedCurve });
  const other = generateKeyPairSync('ec', { namedCurve });

  it('is told by two signatures of different texts', () => {
    const point = recoverPublicPoint(namedCurve, [signedBy(pair.privateKey, 'one'), signedBy(pair.privateKey, 'two')]);
    const expected = publicPointOf(createPublicKey(pair.privateKey).export({ format: 'der', type: 'spki' }));
    expect(Buffer.from(point ?? [])).toEqual(Buffer.from(expected));
  });

  it('is not told by one signature, nor by signatures of two keys', () => {
    expect(recoverPublicPoint(namedCurve, [signedBy(pair.privateKey, 'one')])).toBeUndefined();
    expect(recoverPublicPoint(namedCurve, [signedBy(pair.privateKey, 'one'), signedBy(other.privateKey, 'two')])).toBeUndefined();
  });

  it('is not told by what is no signature', () => {
    const digest = createHash('sha256').update('one').digest();
    expect(recoverPublicPoint(namedCurve, [{ digest, signature: new Uint8Array(7) }])).toBeUndefined();
    expect(recoverPublicPoint(namedCurve, [])).toBeUndefined();
  });
});

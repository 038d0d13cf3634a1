/** Key pairs of the fake token: the private half is DER PKCS#8, the public half a point as CKA_EC_POINT gives it. */
import { createPrivateKey, createPublicKey, diffieHellman, generateKeyPairSync, sign } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { ed25519ph } from '@noble/curves/ed25519.js';
import { p256, p384, p521 } from '@noble/curves/nist.js';
import { secp256k1 } from '@noble/curves/secp256k1.js';
import type { ECDSA } from '@noble/curves/abstract/weierstrass.js';
import type { Mechanism, Template } from '../../src/token/mechanism.ts';
import { TokenError } from '../../src/token/token-error.ts';

const curves: Readonly<Record<string, string>> = {
  '06082a8648ce3d030107': 'P-256',
  '06052b81040022': 'P-384',
  '06052b81040023': 'P-521',
  '06052b8104000a': 'secp256k1',
};
const signers: Readonly<Record<string, ECDSA>> = { 'P-256': p256, 'P-384': p384, 'P-521': p521, secp256k1 };

/** A pair on the curve that CKA_EC_PARAMS names, or of Ed25519. */
export function makePair(parameters: Uint8Array | undefined): { readonly point: Uint8Array; readonly secret: Buffer } {
  const text = Buffer.from(parameters ?? []);
  if (text.subarray(2).toString('latin1') === 'edwards25519') {
    const pair = generateKeyPairSync('ed25519');
    return { point: octetString(part(pair.publicKey, 'x')), secret: pkcs8(pair.privateKey) };
  }
  const namedCurve = curves[text.toString('hex')];
  if (namedCurve === undefined) throw new TokenError('unsupported', 'CKR_CURVE_NOT_SUPPORTED');
  const pair = generateKeyPairSync('ec', { namedCurve });
  const point = Buffer.concat([Uint8Array.of(4), part(pair.publicKey, 'x'), part(pair.publicKey, 'y')]);
  return { point: octetString(point), secret: pkcs8(pair.privateKey) };
}

/** What C_Sign answers: r and s for ECDSA. */
export function signWithPair(mechanism: Mechanism, { KEY_TYPE }: Template, secret: Buffer, data: Uint8Array): Buffer {
  const key = privateKey(secret);
  if (mechanism.name === 'EDDSA' && KEY_TYPE === 'EC_EDWARDS') {
    return mechanism.prehash === true ? Buffer.from(ed25519ph.sign(data, part(key, 'd'))) : sign(null, data, key);
  }
  if (mechanism.name !== 'ECDSA' || KEY_TYPE !== 'EC') throw new TokenError('unsupported', mechanism.name);
  const signer = signers[key.export({ format: 'jwk' }).crv ?? ''];
  if (signer === undefined) throw new TokenError('unsupported', 'CKR_CURVE_NOT_SUPPORTED');
  return Buffer.from(signer.sign(data, part(key, 'd'), { prehash: false, lowS: false, format: 'compact' }));
}

/** The x coordinate of ECDH with a bare point. */
export function agree(secret: Buffer, publicPoint: Uint8Array): Uint8Array {
  const key = privateKey(secret);
  const { crv = '' } = key.export({ format: 'jwk' });
  const half = (publicPoint.length - 1) / 2;
  const [x, y] = [publicPoint.subarray(1, 1 + half), publicPoint.subarray(1 + half)].map((bytes) =>
    Buffer.from(bytes).toString('base64url'),
  );
  const publicKey = createPublicKey({ key: { kty: 'EC', crv, x: x ?? '', y: y ?? '' }, format: 'jwk' });
  return Uint8Array.from(diffieHellman({ privateKey: key, publicKey }));
}

function privateKey(secret: Buffer): KeyObject {
  return createPrivateKey({ key: secret, format: 'der', type: 'pkcs8' });
}

function pkcs8(key: KeyObject): Buffer {
  return key.export({ format: 'der', type: 'pkcs8' });
}

function part(key: KeyObject, name: 'x' | 'y' | 'd'): Buffer {
  return Buffer.from(key.export({ format: 'jwk' })[name] ?? '', 'base64url');
}

function octetString(bytes: Uint8Array): Uint8Array {
  const header = bytes.length < 0x80 ? [0x04, bytes.length] : [0x04, 0x81, bytes.length];
  return Buffer.concat([Uint8Array.from(header), bytes]);
}

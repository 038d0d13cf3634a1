/** Key pairs as PKCS#11 makes them: mechanism, parameters of the public half, and that half as DER once the token has made it. */
import { createPublicKey } from 'node:crypto';
import type { JsonWebKey } from 'node:crypto';
import type { EcCurve, KeyShape } from '../keys/algorithms.ts';
import type { AttributeName, KeyType, Mechanism, Template } from './mechanism.ts';

/** Kinds of key pairs that PKCS#11 2.40 and 3.0 know. */
export type PairShape = Extract<KeyShape, { readonly type: 'rsa' | 'ec' | 'ed25519' }>;

/** What a private key is for. Never two things. */
export type PrivateKeyUse = 'SIGN' | 'DECRYPT' | 'DERIVE';

interface CurveNames {
  /** Name in JSON Web Keys (RFC 7518, section 6.2.1.1; RFC 8812, section 3.1). */
  readonly jwk: string;
  /** DER of the object identifier, as CKA_EC_PARAMS takes it. */
  readonly parameters: string;
  readonly fieldBytes: number;
}

const curves: Readonly<Record<EcCurve, CurveNames>> = {
  prime256v1: { jwk: 'P-256', parameters: '06082a8648ce3d030107', fieldBytes: 32 },
  secp384r1: { jwk: 'P-384', parameters: '06052b81040022', fieldBytes: 48 },
  secp521r1: { jwk: 'P-521', parameters: '06052b81040023', fieldBytes: 66 },
  secp256k1: { jwk: 'secp256k1', parameters: '06052b8104000a', fieldBytes: 32 },
};
/** PrintableString "edwards25519" (PKCS#11 v3.0, section 2.3.5): some HSMs know the curve by its name only. */
const edwards25519 = '130c656477617264733235353139';
/** The object identifier id-Ed25519 (RFC 8410, section 3), as other HSMs know it. */
const edwards25519Identifier = '06032b6570';
const edwardsKeyBytes = 32;
const publicExponent = Uint8Array.of(1, 0, 1);

/** Attributes from which `publicKeyOf` makes the public half. */
export const publicKeyAttributes: readonly AttributeName[] = ['MODULUS', 'PUBLIC_EXPONENT', 'EC_POINT'];

const keyTypes: Readonly<Record<PairShape['type'], KeyType>> = { rsa: 'RSA', ec: 'EC', ed25519: 'EC_EDWARDS' };
const generations: Readonly<Record<PairShape['type'], Mechanism>> = {
  rsa: { name: 'RSA_PKCS_KEY_PAIR_GEN' },
  ec: { name: 'EC_KEY_PAIR_GEN' },
  ed25519: { name: 'EC_EDWARDS_KEY_PAIR_GEN' },
};

export function keyTypeOf(shape: PairShape): KeyType {
  return keyTypes[shape.type];
}

export function generationOf(shape: PairShape): Mechanism {
  return generations[shape.type];
}

/** Length of a coordinate of the curve, which is that of an agreed secret. */
export function fieldBytesOf(curve: EcCurve): number {
  return curves[curve].fieldBytes;
}

/** Is a key with these attributes, of either half, one of this shape? Judges type, size and curve. */
export function isShapeOf(shape: PairShape, { KEY_TYPE: keyType, MODULUS: modulus, EC_PARAMS: parameters }: Template): boolean {
  if (keyType !== keyTypeOf(shape)) return false;
  if (shape.type === 'rsa') return modulus !== undefined && significantBytes(modulus).length === shape.modulusBits / 8;
  const names = shape.type === 'ec' ? [curves[shape.curve].parameters] : [edwards25519, edwards25519Identifier];
  return parameters !== undefined && names.includes(Buffer.from(parameters).toString('hex'));
}

/** The public half that a pair is generated with: a session object, read and destroyed. */
export function publicTemplate(shape: PairShape, use: PrivateKeyUse): Template {
  const uses: Template = { VERIFY: use === 'SIGN', ENCRYPT: use === 'DECRYPT', WRAP: false };
  const place: Template = { CLASS: 'PUBLIC_KEY', KEY_TYPE: keyTypeOf(shape), TOKEN: false, PRIVATE: false };
  if (shape.type === 'rsa') return { ...place, ...uses, MODULUS_BITS: shape.modulusBits, PUBLIC_EXPONENT: publicExponent };
  return { ...place, ...uses, EC_PARAMS: Buffer.from(shape.type === 'ec' ? curves[shape.curve].parameters : edwards25519, 'hex') };
}

/** DER SubjectPublicKeyInfo, or undefined when the attributes are not those of a key of this shape. OpenSSL checks that points are on the curve. */
export function publicKeyOf(shape: PairShape, attributes: Template): Uint8Array | undefined {
  const jwk = shape.type === 'rsa' ? rsaKey(shape.modulusBits, attributes) : pointKey(shape, attributes);
  if (jwk === undefined) return undefined;
  try {
    return Uint8Array.from(createPublicKey({ key: jwk, format: 'jwk' }).export({ format: 'der', type: 'spki' }));
  } catch {
    return undefined;
  }
}

/** The public point of a DER SubjectPublicKeyInfo as CKM_ECDH1_DERIVE takes it: 04, x, y. Throws for keys of no curve. */
export function publicPointOf(publicKey: Uint8Array): Uint8Array {
  const { x = '', y = '' } = createPublicKey({ key: Buffer.from(publicKey), format: 'der', type: 'spki' }).export({ format: 'jwk' });
  return Buffer.concat([Uint8Array.of(4), Buffer.from(x, 'base64url'), Buffer.from(y, 'base64url')]);
}

function rsaKey(modulusBits: number, { MODULUS: modulus, PUBLIC_EXPONENT: exponent }: Template): JsonWebKey | undefined {
  if (modulus === undefined || exponent === undefined) return undefined;
  const significant = significantBytes(modulus);
  if (significant.length !== modulusBits / 8 || (significant[0] ?? 0) < 0x80) return undefined;
  return { kty: 'RSA', n: base64url(significant), e: base64url(exponent) };
}

function significantBytes(modulus: Uint8Array): Uint8Array {
  return modulus.subarray(modulus.findIndex((byte) => byte !== 0));
}

function pointKey(shape: Exclude<PairShape, { type: 'rsa' }>, { EC_POINT: encoded }: Template): JsonWebKey | undefined {
  if (encoded === undefined) return undefined;
  if (shape.type === 'ed25519') {
    const point = octets(encoded, edwardsKeyBytes);
    return point && { kty: 'OKP', crv: 'Ed25519', x: base64url(point) };
  }
  const { jwk, fieldBytes } = curves[shape.curve];
  const point = octets(encoded, 1 + 2 * fieldBytes);
  if (point?.[0] !== 4) return undefined;
  return { kty: 'EC', crv: jwk, x: base64url(point.subarray(1, 1 + fieldBytes)), y: base64url(point.subarray(1 + fieldBytes)) };
}

/** CKA_EC_POINT is a DER OCTET STRING (PKCS#11 v2.40, section 2.3.3); some tokens leave the DER away. */
function octets(encoded: Uint8Array, length: number): Uint8Array | undefined {
  if (encoded.length === length) return encoded;
  const header = length < 0x80 ? [0x04, length] : [0x04, 0x81, length];
  const isDer = encoded.length === header.length + length && header.every((byte, index) => encoded[index] === byte);
  return isDer ? encoded.subarray(header.length) : undefined;
}

function base64url(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64url');
}

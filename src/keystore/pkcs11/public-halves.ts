/** The public half of a private key that came into the token from elsewhere: told by the token, or recovered from signatures. */
import { createHash } from 'node:crypto';
import { equalConstantTime } from '../../bytes.ts';
import type { EcCurve } from '../../keys/algorithms.ts';
import { recoverPublicPoint } from '../../keys/ecdsa-recovery.ts';
import { publicKeyOf, publicTemplate } from '../../token/key-pairs.ts';
import type { PairShape } from '../../token/key-pairs.ts';
import type { AttributeName, Template } from '../../token/mechanism.ts';
import type { DescribedObject, Token } from '../../token/token.ts';

/** What `publicHalfOf` needs to have been read of the private key. */
export const privateKeyAttributes: readonly AttributeName[] = ['MODULUS', 'PUBLIC_EXPONENT', 'EC_PARAMS', 'EC_POINT'];

/** FIPS 186-5, A.1.1. */
const publicExponentMin = 65_537n;
const messages = ['hsm-kms: public half, 1', 'hsm-kms: public half, 2'];

/**
 * DER SubjectPublicKeyInfo, or undefined when the key is not of the shape. Whether the halves belong together is left to be proven. A key on
 * a curve must be one that signs.
 */
export async function publicHalfOf(
  token: Token,
  shape: PairShape,
  { object, attributes }: DescribedObject,
): Promise<Uint8Array | undefined> {
  if (shape.type === 'rsa') return isExponent(attributes) ? publicKeyOf(shape, attributes) : undefined;
  const { EC_PARAMS: parameters, EC_POINT: point } = attributes;
  const expected = publicTemplate(shape, 'SIGN').EC_PARAMS ?? new Uint8Array(0);
  if (shape.type === 'ec' && parameters !== undefined && !equalConstantTime(parameters, expected)) return undefined;
  if (point !== undefined && point.length > 0) return publicKeyOf(shape, attributes);
  if (shape.type !== 'ec') return undefined;
  const recovered = await recoverPoint(token, shape.curve, object);
  return recovered && publicKeyOf(shape, { EC_POINT: recovered });
}

async function recoverPoint(token: Token, curve: EcCurve, object: DescribedObject['object']): Promise<Uint8Array | undefined> {
  const signed = [];
  for (const message of messages) {
    const digest = createHash('sha256').update(message).digest();
    signed.push({ digest, signature: await token.sign({ name: 'ECDSA' }, object, digest) });
  }
  return recoverPublicPoint(curve, signed);
}

function isExponent({ PUBLIC_EXPONENT: exponent }: Template): boolean {
  return exponent !== undefined && exponent.length > 0 && BigInt(`0x${Buffer.from(exponent).toString('hex')}`) >= publicExponentMin;
}

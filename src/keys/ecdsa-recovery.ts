/**
 * The public key of which somebody made ECDSA signatures (SEC 1, section 4.1.6). For private keys whose holder does not tell the public
 * half. Each signature leaves a few candidates: two signatures have one in common.
 */
import { p256, p384, p521 } from '@noble/curves/nist.js';
import { secp256k1 } from '@noble/curves/secp256k1.js';
import { toHex } from '../bytes.ts';
import type { EcCurve } from './algorithms.ts';

/** A signature, r and s of equal length, of a digest that is no longer than the order of the curve. */
export interface SignedDigest {
  readonly digest: Uint8Array;
  readonly signature: Uint8Array;
}

const curves = { prime256v1: p256, secp384r1: p384, secp521r1: p521, secp256k1 } as const;
const recoveryBits = [0, 1, 2, 3];

/** The point 04, x, y, or undefined when the signatures are not of one key, or leave more than one candidate. */
export function recoverPublicPoint(curve: EcCurve, signed: readonly SignedDigest[]): Uint8Array | undefined {
  const [first = new Map<string, Uint8Array>(), ...others] = signed.map((one) => candidates(curve, one));
  const common = [...first].filter(([name]) => others.every((points) => points.has(name)));
  return common.length === 1 ? common[0]?.[1] : undefined;
}

function candidates(curve: EcCurve, { digest, signature }: SignedDigest): Map<string, Uint8Array> {
  const found = new Map<string, Uint8Array>();
  for (const bit of recoveryBits) {
    const point = candidate(curve, bit, digest, signature);
    if (point !== undefined) found.set(toHex(point), point);
  }
  return found;
}

/** Undefined where no point of the curve has the x coordinate that the bit stands for. */
function candidate(curve: EcCurve, bit: number, digest: Uint8Array, signature: Uint8Array): Uint8Array | undefined {
  try {
    return curves[curve].Signature.fromBytes(signature, 'compact').addRecoveryBit(bit).recoverPublicKey(digest).toBytes(false);
  } catch {
    return undefined;
  }
}

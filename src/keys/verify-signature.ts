/** Signatures verified in this process with the stored public key, so that Verify works while a token is away. */
import { constants, publicDecrypt, verify } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { ed25519ph } from '@noble/curves/ed25519.js';
import { keyShape, signingAlgorithm } from './algorithms.ts';
import type { KeyShape, MessageType } from './algorithms.ts';
import { verifyDigest } from './nist-curves.ts';
import { barePublicKey, mlDsa } from './post-quantum.ts';
import { publicKeyObject } from './public-key-object.ts';
import { encodePkcs1, isPssEncoding } from './rsa-encoding.ts';
import type { SignatureDigest } from './rsa-encoding.ts';
import { sm2PublicPoint } from './sm2-curve.ts';
import { isSm2Signature, sm2Digest } from './sm2-signature.ts';

/** What a signature is said to be of. Algorithm, message type, length and key spec were checked to fit. */
export interface SignedMessage {
  readonly keySpec: string;
  /** DER SubjectPublicKeyInfo. */
  readonly publicKey: Uint8Array;
  readonly algorithm: string;
  readonly messageType: MessageType;
  readonly message: Uint8Array;
}

type ShapeOf<Type extends KeyShape['type']> = Extract<KeyShape, { readonly type: Type }>;

const ed25519KeyBytes = 32;

/** True where verification takes about 0.1 ms or less of the thread that calls it, which is what moving it to another one would take. */
export function isVerifiedQuickly({ keySpec, messageType }: SignedMessage): boolean {
  const shape = keyShape(keySpec);
  if (shape.type === 'rsa') return true;
  // Digests are verified by JavaScript, and the other curves are slow in OpenSSL too.
  return messageType === 'RAW' && (shape.type === 'ed25519' || (shape.type === 'ec' && shape.curve === 'prime256v1'));
}

/** Resolves to whether `signature` is right; a signature of any wrong form is not. Takes up to 10 ms of the thread that calls it. */
export async function isSignatureValid(signed: SignedMessage, signature: Uint8Array): Promise<boolean> {
  const shape = keyShape(signed.keySpec);
  switch (shape.type) {
    case 'rsa':
      return isRsaSignature(signed, signature, shape);
    case 'ec':
      return isEcdsaSignature(signed, signature, shape);
    case 'ed25519':
      return isEdDsaSignature(signed, signature);
    case 'ml-dsa':
      return isMlDsaSignature(signed, signature, shape);
    case 'sm2':
      return isSm2DsaSignature(signed, signature);
    case 'aes':
    case 'hmac':
    case 'ml-kem':
      break;
  }
  throw new RangeError(`Signatures of ${signed.keySpec} are not verified in software`);
}

function isRsaSignature(signed: SignedMessage, signature: Uint8Array, { modulusBits }: ShapeOf<'rsa'>): boolean {
  const { scheme, digest } = signingAlgorithm(signed.algorithm);
  const key = publicKeyObject(signed.publicKey);
  if (signature.length !== modulusBits / 8) return false;
  if (signed.messageType === 'DIGEST') return isRsaSignatureOfDigest(signed, signature, key);
  if (scheme === 'pkcs1') return verify(digest ?? null, signed.message, key, signature);
  const options = { key, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: constants.RSA_PSS_SALTLEN_DIGEST };
  return verify(digest ?? null, signed.message, options, signature);
}

function isRsaSignatureOfDigest({ algorithm, message }: SignedMessage, signature: Uint8Array, key: KeyObject): boolean {
  const { scheme, digest } = signingAlgorithm(algorithm);
  let block: Uint8Array;
  try {
    block = publicDecrypt({ key, padding: constants.RSA_NO_PADDING }, signature);
  } catch {
    // The number is not smaller than the modulus.
    return false;
  }
  if (scheme === 'pss') return isPssEncoding(digest as SignatureDigest, message, block);
  return Buffer.compare(block, encodePkcs1(digest as SignatureDigest, message, signature.length)) === 0;
}

function isEcdsaSignature(signed: SignedMessage, signature: Uint8Array, { curve }: ShapeOf<'ec'>): boolean {
  if (signed.messageType === 'DIGEST') return verifyDigest(curve, signed.message, signature, signed.publicKey);
  const { digest } = signingAlgorithm(signed.algorithm);
  return verify(digest ?? null, signed.message, { key: publicKeyObject(signed.publicKey), dsaEncoding: 'der' }, signature);
}

function isEdDsaSignature(signed: SignedMessage, signature: Uint8Array): boolean {
  if (signature.length !== 64) return false;
  if (signingAlgorithm(signed.algorithm).scheme === 'ed25519')
    return verify(null, signed.message, publicKeyObject(signed.publicKey), signature);
  try {
    // RFC 8032, 5.1.7, not the laxer ZIP-215.
    return ed25519ph.verify(signature, signed.message, signed.publicKey.subarray(-ed25519KeyBytes), { zip215: false });
  } catch {
    return false;
  }
}

function isMlDsaSignature(signed: SignedMessage, signature: Uint8Array, { parameters }: ShapeOf<'ml-dsa'>): boolean {
  const publicKey = barePublicKey(parameters, signed.publicKey);
  if (signature.length !== mlDsa[parameters].lengths.signature) return false;
  if (signed.messageType === 'RAW') return mlDsa[parameters].verify(signature, signed.message, publicKey);
  return mlDsa[parameters].internal.verify(signature, signed.message, publicKey, { externalMu: true });
}

function isSm2DsaSignature({ publicKey, messageType, message }: SignedMessage, signature: Uint8Array): boolean {
  const point = sm2PublicPoint(publicKey).toBytes(false);
  return isSm2Signature(publicKey, messageType === 'DIGEST' ? message : sm2Digest(message, point), signature);
}

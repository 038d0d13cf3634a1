/**
 * What keys other than SYMMETRIC_DEFAULT do in the token, one attempt each. Messages are hashed and signatures encoded in this process,
 * so that a message and its digest take one path; the private key operation is the token's.
 */
import { createHash, randomBytes } from 'node:crypto';
import { keyShape, oaepDigests, signingAlgorithm } from '../../keys/algorithms.ts';
import { derSignature } from '../../keys/ecdsa-signature.ts';
import { decodeOaep } from '../../keys/oaep-decoding.ts';
import { digestInfo, encodePkcs1, encodePss } from '../../keys/rsa-encoding.ts';
import type { EcCurve } from '../../keys/algorithms.ts';
import type { SignatureDigest } from '../../keys/rsa-encoding.ts';
import { fieldBytesOf, publicPointOf } from '../../token/key-pairs.ts';
import { agreedSecret } from '../../token/templates.ts';
import type { Token, TokenObject } from '../../token/token.ts';
import type { SigningRequest } from '../keystore.ts';
import { KeyStoreError } from '../keystore.ts';
import { hashNameOf, isHmac } from './algorithm-service.ts';
import type { AlgorithmService } from './algorithm-service.ts';
import { withSessionObject } from './derivation.ts';

/** A key that is open in the token, with what it is. */
export interface OpenKey {
  readonly token: Token;
  readonly object: TokenObject;
  readonly keySpec: string;
}

/** The signature as `KeyUses.sign` describes it. */
export async function signIn(key: OpenKey, service: AlgorithmService, request: SigningRequest): Promise<Uint8Array> {
  const { scheme, digest } = signingAlgorithm(request.algorithm);
  const value = (): Uint8Array =>
    request.messageType === 'DIGEST' || digest === undefined ? request.message : createHash(digest).update(request.message).digest();
  switch (scheme) {
    case 'pkcs1':
    case 'pss':
      return signRsa(key, service, scheme, digest as SignatureDigest, value());
    case 'ecdsa':
      return signEcdsa(key, value());
    case 'ed25519':
      return key.token.sign({ name: 'EDDSA' }, key.object, request.message);
    case 'ed25519ph':
      return key.token.sign({ name: 'EDDSA', prehash: true }, key.object, request.message);
    case 'ml-dsa':
    case 'sm2':
      break;
  }
  throw new KeyStoreError('unsupported', `Signatures of the algorithm ${request.algorithm} are not made in a token`);
}

async function signEcdsa({ token, object, keySpec }: OpenKey, digest: Uint8Array): Promise<Uint8Array> {
  const signature = await token.sign({ name: 'ECDSA' }, object, digest);
  // As long as the order of the curve, which is as long as its field. Anything else would come out as another signature.
  if (signature.length !== 2 * fieldBytesOf(curveOf(keySpec)))
    throw new KeyStoreError(
      'internal',
      `The token made an ECDSA signature of ${signature.length} bytes, which is no signature of this curve`,
    );
  return derSignature(signature);
}

function signRsa(
  { token, object, keySpec }: OpenKey,
  service: AlgorithmService,
  scheme: 'pkcs1' | 'pss',
  digest: SignatureDigest,
  value: Uint8Array,
): Promise<Uint8Array> {
  const hash = hashNameOf(digest);
  if (service.how === 'composed') {
    const block =
      scheme === 'pkcs1'
        ? encodePkcs1(digest, value, modulusBytes(keySpec))
        : encodePss(digest, value, randomBytes(value.length), modulusBytes(keySpec));
    return token.sign({ name: 'RSA_X_509' }, object, block);
  }
  if (scheme === 'pkcs1') return token.sign({ name: 'RSA_PKCS' }, object, digestInfo(digest, value));
  return token.sign({ name: 'RSA_PKCS_PSS', hash, saltBytes: value.length }, object, value);
}

/** The whole HMAC. */
export async function macIn({ token, object }: OpenKey, service: AlgorithmService, message: Uint8Array): Promise<Uint8Array> {
  if (service.how !== 'token' || !isHmac(service.mechanism)) throw new KeyStoreError('unsupported', 'The token does not compute this HMAC');
  return token.sign({ name: service.mechanism }, object, message);
}

/** The plaintext of RSAES-OAEP. Rejects with `invalid-ciphertext`, or with what the token says of a ciphertext that does not open. */
export async function decryptIn(key: OpenKey, service: AlgorithmService, algorithm: string, ciphertext: Uint8Array): Promise<Uint8Array> {
  const { token, object, keySpec } = key;
  const digest = oaepDigests.get(algorithm)?.digest;
  if (digest === undefined) throw new KeyStoreError('unsupported', `The algorithm ${algorithm} does not decrypt in a token`);
  if (ciphertext.length !== modulusBytes(keySpec)) throw doesNotOpen();
  if (service.how === 'token') return token.decrypt({ name: 'RSA_PKCS_OAEP', hash: hashNameOf(digest) }, object, ciphertext);
  const block = await token.decrypt({ name: 'RSA_X_509' }, object, ciphertext);
  if (block.length !== modulusBytes(keySpec)) {
    // A token that leaves zeros away tells its caller about the first byte; in other words than any other block it would tell everybody.
    block.fill(0);
    throw doesNotOpen();
  }
  const plaintext = decodeOaep(digest, block);
  if (plaintext === undefined) throw doesNotOpen();
  return plaintext;
}

/** The x coordinate of ECDH, as long as the field. It is an object in the token for the moment until it was read. */
export async function agreeIn({ token, object, keySpec }: OpenKey, peerPublicKey: Uint8Array): Promise<Uint8Array> {
  const fieldBytes = fieldBytesOf(curveOf(keySpec));
  const mechanism = { name: 'ECDH1_DERIVE', kdf: 'NULL', publicPoint: publicPointOf(peerPublicKey) } as const;
  const derived = await token.deriveKey(mechanism, object, agreedSecret(fieldBytes), ['VALUE']);
  return withSessionObject(token, derived.object, async () => {
    const { VALUE: value } = derived.attributes;
    if (value?.length !== fieldBytes) throw new KeyStoreError('internal', 'The token does not show the whole secret that it agreed on');
    return value;
  });
}

function curveOf(keySpec: string): EcCurve {
  const shape = keyShape(keySpec);
  if (shape.type !== 'ec') throw new KeyStoreError('unsupported', `Keys of spec ${keySpec} are of no curve`);
  return shape.curve;
}

function modulusBytes(keySpec: string): number {
  const shape = keyShape(keySpec);
  if (shape.type !== 'rsa') throw new RangeError(`${keySpec} has no modulus`);
  return shape.modulusBits / 8;
}

function doesNotOpen(): KeyStoreError {
  return new KeyStoreError('invalid-ciphertext', 'The ciphertext does not open');
}

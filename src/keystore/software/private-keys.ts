/**
 * What private keys do in this process: signatures, RSA and SM2 decryption, key agreement, decapsulation. Keys arrive as DER PKCS#8 and
 * stay the caller's to wipe; key objects of node:crypto are overwritten by OpenSSL when they are collected. Every one of these takes up
 * to tens of milliseconds on the thread that calls it.
 */
import { constants, createPublicKey, diffieHellman, privateDecrypt, privateEncrypt, sign } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { ed25519ph } from '@noble/curves/ed25519.js';
import { keyShape, oaepDigests, signingAlgorithm } from '../../keys/algorithms.ts';
import type { Digest } from '../../keys/algorithms.ts';
import { fieldBytesOf, signDigest } from '../../keys/nist-curves.ts';
import { mlDsa, mlKem, withSecretKey } from '../../keys/post-quantum.ts';
import { digestInfo, encodePss } from '../../keys/rsa-encoding.ts';
import type { SignatureDigest } from '../../keys/rsa-encoding.ts';
import { agreeSm2, isSm2PrivateKey, sm2KeyPair, sm2PublicPoint } from '../../keys/sm2-curve.ts';
import { decryptSm2 } from '../../keys/sm2-encryption.ts';
import { signSm2Digest, sm2Digest } from '../../keys/sm2-signature.ts';
import type { SigningRequest } from '../keystore.ts';
import { KeyStoreError } from '../keystore.ts';
import { privateKeyObject } from './private-key-object.ts';

const ed25519SeedBytes = 32;

/** The signature, as `KeyUses.sign` describes it. */
export async function signWithPrivateKey(
  keySpec: string,
  privateKey: Uint8Array,
  request: SigningRequest,
  randomBytes: (lengthBytes: number) => Uint8Array,
): Promise<Uint8Array> {
  const { algorithm, message, messageType } = request;
  const { scheme, digest = null } = signingAlgorithm(algorithm);
  const isDigest = messageType === 'DIGEST';
  switch (scheme) {
    case 'pkcs1':
      return isDigest
        ? signPkcs1Digest(privateKey, digest as SignatureDigest, message)
        : sign(digest, message, privateKeyObject(privateKey));
    case 'pss':
      return isDigest ? signPssDigest(privateKey, digest as SignatureDigest, message, randomBytes) : signPss(privateKey, digest, message);
    case 'ecdsa':
      return isDigest
        ? signEcDigest(keySpec, privateKey, message)
        : sign(digest, message, { key: privateKeyObject(privateKey), dsaEncoding: 'der' });
    case 'ed25519':
      return sign(null, message, privateKeyObject(privateKey));
    case 'ed25519ph':
      return ed25519ph.sign(message, privateKey.subarray(-ed25519SeedBytes));
    case 'ml-dsa':
      return signMlDsa(keySpec, privateKey, request, randomBytes);
    case 'sm2':
      break;
  }
  return signSm2(privateKey, request, randomBytes);
}

function signPss(privateKey: Uint8Array, digest: Digest | null, message: Uint8Array): Uint8Array {
  const padding = constants.RSA_PKCS1_PSS_PADDING;
  return sign(digest, message, { key: privateKeyObject(privateKey), padding, saltLength: constants.RSA_PSS_SALTLEN_DIGEST });
}

function signPkcs1Digest(privateKey: Uint8Array, digest: SignatureDigest, value: Uint8Array): Uint8Array {
  return privateEncrypt({ key: privateKeyObject(privateKey), padding: constants.RSA_PKCS1_PADDING }, digestInfo(digest, value));
}

function signPssDigest(
  privateKey: Uint8Array,
  digest: SignatureDigest,
  value: Uint8Array,
  randomBytes: (lengthBytes: number) => Uint8Array,
): Uint8Array {
  const key = privateKeyObject(privateKey);
  const modulusBytes = (key.asymmetricKeyDetails?.modulusLength ?? 0) / 8;
  const block = encodePss(digest, value, randomBytes(value.length), modulusBytes);
  return privateEncrypt({ key, padding: constants.RSA_NO_PADDING }, block);
}

function signEcDigest(keySpec: string, privateKey: Uint8Array, digest: Uint8Array): Uint8Array {
  const shape = keyShape(keySpec);
  if (shape.type !== 'ec') throw new RangeError(`${keySpec} is no elliptic curve of ECDSA`);
  return signDigest(shape.curve, digest, ecScalar(privateKey, fieldBytesOf(shape.curve)));
}

/**
 * A view of the scalar in PKCS#8 of an elliptic curve: ECPrivateKey (RFC 5915) begins with version 1, and the scalar as long as the
 * field. Not by way of a JSON Web Key, whose text nothing can wipe.
 */
function ecScalar(privateKey: Uint8Array, lengthBytes: number): Uint8Array {
  const bytes = Buffer.from(privateKey.buffer, privateKey.byteOffset, privateKey.length);
  const version = bytes.indexOf(Uint8Array.of(0x02, 0x01, 0x01, 0x04, lengthBytes));
  if (version < 0) throw new KeyStoreError('internal', 'The private key is not in the form that the software store keeps');
  return bytes.subarray(version + 5, version + 5 + lengthBytes);
}

function signMlDsa(
  keySpec: string,
  privateKey: Uint8Array,
  { message, messageType }: SigningRequest,
  randomBytes: (lengthBytes: number) => Uint8Array,
): Uint8Array {
  const shape = keyShape(keySpec);
  if (shape.type !== 'ml-dsa') throw new RangeError(`${keySpec} is no parameter set of ML-DSA`);
  const dsa = mlDsa[shape.parameters];
  const extraEntropy = randomBytes(32);
  return withSecretKey(shape.parameters, privateKey, (secretKey) =>
    messageType === 'EXTERNAL_MU'
      ? dsa.internal.sign(message, secretKey, { externalMu: true, extraEntropy })
      : dsa.sign(message, secretKey, { extraEntropy }),
  );
}

function signSm2(
  privateKey: Uint8Array,
  { message, messageType }: SigningRequest,
  randomBytes: (lengthBytes: number) => Uint8Array,
): Uint8Array {
  const pair = sm2KeyPair(privateKey);
  return signSm2Digest(pair, messageType === 'DIGEST' ? message : sm2Digest(message, pair.point), randomBytes(32));
}

/** SM2PKE. Throws KeyStoreError `invalid-ciphertext`. */
export function openSm2(privateKey: Uint8Array, ciphertext: Uint8Array): Uint8Array {
  const plaintext = decryptSm2(sm2KeyPair(privateKey), ciphertext);
  if (plaintext === undefined) throw new KeyStoreError('invalid-ciphertext', 'The ciphertext does not open');
  return plaintext;
}

/** RSAES-OAEP with an empty label. Throws KeyStoreError `invalid-ciphertext`. */
export function decryptOaep(privateKey: Uint8Array, algorithm: string, ciphertext: Uint8Array): Uint8Array {
  const oaepHash = oaepDigests.get(algorithm)?.digest;
  if (oaepHash === undefined) throw new KeyStoreError('unsupported', `The algorithm ${algorithm} does not decrypt in software`);
  try {
    return openOaep(privateKeyObject(privateKey), oaepHash, ciphertext);
  } catch (error) {
    throw new KeyStoreError('invalid-ciphertext', 'The ciphertext does not open', { cause: error });
  }
}

/** RSAES-OAEP-DECRYPT (RFC 8017, 7.1.2) with an empty label. Throws Error for whatever does not open. */
export function openOaep(key: KeyObject, oaepHash: Digest, ciphertext: Uint8Array): Buffer {
  // Step 1b. OpenSSL takes a ciphertext without its leading zeros for the same one.
  if (ciphertext.length * 8 !== key.asymmetricKeyDetails?.modulusLength)
    throw new RangeError('the ciphertext is not as long as the modulus');
  return privateDecrypt({ key, padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash }, ciphertext);
}

/** The x coordinate of ECDH (SP 800-56A, 5.7.1.2). */
export function agreeOnSecret(privateKey: Uint8Array, peerPublicKey: Uint8Array): Uint8Array {
  // node:crypto knows no Diffie-Hellman between keys that it loaded as SM2.
  if (isSm2PrivateKey(privateKey)) return agreeSm2(sm2KeyPair(privateKey), sm2PublicPoint(peerPublicKey));
  const publicKey = createPublicKey({ key: Buffer.from(peerPublicKey), format: 'der', type: 'spki' });
  return diffieHellman({ privateKey: privateKeyObject(privateKey), publicKey });
}

/** ML-KEM.Decaps (FIPS 203, 7.3). Throws KeyStoreError `invalid-ciphertext` for another length. */
export function decapsulateSecret(keySpec: string, privateKey: Uint8Array, ciphertext: Uint8Array): Uint8Array {
  const shape = keyShape(keySpec);
  if (shape.type !== 'ml-kem') throw new RangeError(`${keySpec} is no parameter set of ML-KEM`);
  if (ciphertext.length !== shape.ciphertextBytes) {
    throw new KeyStoreError('invalid-ciphertext', `A ciphertext of ${keySpec} has ${shape.ciphertextBytes} bytes`);
  }
  return withSecretKey(shape.parameters, privateKey, (secretKey) => mlKem[shape.parameters].decapsulate(ciphertext, secretKey));
}

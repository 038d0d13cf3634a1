/**
 * The one table of key specs and algorithms: what a key of each spec may be used for and with which algorithms, and the sizes
 * and digests of each (kms-api.md section 3). Whether a key store can serve a spec is the key store's to say.
 */
import { KmsError } from '../errors.ts';
import type { KeyUsage } from './key-record.ts';

export type KeyFamily = 'symmetric' | 'hmac' | 'asymmetric';
export type MessageType = 'RAW' | 'DIGEST' | 'EXTERNAL_MU';
/** Digests by the names of node:crypto. */
export type Digest = 'sha1' | 'sha224' | 'sha256' | 'sha384' | 'sha512';
/** Elliptic curves by the names of node:crypto. */
export type EcCurve = 'prime256v1' | 'secp384r1' | 'secp521r1' | 'secp256k1';
export type MlDsaName = 'ml-dsa-44' | 'ml-dsa-65' | 'ml-dsa-87';
export type MlKemName = 'ml-kem-512' | 'ml-kem-768' | 'ml-kem-1024';

/** What kind of key a spec stands for, with its size or parameter set. */
export type KeyShape =
  | { readonly type: 'aes' | 'sm2' }
  | { readonly type: 'ed25519' }
  | { readonly type: 'rsa'; readonly modulusBits: number }
  | { readonly type: 'ec'; readonly curve: EcCurve }
  | { readonly type: 'hmac'; readonly digest: Digest; readonly keyBytes: number }
  | { readonly type: 'ml-dsa'; readonly parameters: MlDsaName }
  | { readonly type: 'ml-kem'; readonly parameters: MlKemName; readonly ciphertextBytes: number };

/** One row of the table of key specs. */
export interface KeySpecRow {
  readonly family: KeyFamily;
  readonly shape: KeyShape;
  /** Algorithms by usage, in the order in which KeyMetadata lists them. A usage without an entry is not possible. */
  readonly algorithms: Readonly<Partial<Record<KeyUsage, readonly string[]>>>;
}

/** One row of the table of signing algorithms. */
export interface SigningAlgorithmRow {
  readonly scheme: 'pkcs1' | 'pss' | 'ecdsa' | 'ed25519' | 'ed25519ph' | 'ml-dsa' | 'sm2';
  /** What RAW messages are hashed with before they are signed, where the scheme signs digests. */
  readonly digest?: Digest;
  /** Length in bytes of the message, by the message types that are possible; undefined for any length. */
  readonly messageTypes: Readonly<Partial<Record<MessageType, number | undefined>>>;
}

const SM2_PLAINTEXT_BYTES_MAX = 1_024;
const OAEP: readonly string[] = ['RSAES_OAEP_SHA_1', 'RSAES_OAEP_SHA_256'];
const RSA_SIGNATURES: readonly string[] = [
  'RSASSA_PKCS1_V1_5_SHA_256',
  'RSASSA_PKCS1_V1_5_SHA_384',
  'RSASSA_PKCS1_V1_5_SHA_512',
  'RSASSA_PSS_SHA_256',
  'RSASSA_PSS_SHA_384',
  'RSASSA_PSS_SHA_512',
];

function rsa(modulusBits: number): KeySpecRow {
  return {
    family: 'asymmetric',
    shape: { type: 'rsa', modulusBits },
    algorithms: { ENCRYPT_DECRYPT: OAEP, SIGN_VERIFY: RSA_SIGNATURES },
  };
}

function nistCurve(curve: EcCurve, signature: string): KeySpecRow {
  return { family: 'asymmetric', shape: { type: 'ec', curve }, algorithms: { SIGN_VERIFY: [signature], KEY_AGREEMENT: ['ECDH'] } };
}

function hmac(digest: Digest, keyBytes: number, algorithm: string): KeySpecRow {
  return { family: 'hmac', shape: { type: 'hmac', digest, keyBytes }, algorithms: { GENERATE_VERIFY_MAC: [algorithm] } };
}

function mlDsa(parameters: MlDsaName): KeySpecRow {
  return { family: 'asymmetric', shape: { type: 'ml-dsa', parameters }, algorithms: { SIGN_VERIFY: ['ML_DSA_SHAKE_256'] } };
}

function mlKem(parameters: MlKemName, ciphertextBytes: number): KeySpecRow {
  const shape = { type: 'ml-kem', parameters, ciphertextBytes } as const;
  return { family: 'asymmetric', shape, algorithms: { ENCAPSULATE_DECAPSULATE: ['ML_KEM'] } };
}

/** Every KeySpec of the API. */
export const keySpecs: ReadonlyMap<string, KeySpecRow> = new Map<string, KeySpecRow>([
  ['SYMMETRIC_DEFAULT', { family: 'symmetric', shape: { type: 'aes' }, algorithms: { ENCRYPT_DECRYPT: ['SYMMETRIC_DEFAULT'] } }],
  ['RSA_2048', rsa(2048)],
  ['RSA_3072', rsa(3072)],
  ['RSA_4096', rsa(4096)],
  ['ECC_NIST_P256', nistCurve('prime256v1', 'ECDSA_SHA_256')],
  ['ECC_NIST_P384', nistCurve('secp384r1', 'ECDSA_SHA_384')],
  ['ECC_NIST_P521', nistCurve('secp521r1', 'ECDSA_SHA_512')],
  ['ECC_SECG_P256K1', { family: 'asymmetric', shape: { type: 'ec', curve: 'secp256k1' }, algorithms: { SIGN_VERIFY: ['ECDSA_SHA_256'] } }],
  [
    'ECC_NIST_EDWARDS25519',
    { family: 'asymmetric', shape: { type: 'ed25519' }, algorithms: { SIGN_VERIFY: ['ED25519_SHA_512', 'ED25519_PH_SHA_512'] } },
  ],
  [
    'SM2',
    {
      family: 'asymmetric',
      shape: { type: 'sm2' },
      algorithms: { ENCRYPT_DECRYPT: ['SM2PKE'], SIGN_VERIFY: ['SM2DSA'], KEY_AGREEMENT: ['ECDH'] },
    },
  ],
  ['HMAC_224', hmac('sha224', 28, 'HMAC_SHA_224')],
  ['HMAC_256', hmac('sha256', 32, 'HMAC_SHA_256')],
  ['HMAC_384', hmac('sha384', 48, 'HMAC_SHA_384')],
  ['HMAC_512', hmac('sha512', 64, 'HMAC_SHA_512')],
  ['ML_DSA_44', mlDsa('ml-dsa-44')],
  ['ML_DSA_65', mlDsa('ml-dsa-65')],
  ['ML_DSA_87', mlDsa('ml-dsa-87')],
  ['ML_KEM_512', mlKem('ml-kem-512', 768)],
  ['ML_KEM_768', mlKem('ml-kem-768', 1088)],
  ['ML_KEM_1024', mlKem('ml-kem-1024', 1568)],
]);

const anyOrDigest = (digestBytes: number): SigningAlgorithmRow['messageTypes'] => ({ RAW: undefined, DIGEST: digestBytes });

/** Every SigningAlgorithm of the API. */
export const signingAlgorithms: ReadonlyMap<string, SigningAlgorithmRow> = new Map<string, SigningAlgorithmRow>([
  ['RSASSA_PKCS1_V1_5_SHA_256', { scheme: 'pkcs1', digest: 'sha256', messageTypes: anyOrDigest(32) }],
  ['RSASSA_PKCS1_V1_5_SHA_384', { scheme: 'pkcs1', digest: 'sha384', messageTypes: anyOrDigest(48) }],
  ['RSASSA_PKCS1_V1_5_SHA_512', { scheme: 'pkcs1', digest: 'sha512', messageTypes: anyOrDigest(64) }],
  ['RSASSA_PSS_SHA_256', { scheme: 'pss', digest: 'sha256', messageTypes: anyOrDigest(32) }],
  ['RSASSA_PSS_SHA_384', { scheme: 'pss', digest: 'sha384', messageTypes: anyOrDigest(48) }],
  ['RSASSA_PSS_SHA_512', { scheme: 'pss', digest: 'sha512', messageTypes: anyOrDigest(64) }],
  ['ECDSA_SHA_256', { scheme: 'ecdsa', digest: 'sha256', messageTypes: anyOrDigest(32) }],
  ['ECDSA_SHA_384', { scheme: 'ecdsa', digest: 'sha384', messageTypes: anyOrDigest(48) }],
  ['ECDSA_SHA_512', { scheme: 'ecdsa', digest: 'sha512', messageTypes: anyOrDigest(64) }],
  ['SM2DSA', { scheme: 'sm2', messageTypes: anyOrDigest(32) }],
  ['ED25519_SHA_512', { scheme: 'ed25519', messageTypes: { RAW: undefined } }],
  // The digest is the message of Ed25519ph, which hashes it once more.
  ['ED25519_PH_SHA_512', { scheme: 'ed25519ph', messageTypes: { DIGEST: 64 } }],
  ['ML_DSA_SHAKE_256', { scheme: 'ml-dsa', messageTypes: { RAW: undefined, EXTERNAL_MU: 64 } }],
]);

/** Digest of label and mask generation, by encryption algorithm. */
export const oaepDigests: ReadonlyMap<string, { readonly digest: Digest; readonly digestBytes: number }> = new Map([
  ['RSAES_OAEP_SHA_1', { digest: 'sha1', digestBytes: 20 } as const],
  ['RSAES_OAEP_SHA_256', { digest: 'sha256', digestBytes: 32 } as const],
]);

/** The algorithms of a key; empty where spec and usage do not fit. */
export function keyAlgorithms(keySpec: string, keyUsage: KeyUsage): readonly string[] {
  return keySpecs.get(keySpec)?.algorithms[keyUsage] ?? [];
}

/** The family of a spec. Throws RangeError for a spec that the API does not have. */
export function keyFamily(keySpec: string): KeyFamily {
  return rowOf(keySpec).family;
}

/** The kind and size of a key. Throws RangeError for a spec that the API does not have. */
export function keyShape(keySpec: string): KeyShape {
  return rowOf(keySpec).shape;
}

function rowOf(keySpec: string): KeySpecRow {
  const row = keySpecs.get(keySpec);
  if (row === undefined) throw new RangeError(`The KMS API has no key spec ${keySpec}`);
  return row;
}

/** The row of a signing algorithm. Throws RangeError for one that the API does not have. */
export function signingAlgorithm(name: string): SigningAlgorithmRow {
  const row = signingAlgorithms.get(name);
  if (row === undefined) throw new RangeError(`The KMS API has no signing algorithm ${name}`);
  return row;
}

/** Checks the length of a message to be signed. Throws KmsError ValidationException when type or length do not fit the algorithm. */
export function assertMessage(algorithm: string, messageType: MessageType, lengthBytes: number): void {
  const { messageTypes } = signingAlgorithm(algorithm);
  if (!(messageType in messageTypes)) {
    throw new KmsError('ValidationException', `MessageType ${messageType} is not compatible with algorithm ${algorithm}.`);
  }
  const expected = messageTypes[messageType];
  if (expected === undefined || expected === lengthBytes) return;
  const what = messageType === 'DIGEST' ? 'Digest' : 'Message representative mu';
  throw new KmsError('ValidationException', `${what} is invalid length for algorithm ${algorithm}.`);
}

/** Checks a plaintext for encryption with a public key. Throws KmsError ValidationException when it is too long. */
export function assertPlaintextLength(algorithm: string, keySpec: string, lengthBytes: number): void {
  const lengthMax = plaintextBytesMax(algorithm, keySpec);
  if (lengthBytes > lengthMax) {
    throw new KmsError(
      'ValidationException',
      `Algorithm ${algorithm} and key spec ${keySpec} cannot encrypt data larger than ${lengthMax} bytes.`,
    );
  }
}

/** RFC 8017, 7.1.1 for RSA; the limit of AWS KMS for SM2. Throws RangeError for algorithms that do not fit the spec. */
function plaintextBytesMax(algorithm: string, keySpec: string): number {
  const shape = keyShape(keySpec);
  if (shape.type === 'sm2' && algorithm === 'SM2PKE') return SM2_PLAINTEXT_BYTES_MAX;
  const oaep = oaepDigests.get(algorithm);
  if (shape.type !== 'rsa' || oaep === undefined) throw new RangeError(`${algorithm} does not encrypt under ${keySpec}`);
  return shape.modulusBits / 8 - 2 * oaep.digestBytes - 2;
}

/** Checks that AWS KMS offers the spec in the partition. Throws KmsError UnsupportedOperationException. */
export function assertOffered(keySpec: string, partition: string): void {
  if (keyShape(keySpec).type === 'sm2' && partition !== 'aws-cn') {
    throw new KmsError('UnsupportedOperationException', `Key spec ${keySpec} is available in China Regions only.`);
  }
}

/** The usage of a new key. Throws KmsError ValidationException when it is missing or does not fit the spec. */
export function usageOfNewKey(keySpec: string, keyUsage: KeyUsage | undefined): KeyUsage {
  if (keyUsage === undefined) {
    if (keySpec === 'SYMMETRIC_DEFAULT') return 'ENCRYPT_DECRYPT';
    throw new KmsError('ValidationException', 'You must specify a KeyUsage value for all KMS keys except for symmetric encryption keys.');
  }
  if (keyAlgorithms(keySpec, keyUsage).length === 0) {
    throw new KmsError('ValidationException', `KeyUsage ${keyUsage} is not compatible with KeySpec ${keySpec}`);
  }
  return keyUsage;
}

/** Checks that a request's algorithm is one of the key's. Throws KmsError InvalidKeyUsageException. */
export function assertAlgorithm(algorithm: string, keySpec: string, keyUsage: KeyUsage): void {
  if (!keyAlgorithms(keySpec, keyUsage).includes(algorithm)) {
    throw new KmsError('InvalidKeyUsageException', `Algorithm ${algorithm} is incompatible with key spec ${keySpec}.`);
  }
}

/**
 * The one table of key specs: what a key of each spec may be used for and with which algorithms (kms-api.md section 3).
 * Whether a key store can serve a spec is the key store's to say.
 */
import { KmsError } from '../errors.ts';
import type { KeyUsage } from './key-record.ts';

export type KeyFamily = 'symmetric' | 'hmac' | 'asymmetric';

/** One row of the table. */
export interface KeySpecRow {
  readonly family: KeyFamily;
  /** Algorithms by usage, in the order in which KeyMetadata lists them. A usage without an entry is not possible. */
  readonly algorithms: Readonly<Partial<Record<KeyUsage, readonly string[]>>>;
}

const OAEP: readonly string[] = ['RSAES_OAEP_SHA_1', 'RSAES_OAEP_SHA_256'];
const RSA_SIGNATURES: readonly string[] = [
  'RSASSA_PKCS1_V1_5_SHA_256',
  'RSASSA_PKCS1_V1_5_SHA_384',
  'RSASSA_PKCS1_V1_5_SHA_512',
  'RSASSA_PSS_SHA_256',
  'RSASSA_PSS_SHA_384',
  'RSASSA_PSS_SHA_512',
];

const rsa: KeySpecRow = { family: 'asymmetric', algorithms: { ENCRYPT_DECRYPT: OAEP, SIGN_VERIFY: RSA_SIGNATURES } };
const mlDsa: KeySpecRow = { family: 'asymmetric', algorithms: { SIGN_VERIFY: ['ML_DSA_SHAKE_256'] } };
const mlKem: KeySpecRow = { family: 'asymmetric', algorithms: { ENCAPSULATE_DECAPSULATE: ['ML_KEM'] } };

function nistCurve(signature: string): KeySpecRow {
  return { family: 'asymmetric', algorithms: { SIGN_VERIFY: [signature], KEY_AGREEMENT: ['ECDH'] } };
}

function hmac(algorithm: string): KeySpecRow {
  return { family: 'hmac', algorithms: { GENERATE_VERIFY_MAC: [algorithm] } };
}

/** Every KeySpec of the API. */
export const keySpecs: ReadonlyMap<string, KeySpecRow> = new Map([
  ['SYMMETRIC_DEFAULT', { family: 'symmetric', algorithms: { ENCRYPT_DECRYPT: ['SYMMETRIC_DEFAULT'] } }],
  ['RSA_2048', rsa],
  ['RSA_3072', rsa],
  ['RSA_4096', rsa],
  ['ECC_NIST_P256', nistCurve('ECDSA_SHA_256')],
  ['ECC_NIST_P384', nistCurve('ECDSA_SHA_384')],
  ['ECC_NIST_P521', nistCurve('ECDSA_SHA_512')],
  ['ECC_SECG_P256K1', { family: 'asymmetric', algorithms: { SIGN_VERIFY: ['ECDSA_SHA_256'] } }],
  ['ECC_NIST_EDWARDS25519', { family: 'asymmetric', algorithms: { SIGN_VERIFY: ['ED25519_SHA_512', 'ED25519_PH_SHA_512'] } }],
  ['SM2', { family: 'asymmetric', algorithms: { ENCRYPT_DECRYPT: ['SM2PKE'], SIGN_VERIFY: ['SM2DSA'], KEY_AGREEMENT: ['ECDH'] } }],
  ['HMAC_224', hmac('HMAC_SHA_224')],
  ['HMAC_256', hmac('HMAC_SHA_256')],
  ['HMAC_384', hmac('HMAC_SHA_384')],
  ['HMAC_512', hmac('HMAC_SHA_512')],
  ['ML_DSA_44', mlDsa],
  ['ML_DSA_65', mlDsa],
  ['ML_DSA_87', mlDsa],
  ['ML_KEM_512', mlKem],
  ['ML_KEM_768', mlKem],
  ['ML_KEM_1024', mlKem],
]);

/** The algorithms of a key; empty where spec and usage do not fit. */
export function keyAlgorithms(keySpec: string, keyUsage: KeyUsage): readonly string[] {
  return keySpecs.get(keySpec)?.algorithms[keyUsage] ?? [];
}

/** The family of a spec. Throws RangeError for a spec that the API does not have. */
export function keyFamily(keySpec: string): KeyFamily {
  const row = keySpecs.get(keySpec);
  if (row === undefined) throw new RangeError(`The KMS API has no key spec ${keySpec}`);
  return row.family;
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

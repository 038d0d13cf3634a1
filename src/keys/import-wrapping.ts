/** Which key material may be wrapped how for its import, as data (kms-api.md 5.2). Whether a key store can do it is the key store's to say. */
import { keyShape } from './algorithms.ts';
import type { Digest, KeyShape } from './algorithms.ts';

/** `oaep`: RSAES-OAEP of the material. `oaep-aes`: RSAES-OAEP of an AES-256 key, then AES-KWP (RFC 5649) of the material under that key. */
export interface OaepWrappingRow {
  readonly scheme: 'oaep' | 'oaep-aes';
  /** Of label and mask generation. */
  readonly digest: Digest;
}

/** `sm2`: the material encrypted under an SM2 key. */
export type WrappingAlgorithmRow = OaepWrappingRow | { readonly scheme: 'sm2' };

/** By AlgorithmSpec of GetParametersForImport. RSAES_PKCS1_V1_5 is not served any more. */
export const wrappingAlgorithms: ReadonlyMap<string, WrappingAlgorithmRow> = new Map<string, WrappingAlgorithmRow>([
  ['RSAES_OAEP_SHA_1', { scheme: 'oaep', digest: 'sha1' }],
  ['RSAES_OAEP_SHA_256', { scheme: 'oaep', digest: 'sha256' }],
  ['RSA_AES_KEY_WRAP_SHA_1', { scheme: 'oaep-aes', digest: 'sha1' }],
  ['RSA_AES_KEY_WRAP_SHA_256', { scheme: 'oaep-aes', digest: 'sha256' }],
  ['SM2PKE', { scheme: 'sm2' }],
]);

/** Every WrappingKeySpec. Each is a KeySpec too. */
export const wrappingKeySpecs: readonly string[] = ['RSA_2048', 'RSA_3072', 'RSA_4096', 'SM2'];

const schemes: Readonly<Record<KeyShape['type'], readonly WrappingAlgorithmRow['scheme'][]>> = {
  aes: ['oaep'],
  hmac: ['oaep'],
  rsa: ['oaep-aes'],
  ec: ['oaep', 'oaep-aes'],
  ed25519: ['oaep', 'oaep-aes'],
  sm2: ['sm2'],
  'ml-dsa': [],
  'ml-kem': [],
};

/** True for specs whose keys can have origin EXTERNAL. Throws RangeError for a spec that the API does not have. */
export function isImportable(keySpec: string): boolean {
  return schemes[keyShape(keySpec).type].length > 0;
}

/** Why material of a spec cannot be wrapped so, as a sentence, or undefined when it can. */
export function wrappingRefusal(keySpec: string, wrappingAlgorithm: string, wrappingKeySpec: string): string | undefined {
  const row = wrappingAlgorithms.get(wrappingAlgorithm);
  if (row === undefined) return `The wrapping algorithm ${wrappingAlgorithm} is not supported.`;
  if (!wrappingKeySpecs.includes(wrappingKeySpec) || (wrappingKeySpec === 'SM2') !== (row.scheme === 'sm2')) {
    return `The wrapping key spec ${wrappingKeySpec} is not valid for the wrapping algorithm ${wrappingAlgorithm}.`;
  }
  if (!schemes[keyShape(keySpec).type].includes(row.scheme)) {
    return `The wrapping algorithm ${wrappingAlgorithm} is not valid for key material of spec ${keySpec}.`;
  }
  // Its PKCS#8 is longer than what such a key encrypts in one block.
  if (keySpec === 'ECC_NIST_P521' && row.scheme === 'oaep' && wrappingKeySpec === 'RSA_2048') {
    return `The wrapping algorithm ${wrappingAlgorithm} with an RSA_2048 wrapping key is not valid for key material of spec ECC_NIST_P521.`;
  }
  return undefined;
}

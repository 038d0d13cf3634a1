/**
 * PKCS#11 mechanisms and attributes by name, with typed parameters. CKM, CKA, CKO and CKK numbers do not pass this file
 * and the request encoder (`token/request-encoder.ts`); everything above speaks names.
 * Source: PKCS#11 v2.40 and v3.0 mechanism specifications.
 */

/** A hash named as PKCS#11 names it. */
export type HashName = 'SHA_1' | 'SHA224' | 'SHA256' | 'SHA384' | 'SHA512';

/**
 * Who makes the GCM IV. `supplied`: the caller's 12 bytes. `token-zeroed`: the token writes it into a zeroed buffer
 * (CloudHSM). `token-appended`: pIv NULL, the token appends it to ciphertext and tag (Luna in FIPS mode).
 */
export type GcmIvSource = 'supplied' | 'token-zeroed' | 'token-appended';

/** A mechanism with its parameter. */
export type Mechanism =
  | { readonly name: PlainMechanismName }
  | { readonly name: 'AES_CBC' | 'AES_CBC_PAD'; readonly iv: Uint8Array }
  | { readonly name: 'AES_CTR'; readonly counterBlock: Uint8Array; readonly counterBits: number }
  | { readonly name: 'AES_GCM'; readonly iv: Uint8Array; readonly aad: Uint8Array; readonly tagBits: 128; readonly ivSource: GcmIvSource }
  | { readonly name: 'AES_KEY_WRAP' | 'AES_KEY_WRAP_PAD' | 'AES_KEY_WRAP_KWP'; readonly iv?: Uint8Array }
  | { readonly name: 'AES_CBC_ENCRYPT_DATA'; readonly iv: Uint8Array; readonly data: Uint8Array }
  | { readonly name: 'AES_ECB_ENCRYPT_DATA'; readonly data: Uint8Array }
  | { readonly name: 'RSA_PKCS_OAEP'; readonly hash: HashName; readonly label?: Uint8Array }
  | { readonly name: 'RSA_AES_KEY_WRAP'; readonly aesBits: 128 | 192 | 256; readonly hash: HashName }
  | { readonly name: 'RSA_PKCS_PSS' | 'SHA256_RSA_PKCS_PSS' | 'SHA384_RSA_PKCS_PSS' | 'SHA512_RSA_PKCS_PSS'; readonly hash: HashName; readonly saltBytes: number }
  | { readonly name: 'ECDH1_DERIVE'; readonly kdf: 'NULL' | 'SHA256_KDF'; readonly publicPoint: Uint8Array; readonly sharedData?: Uint8Array }
  | { readonly name: 'EDDSA'; readonly prehash?: boolean; readonly context?: Uint8Array }
  | { readonly name: 'HKDF_DERIVE'; readonly hash: HashName; readonly extract: boolean; readonly expand: boolean; readonly salt: Uint8Array; readonly info: Uint8Array }
  | {
      /** SP800-108 counter mode: fields laid out as `counter(counterBits) || bytes`, big-endian counter. */
      readonly name: 'SP800_108_COUNTER_KDF';
      readonly prf: 'SHA256_HMAC' | 'SHA384_HMAC' | 'SHA512_HMAC' | 'AES_CMAC';
      readonly counterBits: 8 | 16 | 24 | 32;
      readonly fixedInput: Uint8Array;
    }
  | { readonly name: 'VENDOR'; readonly number: bigint; readonly parameter?: Uint8Array };

/** Mechanisms without a parameter. */
export type PlainMechanismName =
  | 'AES_KEY_GEN'
  | 'GENERIC_SECRET_KEY_GEN'
  | 'RSA_PKCS_KEY_PAIR_GEN'
  | 'EC_KEY_PAIR_GEN'
  | 'EC_EDWARDS_KEY_PAIR_GEN'
  | 'AES_ECB'
  | 'AES_CMAC'
  | 'SHA_1_HMAC'
  | 'SHA224_HMAC'
  | 'SHA256_HMAC'
  | 'SHA384_HMAC'
  | 'SHA512_HMAC'
  | 'RSA_PKCS'
  | 'RSA_X_509'
  | 'SHA256_RSA_PKCS'
  | 'SHA384_RSA_PKCS'
  | 'SHA512_RSA_PKCS'
  | 'ECDSA'
  | 'ECDSA_SHA256'
  | 'ECDSA_SHA384'
  | 'ECDSA_SHA512';

export type MechanismName = Mechanism['name'];

export type ObjectClass = 'DATA' | 'PUBLIC_KEY' | 'PRIVATE_KEY' | 'SECRET_KEY';
export type KeyType = 'AES' | 'GENERIC_SECRET' | 'RSA' | 'EC' | 'EC_EDWARDS';

/** Attributes that this project sets or reads, named without the CKA_ prefix. Booleans, numbers (CK_ULONG), bytes, or a template. */
export interface Template {
  readonly CLASS?: ObjectClass;
  readonly KEY_TYPE?: KeyType;
  readonly TOKEN?: boolean;
  readonly PRIVATE?: boolean;
  readonly LABEL?: string;
  readonly ID?: Uint8Array;
  readonly APPLICATION?: string;
  readonly VALUE?: Uint8Array;
  readonly VALUE_LEN?: number;
  readonly SENSITIVE?: boolean;
  readonly EXTRACTABLE?: boolean;
  readonly ALWAYS_SENSITIVE?: boolean;
  readonly NEVER_EXTRACTABLE?: boolean;
  readonly LOCAL?: boolean;
  readonly TRUSTED?: boolean;
  readonly WRAP_WITH_TRUSTED?: boolean;
  readonly MODIFIABLE?: boolean;
  readonly COPYABLE?: boolean;
  readonly DESTROYABLE?: boolean;
  readonly ENCRYPT?: boolean;
  readonly DECRYPT?: boolean;
  readonly SIGN?: boolean;
  readonly VERIFY?: boolean;
  readonly SIGN_RECOVER?: boolean;
  readonly VERIFY_RECOVER?: boolean;
  readonly WRAP?: boolean;
  readonly UNWRAP?: boolean;
  readonly DERIVE?: boolean;
  readonly MODULUS?: Uint8Array;
  readonly MODULUS_BITS?: number;
  readonly PUBLIC_EXPONENT?: Uint8Array;
  readonly EC_PARAMS?: Uint8Array;
  readonly EC_POINT?: Uint8Array;
  readonly CHECK_VALUE?: Uint8Array;
  readonly ALLOWED_MECHANISMS?: readonly MechanismName[];
  readonly WRAP_TEMPLATE?: Template;
  readonly UNWRAP_TEMPLATE?: Template;
  readonly DERIVE_TEMPLATE?: Template;
}

export type AttributeName = keyof Template;

/** What is remembered of a grant, and what a grant may permit on which key (kms-api.md 5.7). Evaluates nothing. */
import type { KeyIdentity, KeyRecord } from './key-record.ts';

/** The encryption context that a request must carry for the grant to count, and the resource on whose behalf it must be made. */
export interface GrantConstraints {
  readonly encryptionContextEquals?: Readonly<Record<string, string>>;
  readonly encryptionContextSubset?: Readonly<Record<string, string>>;
  readonly sourceArn?: string;
}

/** A principal of IAM, by ARN, or a service principal such as `backup.amazonaws.com`. */
export interface GrantPrincipal {
  readonly kind: 'iam' | 'service';
  readonly name: string;
}

/** A grant on a KMS key. Grants are never changed: they are made, and retired or revoked. */
export interface GrantRecord {
  readonly key: KeyIdentity;
  /** 64 lower-case hex digits. */
  readonly grantId: string;
  /** Empty when the request gave none. */
  readonly name: string;
  readonly createdAtMs: number;
  readonly grantee: GrantPrincipal;
  readonly retiring?: GrantPrincipal;
  /** Account whose principal made the grant. */
  readonly issuingAccount: string;
  /** GrantOperation of the API, each once. */
  readonly operations: readonly string[];
  readonly constraints?: GrantConstraints;
  /** 64 hex digits from which the grant's tokens are made: who cannot read the store cannot make one. */
  readonly tokenKey: string;
  /** Only of named grants: 64 hex digits that are the same for the same request, so that its repetition finds the grant. */
  readonly requestDigest?: string;
}

const ON_ALL_KEYS = ['CreateGrant', 'RetireGrant', 'DescribeKey'];
const ENCRYPTION = ['Encrypt', 'Decrypt', 'ReEncryptFrom', 'ReEncryptTo'];
const DATA_KEYS = ['GenerateDataKey', 'GenerateDataKeyWithoutPlaintext', 'GenerateDataKeyPair', 'GenerateDataKeyPairWithoutPlaintext'];

/** The operations that a grant on this key can permit. */
export function grantableOperations({ keySpec, keyUsage }: Pick<KeyRecord, 'keySpec' | 'keyUsage'>): readonly string[] {
  switch (keyUsage) {
    case 'ENCRYPT_DECRYPT':
      return [...ON_ALL_KEYS, ...ENCRYPTION, ...(keySpec === 'SYMMETRIC_DEFAULT' ? DATA_KEYS : ['GetPublicKey'])];
    case 'SIGN_VERIFY':
      return [...ON_ALL_KEYS, 'Sign', 'Verify', 'GetPublicKey'];
    case 'GENERATE_VERIFY_MAC':
      return [...ON_ALL_KEYS, 'GenerateMac', 'VerifyMac'];
    case 'KEY_AGREEMENT':
      return [...ON_ALL_KEYS, 'DeriveSharedSecret', 'GetPublicKey'];
    case 'ENCAPSULATE_DECAPSULATE':
      break;
  }
  return [...ON_ALL_KEYS, 'Encapsulate', 'Decapsulate', 'GetPublicKey'];
}

/**
 * The sets of parameters that GetParametersForImport hands out: a wrapping key pair of a key store, what it may be used for, and until
 * when. They are items of the store; the import token names one.
 */
import { concatBytes, equalConstantTime, toBase64, toHex } from '../bytes.ts';
import { KmsError } from '../errors.ts';
import { keyArn } from '../keys/arn.ts';
import type { KeyIdentity } from '../keys/key-record.ts';
import type { ItemRecord, Store } from '../store/store.ts';

/** Item kind of the sets. Their owner is the ARN of the key, their name the object id of the wrapping key pair in hex. */
export const importParametersKind = 'import-parameters';

export interface ImportParameters {
  readonly keyStore: string;
  readonly wrappingAlgorithm: string;
  readonly validToMs: number;
  /** Reference of the ImportKey. */
  readonly importKey: Uint8Array;
}

const tokenFormat = 1;
const setNameBytes = 16;
const validToAt = 1 + setNameBytes;
const arnAt = validToAt + 8;

export function importParametersItem(key: KeyIdentity, objectId: Uint8Array, parameters: ImportParameters): ItemRecord {
  const value = { ...parameters, importKey: toBase64(parameters.importKey) };
  return { kind: importParametersKind, owner: keyArn(key), name: toHex(objectId), version: 1, value };
}

export function importParametersOf({ value }: ItemRecord): ImportParameters {
  const { importKey, ...rest } = value as unknown as Omit<ImportParameters, 'importKey'> & { readonly importKey: string };
  return { ...rest, importKey: new Uint8Array(Buffer.from(importKey, 'base64')) };
}

/** ImportToken: format u8 = 1, name of the set (16), its end in ms (u64, big-endian), ARN of the key. Says nothing that is secret. */
export function importToken(key: KeyIdentity, objectId: Uint8Array, validToMs: number): Uint8Array {
  const validTo = Buffer.alloc(8);
  validTo.writeBigUInt64BE(BigInt(validToMs));
  return concatBytes(Uint8Array.of(tokenFormat), objectId, validTo, Buffer.from(keyArn(key), 'utf8'));
}

/**
 * The set that a token names, if it is one of `key` and still valid. Throws KmsError InvalidImportTokenException or
 * ExpiredImportTokenException; the set of an expired token may be gone, so the token's own word is taken for its age.
 */
export function parametersOfToken(token: Uint8Array, key: KeyIdentity, store: Store, nowMs: number): ImportParameters {
  const objectId = token.subarray(1, validToAt);
  const validToMs = token.length < arnAt ? 0 : Number(Buffer.from(token.subarray(validToAt, arnAt)).readBigUInt64BE());
  if (!Number.isSafeInteger(validToMs) || !equalConstantTime(token, importToken(key, objectId, validToMs))) throw invalidToken();
  if (validToMs <= nowMs) throw expiredToken();
  const item = store.item(importParametersKind, keyArn(key), toHex(objectId));
  const parameters = item && importParametersOf(item);
  if (parameters?.validToMs !== validToMs) throw invalidToken();
  return parameters;
}

function invalidToken(): KmsError {
  return new KmsError(
    'InvalidImportTokenException',
    'The request was rejected because the provided import token is invalid or is associated with a different KMS key.',
  );
}

function expiredToken(): KmsError {
  return new KmsError(
    'ExpiredImportTokenException',
    'The request was rejected because the specified import token is expired. Use GetParametersForImport to get a new import token and public key, use the new public key to encrypt the key material, and then try the request again.',
  );
}

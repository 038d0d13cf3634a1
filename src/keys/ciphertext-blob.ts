/**
 * The ciphertext blob: what `CiphertextBlob` of the API holds, byte for byte. Permanent: a blob written by one release
 * opens in every later one. Knows nothing of keys or ciphers. Layout (integers big-endian):
 *
 *     01 02 02 00 78 | version u8 = 1 | suite u8 | length u8, partition | account u64 | length u8, key id
 *     | material id (32) | epoch nonce (16) | IV (12) | ciphertext | tag (16)
 *
 * The first five bytes are those of AWS KMS, so that base64 text begins `AQICAH` and secret scanners know it. The cipher
 * authenticates every byte before the IV and the encryption context as additional data, and the IV as its nonce. (The IV
 * stays out of the additional data because some tokens choose it only while they encrypt.)
 */
import type { CiphertextSuite } from './key-record.ts';

/** A parsed blob, before any key was looked up. The arrays are views of the blob. */
export interface CiphertextHeader {
  readonly suite: CiphertextSuite;
  readonly partition: string;
  /** 12 digits. */
  readonly account: string;
  readonly keyId: string;
  /** 64 lower-case hex digits. */
  readonly materialId: string;
  /** 16 bytes; all zero for suites without epochs, and never all zero for the others. */
  readonly epochNonce: Uint8Array;
  /** 12 bytes. */
  readonly iv: Uint8Array;
  /** Every byte before the IV: authenticated with the encryption context. */
  readonly headerBytes: Uint8Array;
  /** Ciphertext followed by the 16-byte tag. */
  readonly sealed: Uint8Array;
}

/** What the header says before the IV: constant while an epoch lasts. */
export type CiphertextHeaderFields = Pick<CiphertextHeader, 'suite' | 'partition' | 'account' | 'keyId' | 'materialId' | 'epochNonce'>;

/** CiphertextBlob of the API: 1 to 6,144 bytes. */
export const ciphertextBlobBytesMax = 6144;
export const epochNonceBytes = 16;
export const ivBytes = 12;
export const tagBytes = 16;

const magic = Uint8Array.of(1, 2, 2, 0, 0x78);
const formatVersion = 1;
const partitionBytesMax = 32;
const keyIdBytesMax = 64;
const accountMax = 999_999_999_999;
const suiteCodes: Readonly<Record<CiphertextSuite, number>> = { 'derived-aes-cbc-data': 1, 'derived-sp800-108': 2, direct: 3, composed: 4 };
const suitesByCode: ReadonlyMap<number, CiphertextSuite> = new Map(
  Object.entries(suiteCodes).map(([suite, code]) => [code, suite as CiphertextSuite]),
);
const printableAscii = /^[\x21-\x7e]+$/;

/** The bytes before the IV. Throws TypeError when a field does not fit the format: a mistake of the caller, not of a user. */
export function encodeHeader(fields: CiphertextHeaderFields): Uint8Array {
  if (!/^\d{12}$/.test(fields.account)) throw new TypeError('The account of a ciphertext header must have 12 digits');
  if (!/^[0-9a-f]{64}$/.test(fields.materialId)) throw new TypeError('The material id of a ciphertext header must have 64 hex digits');
  if (fields.epochNonce.length !== epochNonceBytes) throw new TypeError('The epoch nonce of a ciphertext header must have 16 bytes');
  const account = Buffer.alloc(8);
  account.writeBigUInt64BE(BigInt(fields.account));
  return Buffer.concat([
    magic,
    Uint8Array.of(formatVersion, suiteCodes[fields.suite]),
    asciiField('partition', fields.partition, partitionBytesMax),
    account,
    asciiField('key id', fields.keyId, keyIdBytesMax),
    Buffer.from(fields.materialId, 'hex'),
    fields.epochNonce,
  ]);
}

/** The whole blob from the bytes before the IV, the IV, and ciphertext with tag. */
export function assembleBlob(headerBytes: Uint8Array, iv: Uint8Array, sealed: Uint8Array): Uint8Array {
  const blob = new Uint8Array(headerBytes.length + ivBytes + sealed.length);
  blob.set(headerBytes, 0);
  blob.set(iv, headerBytes.length);
  blob.set(sealed, headerBytes.length + ivBytes);
  return blob;
}

/** Additional authenticated data: header length (u32), the bytes before the IV, the canonical encryption context. */
export function additionalData(headerBytes: Uint8Array, context: Uint8Array): Uint8Array {
  const data = new Uint8Array(4 + headerBytes.length + context.length);
  data[2] = headerBytes.length >>> 8;
  data[3] = headerBytes.length;
  data.set(headerBytes, 4);
  data.set(context, 4 + headerBytes.length);
  return data;
}

/** The parts of a blob, or undefined when the bytes are not a blob of this service in canonical form. Never throws. */
export function parseCiphertextBlob(blob: Uint8Array): CiphertextHeader | undefined {
  if (blob.length > ciphertextBlobBytesMax || blob.length < magic.length + 2) return undefined;
  const bytes = Buffer.from(blob.buffer, blob.byteOffset, blob.length);
  if (!hasMagic(bytes) || bytes[magic.length] !== formatVersion) return undefined;
  const suite = suitesByCode.get(bytes[magic.length + 1]!);
  const partition = readAscii(bytes, magic.length + 2, partitionBytesMax);
  if (suite === undefined || partition === undefined) return undefined;
  const accountAt = magic.length + 3 + partition.length;
  const account = readAccount(bytes, accountAt);
  const keyId = readAscii(bytes, accountAt + 8, keyIdBytesMax);
  if (account === undefined || keyId === undefined) return undefined;
  const materialIdAt = accountAt + 9 + keyId.length;
  const nonceAt = materialIdAt + 32;
  const ivAt = nonceAt + epochNonceBytes;
  const epochNonce = blob.subarray(nonceAt, ivAt);
  const sealedAt = ivAt + ivBytes;
  if (blob.length <= sealedAt + tagBytes || isZero(epochNonce) !== (suite === 'direct')) return undefined;
  const materialId = bytes.toString('hex', materialIdAt, nonceAt);
  const [headerBytes, iv, sealed] = [blob.subarray(0, ivAt), blob.subarray(ivAt, sealedAt), blob.subarray(sealedAt)];
  return { suite, partition, account, keyId, materialId, epochNonce, iv, headerBytes, sealed };
}

/** True when every byte is zero: the nonce of suites without epochs, and the one that no epoch may have. */
export function isZero(bytes: Uint8Array): boolean {
  let any = 0;
  for (let index = 0; index < bytes.length; index += 1) any |= bytes[index]!;
  return any === 0;
}

function hasMagic(bytes: Uint8Array): boolean {
  for (let index = 0; index < magic.length; index += 1) if (bytes[index] !== magic[index]) return false;
  return true;
}

function asciiField(name: string, text: string, bytesMax: number): Uint8Array {
  if (text.length > bytesMax || !printableAscii.test(text))
    throw new TypeError(`The ${name} of a ciphertext header must be 1 to ${bytesMax} ASCII characters`);
  return Buffer.from(String.fromCharCode(text.length) + text, 'latin1');
}

function readAscii(bytes: Buffer, offset: number, bytesMax: number): string | undefined {
  const length = bytes[offset];
  if (length === undefined || length > bytesMax || offset + 1 + length > bytes.length) return undefined;
  const text = bytes.toString('latin1', offset + 1, offset + 1 + length);
  return printableAscii.test(text) ? text : undefined;
}

function readAccount(bytes: Buffer, offset: number): string | undefined {
  if (offset + 8 > bytes.length) return undefined;
  const account = bytes.readUInt32BE(offset) * 2 ** 32 + bytes.readUInt32BE(offset + 4);
  return account <= accountMax ? String(account).padStart(12, '0') : undefined;
}

/** Numbers and structures of the TPM 2.0 Library specification, Part 2, as far as sealing needs them. Sections in brackets. */
import { createHash } from 'node:crypto';
import { concatBytes } from '../bytes.ts';
import { type TpmReader, type TpmWriter, uint32 } from './marshalling.ts';

/** TPM_ST (6.9). */
export const structureTags = { noSessions: 0x8001, sessions: 0x8002 } as const;
/** TPM_ALG_ID (6.3). */
export const algorithms = { aes: 0x0006, keyedHash: 0x0008, sha256: 0x000b, null: 0x0010, ecc: 0x0023, cfb: 0x0043 } as const;
/** TPM_RH (7.4). */
export const permanentHandles = { owner: 0x4000_0001, null: 0x4000_0007, password: 0x4000_0009 } as const;

/** Digests, names of the hash algorithm, and sizes of SHA-256, the only hash used here. */
export const digestBytes = 32;
/** A Name of an object: the algorithm (2 bytes) and the digest of its public area (Part 1, section 16). */
export const nameBytes: number = 2 + digestBytes;
const coordinateBytes = 32;
const keyBits = 128;
const eccNistP256 = 0x0003;

/** Anything that has a handle. The Name of what is not an object is its handle. */
export interface TpmEntity {
  readonly handle: number;
  readonly name: Uint8Array;
}

/** A hierarchy or a session as an entity. */
export function entityOfHandle(handle: number): TpmEntity {
  return { handle, name: uint32(handle) };
}

/** The Name of an object with this public area (TPMT_PUBLIC, name algorithm SHA-256). */
export function nameOfPublic(publicArea: Uint8Array): Uint8Array {
  return concatBytes(Uint8Array.of(algorithms.sha256 >> 8, algorithms.sha256 & 0xff), createHash('sha256').update(publicArea).digest());
}

/** TPMA_OBJECT (8.3). */
const objectAttributes = {
  fixedTpm: 0x0000_0002,
  fixedParent: 0x0000_0010,
  sensitiveDataOrigin: 0x0000_0020,
  userWithAuth: 0x0000_0040,
  adminWithPolicy: 0x0000_0080,
  noDictionaryAttackProtection: 0x0000_0400,
  restricted: 0x0001_0000,
  decrypt: 0x0002_0000,
} as const;

const fixed = objectAttributes.fixedTpm | objectAttributes.fixedParent | objectAttributes.noDictionaryAttackProtection;

const primaryAttributes =
  fixed | objectAttributes.sensitiveDataOrigin | objectAttributes.userWithAuth | objectAttributes.restricted | objectAttributes.decrypt;

/**
 * Public area of the storage primary key up to its point: ECC P-256, AES-128-CFB for its children, and the
 * attributes of a storage root key (TCG TPM v2.0 Provisioning Guidance); what tpm2-tools calls ecc256:aes128cfb.
 */
export function writePrimaryPublicHead(writer: TpmWriter): void {
  writer.u16(algorithms.ecc).u16(algorithms.sha256).u32(primaryAttributes).sized(new Uint8Array());
  writer.u16(algorithms.aes).u16(keyBits).u16(algorithms.cfb).u16(algorithms.null).u16(eccNistP256).u16(algorithms.null);
}

/** A point of P-256, each coordinate in 32 bytes. */
export interface EccPoint {
  readonly x: Uint8Array;
  readonly y: Uint8Array;
}

/** TPMS_ECC_POINT (11.2.5.2). */
export function writeEccPoint(writer: TpmWriter, { x, y }: EccPoint): void {
  writer.sized(x).sized(y);
}

/** TPMS_ECC_POINT. TPMs may leave out leading zeros. */
export function readEccPoint(reader: TpmReader): EccPoint {
  return { x: leftPadded(reader.sized(coordinateBytes)), y: leftPadded(reader.sized(coordinateBytes)) };
}

function leftPadded(bytes: Uint8Array): Uint8Array {
  return concatBytes(new Uint8Array(coordinateBytes - bytes.length), bytes);
}

/**
 * Public area of a sealed object (TPMT_PUBLIC of type TPM_ALG_KEYEDHASH) up to its unique part. With a policy nothing else opens it;
 * without (`undefined`), the empty password does, on this TPM only. Wrong attempts never lock the TPM.
 */
export function writeSealedPublicHead(writer: TpmWriter, policy: Uint8Array | undefined): void {
  const attributes = fixed | (policy === undefined ? objectAttributes.userWithAuth : objectAttributes.adminWithPolicy);
  writer.u16(algorithms.keyedHash).u16(algorithms.sha256).u32(attributes);
  writer.sized(policy ?? new Uint8Array()).u16(algorithms.null);
}

/** TPMT_SYM_DEF (11.1.6): AES-128-CFB, for encrypted parameters. */
export function writeSessionCipher(writer: TpmWriter): void {
  writer.u16(algorithms.aes).u16(keyBits).u16(algorithms.cfb);
}

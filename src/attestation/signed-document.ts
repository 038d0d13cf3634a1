/** The envelope of an attestation document: COSE_Sign1 (RFC 9052, 4.2) with ES384, tagged or not. Knows no claims. */
import { verify as verifyWithCallback } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { promisify } from 'node:util';
import { decodeCbor, encodeCbor, isByteString } from './cbor.ts';
import { parsed, refused } from './refusal.ts';

export interface SignedDocument {
  /** The protected header as it was signed. */
  readonly protectedHeader: Uint8Array;
  readonly payload: Uint8Array;
  /** r and s of ECDSA on P-384, 48 bytes each. */
  readonly signature: Uint8Array;
}

/** Longer than any document that Nitro makes: at most 16,384 bytes of payload. */
const documentBytesMax = 17_408;
const payloadBytesMax = 16_384;
/** CBOR tag 18 (COSE_Sign1) in its one-byte form. */
const coseSign1Tag = 0xd2;
const algorithmLabel = 1;
const es384 = -35;
const signatureBytes = 96;

const verify = promisify<string, Uint8Array, Parameters<typeof verifyWithCallback>[2], Uint8Array, boolean>(verifyWithCallback);

/** Throws KmsError ValidationException for anything that is not an ES384 COSE_Sign1 of bounded size. */
export function parseSignedDocument(bytes: Uint8Array): SignedDocument {
  if (bytes.length > documentBytesMax) throw refused(`it is longer than ${documentBytesMax} bytes`);
  const untagged = bytes[0] === coseSign1Tag ? bytes.subarray(1) : bytes;
  const parts = parsed('it is not CBOR', () => decodeCbor(untagged));
  if (!Array.isArray(parts) || parts.length !== 4) throw refused('it is not a COSE_Sign1 structure');
  const [protectedHeader, unprotectedHeader, payload, signature] = parts as unknown[];
  if (!isByteString(protectedHeader, 1, 64) || !isEmptyMap(unprotectedHeader)) throw refused('its headers are not those of COSE_Sign1');
  if (!isByteString(payload, 1, payloadBytesMax)) throw refused(`its payload is not a byte string of at most ${payloadBytesMax} bytes`);
  if (!namesEs384(protectedHeader) || !isByteString(signature, signatureBytes, signatureBytes))
    throw refused('it is not signed with ES384');
  return { protectedHeader, payload, signature };
}

/** Rejects with KmsError ValidationException unless `publicKey` made the signature. */
export async function assertSignedBy(document: SignedDocument, publicKey: KeyObject): Promise<void> {
  const { protectedHeader, payload, signature } = document;
  const signed = encodeCbor(['Signature1', protectedHeader, new Uint8Array(), payload]);
  if (!(await verify('sha384', signed, { key: publicKey, dsaEncoding: 'ieee-p1363' }, signature))) {
    throw refused('its signature does not verify');
  }
}

function isEmptyMap(value: unknown): boolean {
  return value instanceof Map && value.size === 0;
}

function namesEs384(protectedHeader: Uint8Array): boolean {
  const header = parsed('its protected header is not CBOR', () => decodeCbor(protectedHeader));
  return header instanceof Map && header.size === 1 && header.get(algorithmLabel) === es384;
}

/**
 * CMS EnvelopedData (RFC 5652, 6) for one RSA key, in the form that AWS KMS answers with: RSAES-OAEP with SHA-256 (RFC 4055) around an
 * AES-256-CBC key, the recipient named by a key identifier. The outer structures have indefinite lengths (BER), because the AWS Nitro
 * Enclaves SDK reads nothing else.
 */
import { constants, createCipheriv, createHash, createPublicKey, publicEncrypt } from 'node:crypto';
import { Constructed, Integer, Null, ObjectIdentifier, OctetString, Primitive, Sequence, Set as Asn1Set } from 'asn1js';
import type { AsnType } from 'asn1js';

const objectIds = {
  data: '1.2.840.113549.1.7.1',
  envelopedData: '1.2.840.113549.1.7.3',
  rsaesOaep: '1.2.840.113549.1.1.7',
  mgf1: '1.2.840.113549.1.1.8',
  sha256: '2.16.840.1.101.3.4.2.1',
  aes256Cbc: '2.16.840.1.101.3.4.1.42',
};
/** CMSVersion and KeyTransRecipientInfo version, both 2 because the recipient is named by a key identifier (RFC 5652, 6.1 and 6.2.1). */
const version = 2;
const contentKeyBytes = 32;
const ivBytes = 16;

/**
 * The content for the holder of the private key only. `publicKey` is DER SubjectPublicKeyInfo of an RSA key; `randomBytes` gives
 * cryptographically strong bytes in a fresh array.
 */
export function envelopedData(content: Uint8Array, publicKey: Uint8Array, randomBytes: (lengthBytes: number) => Uint8Array): Uint8Array {
  const contentKey = randomBytes(contentKeyBytes);
  try {
    const iv = randomBytes(ivBytes);
    const cipher = createCipheriv('aes-256-cbc', contentKey, iv);
    const encryptedContent = Buffer.concat([cipher.update(content), cipher.final()]);
    return contentInfo(recipientInfo(publicKey, contentKey), encryptedContentInfo(iv, encryptedContent));
  } finally {
    contentKey.fill(0);
  }
}

function contentInfo(recipient: AsnType, content: AsnType): Uint8Array {
  const enveloped = indefinite(new Integer({ value: version }), new Asn1Set({ value: [recipient] }), content);
  const tagged = new Constructed({ ...contextTag(0), ...indefiniteLength, value: [enveloped] });
  return new Uint8Array(indefinite(objectId(objectIds.envelopedData), tagged).toBER());
}

/** KeyTransRecipientInfo. The key identifier is the SHA-256 of the SubjectPublicKeyInfo. */
function recipientInfo(publicKey: Uint8Array, contentKey: Uint8Array): AsnType {
  const key = createPublicKey({ key: Buffer.from(publicKey), format: 'der', type: 'spki' });
  const encryptedKey = publicEncrypt({ key, padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash: 'sha256' }, contentKey);
  const keyIdentifier = createHash('sha256').update(publicKey).digest();
  return sequence(
    new Integer({ value: version }),
    new Primitive({ ...contextTag(0), valueHex: keyIdentifier }),
    oaepAlgorithm(),
    new OctetString({ valueHex: encryptedKey }),
  );
}

function oaepAlgorithm(): AsnType {
  const hash = algorithm(objectIds.sha256, new Null());
  const maskGeneration = algorithm(objectIds.mgf1, algorithm(objectIds.sha256, new Null()));
  const parameters = sequence(
    new Constructed({ ...contextTag(0), value: [hash] }),
    new Constructed({ ...contextTag(1), value: [maskGeneration] }),
  );
  return algorithm(objectIds.rsaesOaep, parameters);
}

function encryptedContentInfo(iv: Uint8Array, encryptedContent: Uint8Array): AsnType {
  const content = new OctetString({ valueHex: encryptedContent });
  return indefinite(
    objectId(objectIds.data),
    algorithm(objectIds.aes256Cbc, new OctetString({ valueHex: iv })),
    new Constructed({ ...contextTag(0), ...indefiniteLength, value: [content] }),
  );
}

const indefiniteLength = { lenBlock: { isIndefiniteForm: true } };

function contextTag(tagNumber: number): { readonly idBlock: { readonly tagClass: 3; readonly tagNumber: number } } {
  return { idBlock: { tagClass: 3, tagNumber } };
}

function sequence(...value: AsnType[]): AsnType {
  return new Sequence({ value });
}

function indefinite(...value: AsnType[]): AsnType {
  return new Sequence({ value, ...indefiniteLength });
}

function algorithm(id: string, parameters: AsnType): AsnType {
  return sequence(objectId(id), parameters);
}

function objectId(value: string): AsnType {
  return new ObjectIdentifier({ value });
}

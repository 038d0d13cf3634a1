/**
 * Attestation documents as Nitro makes them, signed under a root that is made on the spot: an EC P-384 path of root, authorities and
 * signer, and a COSE_Sign1 document whose every part a test may change.
 */
import { createPublicKey, generateKeyPairSync, sign } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { AsnConvert, OctetString } from '@peculiar/asn1-schema';
import {
  AlgorithmIdentifier,
  AttributeTypeAndValue,
  AttributeValue,
  BasicConstraints,
  Certificate,
  Extension,
  Extensions,
  id_ce_basicConstraints,
  id_ce_keyUsage,
  KeyUsage,
  KeyUsageFlags,
  Name,
  RelativeDistinguishedName,
  SubjectPublicKeyInfo,
  TBSCertificate,
  Validity,
  Version,
} from '@peculiar/asn1-x509';
import { encode } from 'cborg';

/** What the tests change about a certificate. */
export interface CertificateChanges {
  readonly notBefore?: Date;
  readonly notAfter?: Date;
  readonly authority?: boolean;
  readonly pathLength?: number;
  readonly keyUsage?: KeyUsageFlags;
  readonly curve?: 'P-384' | 'P-256';
  readonly criticalExtension?: string;
}

export interface Issued {
  readonly name: string;
  readonly der: Uint8Array;
  readonly privateKey: KeyObject;
}

export interface DocumentChanges {
  readonly claims?: Readonly<Record<string, unknown>>;
  readonly protectedHeader?: unknown;
  readonly unprotectedHeader?: unknown;
  readonly tagged?: boolean;
  /** Claims as a map of definite length, as older Nitro hypervisors wrote them. */
  readonly definite?: boolean;
  readonly signer?: KeyObject;
  /** Applied to the payload after it was signed. */
  readonly tamper?: (payload: Uint8Array) => Uint8Array;
}

export interface NitroPki {
  /** DER. */
  readonly root: Uint8Array;
  readonly rootPem: string;
  readonly authorities: readonly Issued[];
  readonly signer: Issued;
}

const ecdsaWithSha384 = '1.2.840.10045.4.3.3';
const dayMs = 86_400_000;

/** An RSA pair such as an enclave makes: public key in DER SubjectPublicKeyInfo. */
export function recipientKey(modulusLength = 2_048): { readonly publicKey: Uint8Array; readonly privateKey: KeyObject } {
  const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength });
  return { publicKey: Uint8Array.from(publicKey.export({ type: 'spki', format: 'der' })), privateKey };
}

/** A certificate for a new key, issued by `issuer`, or by itself without one. `atMs` lies within its validity. */
export function issueCertificate(name: string, issuer: Issued | undefined, atMs: number, changes: CertificateChanges = {}): Issued {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: changes.curve ?? 'P-384' });
  const tbsCertificate = new TBSCertificate({
    version: Version.v3,
    serialNumber: Uint8Array.of(1, ...Buffer.from(name)).buffer,
    signature: new AlgorithmIdentifier({ algorithm: ecdsaWithSha384 }),
    issuer: commonName(issuer?.name ?? name),
    subject: commonName(name),
    validity: new Validity({
      notBefore: changes.notBefore ?? new Date(atMs - dayMs),
      notAfter: changes.notAfter ?? new Date(atMs + dayMs),
    }),
    subjectPublicKeyInfo: AsnConvert.parse(publicKey.export({ type: 'spki', format: 'der' }), SubjectPublicKeyInfo),
    extensions: extensionsOf(changes),
  });
  const signature = sign('sha384', Buffer.from(AsnConvert.serialize(tbsCertificate)), issuer?.privateKey ?? privateKey);
  const certificate = new Certificate({
    tbsCertificate,
    signatureAlgorithm: new AlgorithmIdentifier({ algorithm: ecdsaWithSha384 }),
    signatureValue: Uint8Array.from(signature).buffer,
  });
  return { name, der: new Uint8Array(AsnConvert.serialize(certificate)), privateKey };
}

/** A whole path; `changes` by position: `root`, `zone`, `instance`, `signer`. */
export function nitroPki(atMs: number, changes: Readonly<Record<string, CertificateChanges>> = {}): NitroPki {
  const authority = { authority: true, keyUsage: KeyUsageFlags.keyCertSign };
  const root = issueCertificate('root', undefined, atMs, { ...authority, ...changes['root'] });
  const zone = issueCertificate('zone', root, atMs, { ...authority, pathLength: 1, ...changes['zone'] });
  const instance = issueCertificate('instance', zone, atMs, { ...authority, pathLength: 0, ...changes['instance'] });
  const signer = issueCertificate('signer', instance, atMs, { keyUsage: KeyUsageFlags.digitalSignature, ...changes['signer'] });
  return { root: root.der, rootPem: pemOf(root.der), authorities: [root, zone, instance], signer };
}

/** A signed document of an enclave whose PCR0 is 48 times 0xa0, PCR1 48 times 0xa1, and so on. */
export function attestationDocument(
  pki: NitroPki,
  madeAtMs: number,
  publicKey: Uint8Array | null,
  changes: DocumentChanges = {},
): Uint8Array {
  const claims = encode(
    new Map(
      Object.entries({
        module_id: 'i-0123456789abcdef0-enc0123456789abcdef',
        digest: 'SHA384',
        timestamp: madeAtMs,
        pcrs: new Map([0, 1, 2, 3, 4, 8].map((index) => [index, new Uint8Array(48).fill(0xa0 + index)])),
        certificate: pki.signer.der,
        cabundle: pki.authorities.map(({ der }) => der),
        public_key: publicKey,
        user_data: null,
        nonce: null,
        ...changes.claims,
      }).filter(([, value]) => value !== undefined),
    ),
  );
  const payload = changes.definite === true ? claims : indefiniteMap(claims);
  const protectedHeader = encode(changes.protectedHeader ?? new Map([[1, -35]]));
  const signed = encode(['Signature1', protectedHeader, new Uint8Array(), payload]);
  const signature = sign('sha384', signed, { key: changes.signer ?? pki.signer.privateKey, dsaEncoding: 'ieee-p1363' });
  const document = encode([
    protectedHeader,
    changes.unprotectedHeader ?? new Map(),
    changes.tamper?.(payload) ?? payload,
    Uint8Array.from(signature),
  ]);
  return changes.tagged === true ? Uint8Array.of(0xd2, ...document) : document;
}

export function pemOf(der: Uint8Array): string {
  const lines = Buffer.from(der).toString('base64').replaceAll(/.{64}/g, '$&\n');
  return `-----BEGIN CERTIFICATE-----\n${lines}\n-----END CERTIFICATE-----\n`;
}

/** The same map (of fewer than 24 entries) with an indefinite length, as Nitro writes it (RFC 8949, 3.2.2). */
function indefiniteMap(encoded: Uint8Array): Uint8Array {
  return Uint8Array.of(0xbf, ...encoded.subarray(1), 0xff);
}

/** DER SubjectPublicKeyInfo of a private key's other half. */
export function publicHalf(privateKey: KeyObject): Uint8Array {
  return createPublicKey(privateKey).export({ type: 'spki', format: 'der' });
}

function commonName(text: string): Name {
  const attribute = new AttributeTypeAndValue({ type: '2.5.4.3', value: new AttributeValue({ utf8String: text }) });
  return new Name([new RelativeDistinguishedName([attribute])]);
}

function extensionsOf({ authority = false, pathLength, keyUsage, criticalExtension }: CertificateChanges): Extensions {
  const constraints = new BasicConstraints({ cA: authority, ...(pathLength !== undefined && { pathLenConstraint: pathLength }) });
  const extensions = [extension(id_ce_basicConstraints, AsnConvert.serialize(constraints))];
  if (keyUsage !== undefined) extensions.push(extension(id_ce_keyUsage, AsnConvert.serialize(new KeyUsage(keyUsage))));
  if (criticalExtension !== undefined) extensions.push(extension(criticalExtension, Uint8Array.of(5, 0).buffer));
  return new Extensions(extensions);
}

function extension(extnID: string, value: ArrayBuffer): Extension {
  return new Extension({ extnID, critical: true, extnValue: new OctetString(value) });
}

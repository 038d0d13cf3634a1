/**
 * The certificate path of an attestation document, from a pinned root to the key that signed it (RFC 5280, 6.1, as the NSM API's
 * docs/attestation_process.md section 3.2.3 narrows it): one order, P-384 with SHA-384 throughout, no revocation lists.
 */
import { X509Certificate } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { AsnConvert } from '@peculiar/asn1-schema';
import { BasicConstraints, Certificate, id_ce_basicConstraints, id_ce_keyUsage, KeyUsage, KeyUsageFlags } from '@peculiar/asn1-x509';
import type { Extension } from '@peculiar/asn1-x509';
import { parsed, refused } from './refusal.ts';

interface PathCertificate {
  readonly x509: X509Certificate;
  /** The same certificate, for what node:crypto does not show. */
  readonly asn1: Certificate;
}

const ecdsaWithSha384 = '1.2.840.10045.4.3.3';
const understoodExtensions: readonly string[] = [id_ce_basicConstraints, id_ce_keyUsage];

/**
 * The public key of `certificate`, once every certificate of the path was proved by the one before it, `root` being the first.
 * `authorities` begin with the root, as AWS orders them. Throws KmsError ValidationException.
 */
export function keyOfVerifiedPath(root: Uint8Array, authorities: readonly Uint8Array[], certificate: Uint8Array, atMs: number): KeyObject {
  const [first] = authorities;
  if (first === undefined || Buffer.compare(first, root) !== 0) throw refused('its certificates do not begin with the configured root');
  const path = [...authorities, certificate].map(parseCertificate);
  for (const [index, current] of path.entries()) {
    assertForm(current, atMs);
    // A root is trusted because it is configured; its signature of itself proves nothing.
    if (index > 0) assertIssuedBy(current, path[index - 1] as PathCertificate);
    if (index < path.length - 1) assertAuthority(current, path.length - index - 2);
  }
  const leaf = path[path.length - 1] as PathCertificate;
  assertSigner(leaf);
  return leaf.x509.publicKey;
}

/** The DER of a root certificate in PEM. Throws Error that says what is wrong with it. */
export function rootCertificate(pem: Uint8Array): Uint8Array {
  const certificate = new X509Certificate(pem);
  if (!certificate.ca || !isP384(certificate.publicKey)) throw new Error('it is not the certificate of a P-384 certificate authority');
  return Uint8Array.from(certificate.raw);
}

function parseCertificate(der: Uint8Array): PathCertificate {
  const certificate = parsed('one of its certificates is not X.509', () => {
    return { x509: new X509Certificate(der), asn1: AsnConvert.parse(der, Certificate) };
  });
  if (Buffer.compare(certificate.x509.raw, der) !== 0) throw refused('one of its certificates is not DER');
  return certificate;
}

function assertForm({ x509, asn1 }: PathCertificate, atMs: number): void {
  const { notBefore, notAfter } = asn1.tbsCertificate.validity;
  if (!(atMs >= notBefore.getTime().getTime() && atMs <= notAfter.getTime().getTime())) {
    throw refused('one of its certificates is not valid at this time');
  }
  const usesP384 = parsed('one of its certificates has an unknown kind of key', () => isP384(x509.publicKey));
  if (!usesP384 || asn1.signatureAlgorithm.algorithm !== ecdsaWithSha384)
    throw refused('one of its certificates is not of P-384 and SHA-384');
  const unknown = extensionsOf(asn1).some(({ critical, extnID }) => critical && !understoodExtensions.includes(extnID));
  if (unknown) throw refused('one of its certificates has an unknown critical extension');
}

function assertIssuedBy(subject: PathCertificate, issuer: PathCertificate): void {
  if (!subject.x509.checkIssued(issuer.x509) || !subject.x509.verify(issuer.x509.publicKey)) {
    throw refused('its certificates do not prove each other');
  }
}

/** `authoritiesBelow` are the authorities between this one and the signer. */
function assertAuthority({ x509, asn1 }: PathCertificate, authoritiesBelow: number): void {
  const constraints = extensionOf(asn1, id_ce_basicConstraints, BasicConstraints);
  if (!x509.ca || constraints?.cA !== true || !mayUseKeyFor(asn1, KeyUsageFlags.keyCertSign)) {
    throw refused('one of its certificates signs others without being an authority');
  }
  if (authoritiesBelow > (constraints.pathLenConstraint ?? Number.POSITIVE_INFINITY)) throw refused('its certificate path is too long');
}

function assertSigner({ asn1 }: PathCertificate): void {
  const isAuthority = extensionOf(asn1, id_ce_basicConstraints, BasicConstraints)?.cA === true;
  if (isAuthority || !mayUseKeyFor(asn1, KeyUsageFlags.digitalSignature)) {
    throw refused('the certificate of its signer is not one for signatures');
  }
}

function mayUseKeyFor(certificate: Certificate, usage: KeyUsageFlags): boolean {
  const flags = extensionOf(certificate, id_ce_keyUsage, KeyUsage)?.toNumber() ?? 0;
  return (flags & usage) !== 0;
}

function extensionsOf({ tbsCertificate }: Certificate): readonly Extension[] {
  return tbsCertificate.extensions ?? [];
}

function extensionOf<T>(certificate: Certificate, id: string, type: new () => T): T | undefined {
  const extension = extensionsOf(certificate).find(({ extnID }) => extnID === id);
  if (extension === undefined) return undefined;
  return parsed('one of its certificates has a malformed extension', () => AsnConvert.parse(extension.extnValue, type));
}

function isP384(key: KeyObject): boolean {
  return key.asymmetricKeyType === 'ec' && key.asymmetricKeyDetails?.namedCurve === 'secp384r1';
}

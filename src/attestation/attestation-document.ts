/**
 * The claims of an attestation document, within the bounds that AWS publishes (NSM API, docs/attestation_process.md section 3.2.2;
 * EC2 User Guide, "Validate a NitroTPM Attestation Document"). Nothing here is trusted yet.
 */
import { decodeCbor, isByteString } from './cbor.ts';
import { parsed, refused } from './refusal.ts';
import { toHex } from '../bytes.ts';
import type { Attestation } from './attestation.ts';

export interface AttestationDocument extends Omit<Attestation, 'publicKey'> {
  /** DER X.509 certificate of the key that signed the document. */
  readonly certificate: Uint8Array;
  /** DER X.509 certificates from the root to the issuer of `certificate`. */
  readonly authorities: readonly Uint8Array[];
  /** Undefined where the document names no key. */
  readonly publicKey: Uint8Array | undefined;
}

const certificateBytesMax = 1_024;
/** AWS has four; each costs a signature check. */
const authoritiesMax = 8;
const publicKeyBytesMax = 1_024;
const claimBytesMax = 1_024;
const moduleIdCharactersMax = 256;
const pcrsMax = 32;
const pcrLengths: readonly number[] = [32, 48, 64];

/** Throws KmsError ValidationException for a payload of another form. */
export function parseAttestationDocument(payload: Uint8Array): AttestationDocument {
  const claims = parsed('its payload is not CBOR', () => decodeCbor(payload));
  if (!(claims instanceof Map)) throw refused('its payload is not a map');
  const { platform, registers } = registersOf(claims);
  if (claims.get('digest') !== 'SHA384') throw refused('its digest is not SHA384');
  optionalBytes(claims, 'user_data', claimBytesMax);
  optionalBytes(claims, 'nonce', claimBytesMax);
  return {
    platform,
    moduleId: moduleIdOf(claims.get('module_id')),
    madeAtMs: timestampOf(claims.get('timestamp')),
    pcrs: pcrsOf(registers),
    certificate: certificateOf(claims.get('certificate')),
    authorities: authoritiesOf(claims.get('cabundle')),
    publicKey: optionalBytes(claims, 'public_key', publicKeyBytesMax),
  };
}

function registersOf(claims: ReadonlyMap<unknown, unknown>): { readonly platform: Attestation['platform']; readonly registers: unknown } {
  if (claims.has('pcrs') === claims.has('nitrotpm_pcrs')) throw refused('it has not exactly one of pcrs and nitrotpm_pcrs');
  return claims.has('pcrs')
    ? { platform: 'nitro-enclave', registers: claims.get('pcrs') }
    : { platform: 'nitro-tpm', registers: claims.get('nitrotpm_pcrs') };
}

function moduleIdOf(value: unknown): string {
  if (typeof value === 'string' && value.length > 0 && value.length <= moduleIdCharactersMax) return value;
  throw refused('its module_id is not text of a possible length');
}

function timestampOf(value: unknown): number {
  if (typeof value === 'number' && Number.isSafeInteger(value) && value > 0) return value;
  throw refused('its timestamp is not a time in milliseconds');
}

function pcrsOf(value: unknown): ReadonlyMap<number, string> {
  if (!(value instanceof Map) || value.size === 0 || value.size > pcrsMax)
    throw refused(`its PCRs are not a map of 1 to ${pcrsMax} entries`);
  const pcrs = new Map<number, string>();
  for (const [index, digest] of value as Map<unknown, unknown>) {
    if (typeof index !== 'number' || !Number.isInteger(index) || index < 0 || index >= pcrsMax)
      throw refused('a PCR has an impossible number');
    if (!(digest instanceof Uint8Array) || !pcrLengths.includes(digest.length)) throw refused('a PCR has an impossible length');
    pcrs.set(index, toHex(digest));
  }
  return pcrs;
}

function certificateOf(value: unknown): Uint8Array {
  if (isByteString(value, 1, certificateBytesMax)) return value;
  throw refused(`a certificate is not a byte string of at most ${certificateBytesMax} bytes`);
}

function authoritiesOf(value: unknown): readonly Uint8Array[] {
  if (!Array.isArray(value) || value.length === 0 || value.length > authoritiesMax) {
    throw refused(`its cabundle is not a list of 1 to ${authoritiesMax} certificates`);
  }
  return value.map(certificateOf);
}

/** Nitro writes null for a claim that was not asked for. */
function optionalBytes(claims: ReadonlyMap<unknown, unknown>, name: string, bytesMax: number): Uint8Array | undefined {
  const value = claims.get(name) ?? undefined;
  if (value === undefined || isByteString(value, 0, bytesMax)) return value;
  throw refused(`its ${name} is not a byte string of at most ${bytesMax} bytes`);
}

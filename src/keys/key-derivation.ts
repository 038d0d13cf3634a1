/**
 * The fixed encodings from which keys are derived and fingerprints are made: the same in a token and in software.
 * Permanent, like the blob. The argument why they are sound is in `keystore/CRYPTOGRAPHY.md`.
 */

/** What a derived key is for. Each label has exactly 16 ASCII bytes, and keys of different labels are unrelated. */
export type DerivationLabel = 'hsm-kms epoch v1' | 'hsm-kms fingerp.';

export const epochLabel: DerivationLabel = 'hsm-kms epoch v1';
export const fingerprintLabel: DerivationLabel = 'hsm-kms fingerp.';

/** Nonce of the fingerprint key. Reserved: no epoch has it. */
export const fingerprintNonce: Uint8Array = new Uint8Array(16);

/** IV of AES_CBC_ENCRYPT_DATA and of the fingerprint. */
export const zeroBlock: Uint8Array = new Uint8Array(16);

/**
 * Data of CKM_AES_CBC_ENCRYPT_DATA (IV 0): nonce (16), then label (16). The nonce comes first, so that both halves of the
 * derived key depend on it.
 */
export function cbcDerivationData(label: DerivationLabel, nonce: Uint8Array): Uint8Array {
  return Buffer.concat([nonce, Buffer.from(label, 'latin1')]);
}

/**
 * Fixed input of the SP800-108 counter KDF (HMAC-SHA-256, 32-bit counter before it): label, 0x00, nonce as context, and the
 * length of the output in bits, [L] = 256, as u32. Source: NIST SP 800-108r1, section 4.1.
 */
export function counterKdfFixedInput(label: DerivationLabel, nonce: Uint8Array): Uint8Array {
  return Buffer.concat([Buffer.from(label, 'latin1'), Uint8Array.of(0), nonce, Uint8Array.of(0, 0, 1, 0)]);
}

/**
 * The 48 bytes whose AES-256-CBC encryption (IV 0, no padding) is the fingerprint: under the fingerprint key where a material
 * derives, under the material itself where it cannot. The first four bytes are a use counter that no IV has.
 */
export function fingerprintInput(): Uint8Array {
  const input = Buffer.alloc(48);
  input.writeUInt32BE(0xffff_ffff, 0);
  input.write('hsm-kms key material fingerprint v1', 4, 'latin1');
  return input;
}

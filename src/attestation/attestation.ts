/** What a verified attestation document says about who asked. The policy layer compares it, the audit record keeps it. */

/** Claims of a document whose signature, certificate path, age and form were checked. */
export interface Attestation {
  /** Nitro Enclaves measure an enclave image; NitroTPM measures the boot of an instance. */
  readonly platform: 'nitro-enclave' | 'nitro-tpm';
  /** Id of the Nitro module that issued the document, for example `i-1234567890abcdef0-enc9876543210abcde`. */
  readonly moduleId: string;
  /** When the document was made. Milliseconds since the Unix epoch. */
  readonly madeAtMs: number;
  /** Platform configuration registers by number, as lower-case hexadecimal: what `kms:RecipientAttestation:PCR<n>` is compared with. */
  readonly pcrs: ReadonlyMap<number, string>;
  /** DER SubjectPublicKeyInfo of the recipient's RSA key. */
  readonly publicKey: Uint8Array;
}

/** Value of `kms:RecipientAttestation:ImageSha384`: PCR0 of an enclave; undefined where no image was measured. */
export function imageSha384({ platform, pcrs }: Attestation): string | undefined {
  return platform === 'nitro-enclave' ? pcrs.get(0) : undefined;
}

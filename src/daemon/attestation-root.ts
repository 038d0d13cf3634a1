/** The verifier of attestation documents, over the root certificate that the configuration names. */
import { readFileSync } from 'node:fs';
import { type AttestationVerifier, attestationVerifier } from '../attestation/attestation-verifier.ts';
import { rootCertificate } from '../attestation/certificate-path.ts';
import type { Clock } from '../clock.ts';
import type { Config } from '../config/config.ts';

/** Undefined when none is configured. Throws Error that names the file when it holds no usable certificate. */
export function configuredAttestation({ attestation }: Config, clock: Clock): AttestationVerifier | undefined {
  if (attestation === undefined) return undefined;
  const { rootCertificateFile } = attestation;
  try {
    return attestationVerifier(rootCertificate(readFileSync(rootCertificateFile)), clock);
  } catch (error) {
    throw new Error(
      `the root certificate of attestation documents, ${rootCertificateFile}, cannot be used: ${(error as Error).message}. ` +
        'Set attestation.rootCertificateFile to a PEM file, for AWS Nitro the one that AWS publishes',
      { cause: error },
    );
  }
}

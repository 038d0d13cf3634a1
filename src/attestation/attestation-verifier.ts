/**
 * Decides whether an attestation document is to be believed: its form, its certificate path to a configured root, its signature, its age,
 * and the kind of key that it vouches for. Whether its claims suffice is the key policy's question.
 */
import { createPublicKey } from 'node:crypto';
import type { Clock } from '../clock.ts';
import type { Attestation } from './attestation.ts';
import { parseAttestationDocument } from './attestation-document.ts';
import { keyOfVerifiedPath } from './certificate-path.ts';
import { parsed, refused } from './refusal.ts';
import { assertSignedBy, parseSignedDocument } from './signed-document.ts';

/**
 * How far a document's time may be from the clock, in either direction: that of a signed request's. An enclave makes a document for
 * each request, and a replayed one gives nothing to anyone without the enclave's private key.
 */
export const ageMsMax = 300_000;

const modulusBits = { min: 2_048, max: 4_096 };

export interface AttestationVerifier {
  /** Resolves to the claims of a document; rejects with KmsError ValidationException that names the check which failed. */
  verify(document: Uint8Array): Promise<Attestation>;
}

/** `root` is the DER certificate that every path must begin with. */
export function attestationVerifier(root: Uint8Array, clock: Clock): AttestationVerifier {
  return {
    async verify(bytes) {
      const signed = parseSignedDocument(bytes);
      const { certificate, authorities, publicKey, ...claims } = parseAttestationDocument(signed.payload);
      const nowMs = clock.nowMs();
      await assertSignedBy(signed, keyOfVerifiedPath(root, authorities, certificate, nowMs));
      if (Math.abs(nowMs - claims.madeAtMs) > ageMsMax) throw refused('it is not of the last five minutes; make one for each request');
      if (publicKey === undefined || publicKey.length === 0)
        throw refused('it holds no public_key; make it with the public key of the recipient');
      assertRsaKey(publicKey);
      return { ...claims, publicKey };
    },
  };
}

function assertRsaKey(publicKey: Uint8Array): void {
  const reason = 'its public_key is not an RSA key of 2048 to 4096 bits in DER SubjectPublicKeyInfo';
  const key = parsed(reason, () => createPublicKey({ key: Buffer.from(publicKey), format: 'der', type: 'spki' }));
  const { modulusLength = 0, publicExponent = 0n } = key.asymmetricKeyDetails ?? {};
  const isRsa = key.asymmetricKeyType === 'rsa' && modulusLength >= modulusBits.min && modulusLength <= modulusBits.max;
  if (!isRsa || publicExponent < 3n) throw refused(reason);
}

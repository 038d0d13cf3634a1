/**
 * Requests that name a Recipient: their attestation document is verified before anything else is looked at, and what they would have
 * got in clear goes to the attested key only. The pipeline does this for every operation whose API has a Recipient.
 */
import { envelopedData } from '../attestation/enveloped-data.ts';
import { KmsError } from '../errors.ts';
import { missingMember } from '../api/violations.ts';
import type { Attestation } from '../attestation/attestation.ts';
import type { Operation, OperationInput, OperationOutput, ServiceParts } from './operation.ts';

interface RecipientMember {
  readonly AttestationDocument?: Uint8Array;
  /** The API knows one algorithm only. */
  readonly KeyEncryptionAlgorithm?: string;
}

/** True when the request names a Recipient and its operation takes one. */
export function namesRecipient(operation: Operation, input: OperationInput): boolean {
  return operation.forRecipient !== undefined && input['Recipient'] !== undefined;
}

/** Rejects with KmsError: UnsupportedOperationException without a configured root, ValidationException for a document that is not believed. */
export async function attestedRecipient(input: OperationInput, { attestation }: ServiceParts): Promise<Attestation> {
  const { AttestationDocument, KeyEncryptionAlgorithm } = input['Recipient'] as RecipientMember;
  if (attestation === undefined) {
    throw new KmsError(
      'UnsupportedOperationException',
      'Recipient is not supported: no root certificate of attestation documents is configured. Set attestation.rootCertificateFile in the configuration of the service.',
    );
  }
  if (KeyEncryptionAlgorithm === undefined) throw missingMember('recipient.keyEncryptionAlgorithm');
  if (AttestationDocument === undefined) throw missingMember('recipient.attestationDocument');
  return attestation.verify(AttestationDocument);
}

/** The output with its member in clear replaced, and wiped. KeyMaterialId is left out too, as AWS KMS does (kms-api.md 1, 10). */
export function sealedForRecipient(
  operation: Operation,
  output: OperationOutput,
  { publicKey }: Attestation,
  { randomBytes }: ServiceParts,
): OperationOutput {
  const { [operation.forRecipient ?? '']: clear, KeyMaterialId: _materialId, ...rest } = output ?? {};
  if (!(clear instanceof Uint8Array)) throw new Error(`${operation.name} answers without ${operation.forRecipient}`);
  try {
    return { ...rest, CiphertextForRecipient: envelopedData(clear, publicKey, randomBytes) };
  } finally {
    clear.fill(0);
  }
}

/** ReEncrypt: opens a ciphertext under one key and seals its content under another (or the same), without showing it to the caller. */
import { missingMember } from '../api/violations.ts';
import { assertAlgorithm } from '../keys/algorithms.ts';
import { keyArn } from '../keys/arn.ts';
import { defineOperation } from './operation.ts';
import { authenticatedContext, ignoresCiphertext, keyOfCiphertext, open, proveOpens, seal } from './symmetric-encryption.ts';
import type { Operation } from './operation.ts';
import type { EncryptionContext } from './symmetric-encryption.ts';

interface ReEncryptInput {
  readonly CiphertextBlob?: Uint8Array;
  readonly SourceEncryptionContext?: EncryptionContext;
  readonly SourceKeyId?: string;
  readonly DestinationEncryptionContext?: EncryptionContext;
  readonly SourceEncryptionAlgorithm?: string;
  readonly DestinationEncryptionAlgorithm?: string;
  readonly DryRun?: boolean;
  readonly DryRunModifiers?: readonly string[];
}

export const reEncrypt: Operation = defineOperation<ReEncryptInput, 'source' | 'destination'>({
  name: 'ReEncrypt',
  action: { source: 'ReEncryptFrom', destination: 'ReEncryptTo' },
  keys: [
    { member: 'SourceKeyId', as: 'source', aliasAllowed: true, crossAccount: true, optional: true },
    { member: 'DestinationKeyId', as: 'destination', aliasAllowed: true, crossAccount: true },
  ],
  usage: 'ENCRYPT_DECRYPT',
  validate: (input) => {
    if (input.CiphertextBlob === undefined && !ignoresCiphertext(input)) throw missingMember('ciphertextBlob');
    if (input.SourceKeyId === undefined && (ignoresCiphertext(input) || !isSymmetric(input))) throw missingMember('sourceKeyId');
  },
  keysFromInput: (input, context) => {
    if (input.CiphertextBlob === undefined || ignoresCiphertext(input) || !isSymmetric(input)) return {};
    return { source: keyOfCiphertext(input.CiphertextBlob, context.keys['source'], context) };
  },
  check: (input, { keys }) => {
    assertAlgorithm(input.SourceEncryptionAlgorithm ?? 'SYMMETRIC_DEFAULT', keys.source.record.keySpec, 'ENCRYPT_DECRYPT');
    assertAlgorithm(input.DestinationEncryptionAlgorithm ?? 'SYMMETRIC_DEFAULT', keys.destination.record.keySpec, 'ENCRYPT_DECRYPT');
  },
  dryRun: async (input, context) => {
    authenticatedContext(input.DestinationEncryptionContext);
    if (!ignoresCiphertext(input)) await proveOpens(context.keys.source, input.SourceEncryptionContext, context);
  },
  perform: async (input, context) => {
    const { source, destination } = context.keys;
    const opened = await open(source, input.SourceEncryptionContext, context);
    try {
      const sealed = await seal(destination.record, opened.plaintext, input.DestinationEncryptionContext, context);
      return {
        CiphertextBlob: sealed.ciphertext,
        SourceKeyId: keyArn(source.record),
        KeyId: keyArn(destination.record),
        SourceEncryptionAlgorithm: 'SYMMETRIC_DEFAULT',
        DestinationEncryptionAlgorithm: 'SYMMETRIC_DEFAULT',
        SourceKeyMaterialId: opened.materialId,
        DestinationKeyMaterialId: sealed.materialId,
      };
    } finally {
      opened.plaintext.fill(0);
    }
  },
});

function isSymmetric(input: ReEncryptInput): boolean {
  return (input.SourceEncryptionAlgorithm ?? 'SYMMETRIC_DEFAULT') === 'SYMMETRIC_DEFAULT';
}

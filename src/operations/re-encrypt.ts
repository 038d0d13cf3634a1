/** ReEncrypt: opens a ciphertext under one key and seals its content under another (or the same), without showing it to the caller. */
import { missingMember } from '../api/violations.ts';
import { keyArn } from '../keys/arn.ts';
import { checkChoice, checkPlaintext, decryptUnder, encryptionChoice, encryptUnder, isSymmetric, openingKey } from './encryption.ts';
import { recheckedKey } from './key-change.ts';
import { defineOperation } from './operation.ts';
import { ignoresCiphertext } from './symmetric-encryption.ts';
import type { EncryptionChoice, EncryptionResult } from './encryption.ts';
import type { Operation, OperationContext } from './operation.ts';
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
    if (input.SourceKeyId === undefined && (ignoresCiphertext(input) || !isSymmetric(sourceChoice(input))))
      throw missingMember('sourceKeyId');
  },
  keysFromInput: (input, context) => {
    if (input.CiphertextBlob === undefined || ignoresCiphertext(input)) return {};
    const source = openingKey(input.CiphertextBlob, sourceChoice(input), context.keys['source'], context);
    return source === undefined ? {} : { source };
  },
  check: (input, { keys }) => {
    checkChoice(sourceChoice(input), keys.source.record);
    checkChoice(destinationChoice(input), keys.destination.record);
  },
  dryRun: async (input, context) => {
    checkPlaintext(destinationChoice(input), context.keys.destination.record, 0);
    if (ignoresCiphertext(input)) return;
    const { bytes } = await decryptSource(input, context);
    bytes.fill(0);
    checkPlaintext(destinationChoice(input), context.keys.destination.record, bytes.length);
  },
  perform: async (input, context) => {
    const { source, destination } = context.keys;
    const opened = await decryptSource(input, context);
    try {
      const current = recheckedKey('ReEncrypt', destination.record, context);
      const sealed = await encryptUnder(current, destinationChoice(input), opened.bytes, context);
      return {
        CiphertextBlob: sealed.bytes,
        SourceKeyId: keyArn(source.record),
        KeyId: keyArn(destination.record),
        SourceEncryptionAlgorithm: sourceChoice(input).algorithm,
        DestinationEncryptionAlgorithm: destinationChoice(input).algorithm,
        ...(opened.materialId !== undefined && { SourceKeyMaterialId: opened.materialId }),
        ...(sealed.materialId !== undefined && { DestinationKeyMaterialId: sealed.materialId }),
      };
    } finally {
      opened.bytes.fill(0);
    }
  },
});

function sourceChoice(input: ReEncryptInput): EncryptionChoice {
  return encryptionChoice(input.SourceEncryptionAlgorithm, input.SourceEncryptionContext);
}

function destinationChoice(input: ReEncryptInput): EncryptionChoice {
  return encryptionChoice(input.DestinationEncryptionAlgorithm, input.DestinationEncryptionContext);
}

/** `validate` has seen to it that there is a ciphertext wherever this is called. */
function decryptSource(input: ReEncryptInput, context: OperationContext<'source' | 'destination'>): Promise<EncryptionResult> {
  return decryptUnder(context.keys.source, sourceChoice(input), input.CiphertextBlob ?? new Uint8Array(), context);
}

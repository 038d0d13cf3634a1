/** Verify: with the stored public key, so that it works while the key store is away. A wrong signature is an error, never `false`. */
import { KmsError } from '../errors.ts';
import { keyArn } from '../keys/arn.ts';
import { checkSigningInput, publicKeyOf } from './key-uses.ts';
import { usedKey } from './named-key.ts';
import { defineOperation } from './operation.ts';
import type { KeyRecord } from '../keys/key-record.ts';
import type { SigningInput } from './key-uses.ts';
import type { Operation, ServiceParts } from './operation.ts';

interface VerifyInput extends SigningInput {
  readonly Signature: Uint8Array;
}

export const verify: Operation = defineOperation<VerifyInput, 'key'>({
  name: 'Verify',
  action: 'Verify',
  keys: usedKey,
  usage: 'SIGN_VERIFY',
  check: checkSigningInput,
  dryRun: async (input, { keys, parts }) => proveSignature(input, keys.key.record, parts),
  perform: async (input, { keys, parts }) => {
    const { record } = keys.key;
    await proveSignature(input, record, parts);
    return { KeyId: keyArn(record), SignatureValid: true, SigningAlgorithm: input.SigningAlgorithm };
  },
});

async function proveSignature(input: VerifyInput, key: KeyRecord, { publicKeys }: ServiceParts): Promise<void> {
  const { Message: message, MessageType: messageType = 'RAW', SigningAlgorithm: algorithm } = input;
  const signed = { keySpec: key.keySpec, publicKey: publicKeyOf(key, 'Verify'), algorithm, messageType, message };
  if (!(await publicKeys.isSignatureValid(signed, input.Signature))) throw new KmsError('KMSInvalidSignatureException');
}

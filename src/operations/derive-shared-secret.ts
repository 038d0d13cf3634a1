/** DeriveSharedSecret: the raw x coordinate of ECDH with a peer's public key. */
import { KmsError } from '../errors.ts';
import { assertAlgorithm } from '../keys/algorithms.ts';
import { keyArn } from '../keys/arn.ts';
import { isPublicKeyOf } from '../keys/peer-public-key.ts';
import { usableKey } from './key-uses.ts';
import { usedKey } from './named-key.ts';
import { defineOperation } from './operation.ts';
import type { Operation } from './operation.ts';

interface DeriveSharedSecretInput {
  readonly KeyAgreementAlgorithm: string;
  readonly PublicKey: Uint8Array;
}

export const deriveSharedSecret: Operation = defineOperation<DeriveSharedSecretInput, 'key'>({
  name: 'DeriveSharedSecret',
  action: 'DeriveSharedSecret',
  keys: usedKey,
  usage: 'KEY_AGREEMENT',
  forRecipient: 'SharedSecret',
  check: (input, { keys }) => {
    const { keySpec } = keys.key.record;
    assertAlgorithm(input.KeyAgreementAlgorithm, keySpec, 'KEY_AGREEMENT');
    // Recordings show no message here (kms-api.md 10.1, 2).
    if (!isPublicKeyOf(keySpec, input.PublicKey)) throw new KmsError('ValidationException');
  },
  perform: async (input, context) => {
    const { record } = context.keys.key;
    const { bound, keyStore } = usableKey(record, context);
    return {
      KeyId: keyArn(record),
      SharedSecret: await keyStore.agree(bound, input.PublicKey, context.signal),
      KeyAgreementAlgorithm: input.KeyAgreementAlgorithm,
      KeyOrigin: record.origin,
    };
  },
});

/** Encapsulate: a fresh shared secret under the stored ML-KEM public key; no key store is asked. */
import { assertAlgorithm } from '../keys/algorithms.ts';
import { keyArn } from '../keys/arn.ts';
import { publicKeyOf } from './key-uses.ts';
import { usedKey } from './named-key.ts';
import { defineOperation } from './operation.ts';
import type { Operation } from './operation.ts';

interface EncapsulateInput {
  readonly EncapsulationAlgorithm: string;
}

export const encapsulate: Operation = defineOperation<EncapsulateInput, 'key'>({
  name: 'Encapsulate',
  action: 'Encapsulate',
  keys: usedKey,
  usage: 'ENCAPSULATE_DECAPSULATE',
  check: (input, { keys }) => assertAlgorithm(input.EncapsulationAlgorithm, keys.key.record.keySpec, 'ENCAPSULATE_DECAPSULATE'),
  perform: async (input, { keys, parts }) => {
    const { record } = keys.key;
    const { sharedSecret, ciphertext } = await parts.publicKeys.encapsulateTo(publicKeyOf(record, 'Encapsulate'), record.keySpec);
    return {
      KeyId: keyArn(record),
      SharedSecret: sharedSecret,
      SharedSecretCiphertextBlob: ciphertext,
      EncapsulationAlgorithm: input.EncapsulationAlgorithm,
    };
  },
});

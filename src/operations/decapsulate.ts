/** Decapsulate: the shared secret of an ML-KEM ciphertext; a wrong one of the right length gives another secret (FIPS 203, 6.3). */
import { KmsError } from '../errors.ts';
import { assertAlgorithm, keyShape } from '../keys/algorithms.ts';
import { keyArn } from '../keys/arn.ts';
import { usableKey } from './key-uses.ts';
import { usedKey } from './named-key.ts';
import { defineOperation } from './operation.ts';
import type { Operation } from './operation.ts';

interface DecapsulateInput {
  readonly SharedSecretCiphertextBlob: Uint8Array;
  readonly EncapsulationAlgorithm: string;
}

export const decapsulate: Operation = defineOperation<DecapsulateInput, 'key'>({
  name: 'Decapsulate',
  action: 'Decapsulate',
  keys: usedKey,
  usage: 'ENCAPSULATE_DECAPSULATE',
  check: (input, { keys }) => {
    const { keySpec } = keys.key.record;
    assertAlgorithm(input.EncapsulationAlgorithm, keySpec, 'ENCAPSULATE_DECAPSULATE');
    const shape = keyShape(keySpec);
    if (shape.type !== 'ml-kem' || input.SharedSecretCiphertextBlob.length !== shape.ciphertextBytes) {
      throw new KmsError('InvalidCiphertextException');
    }
  },
  perform: async (input, context) => {
    const { record } = context.keys.key;
    const { bound, keyStore } = usableKey(record, context);
    return {
      KeyId: keyArn(record),
      SharedSecret: await keyStore.decapsulate(bound, input.SharedSecretCiphertextBlob, context.signal),
      EncapsulationAlgorithm: input.EncapsulationAlgorithm,
    };
  },
});

/** GenerateRandom: random bytes of the Region's key store. */
import { invalid } from '../api/violations.ts';
import { KmsError } from '../errors.ts';
import { defineOperation } from './operation.ts';
import { regionKeyStore } from './region-key-store.ts';
import type { Operation } from './operation.ts';

interface GenerateRandomInput {
  readonly NumberOfBytes: number;
  readonly CustomKeyStoreId?: string;
}

export const generateRandom: Operation = defineOperation<GenerateRandomInput>({
  name: 'GenerateRandom',
  action: 'GenerateRandom',
  keys: [],
  forRecipient: 'Plaintext',
  validate: (input: Partial<GenerateRandomInput>) => {
    if (input.NumberOfBytes === undefined) throw invalid('NumberOfBytes is required.');
    if (input.CustomKeyStoreId !== undefined) {
      throw new KmsError('CustomKeyStoreNotFoundException', `Custom key store ${input.CustomKeyStoreId} does not exist.`);
    }
  },
  perform: async (input, context) => ({ Plaintext: await regionKeyStore(context).random(input.NumberOfBytes, context.signal) }),
});

/** GenerateRandom: random bytes of the Region's key store, or of a custom one. */
import { invalid } from '../api/violations.ts';
import { KmsError } from '../errors.ts';
import { connectedKeyStore, namedCustomKeyStore } from './custom-key-stores/named-custom-key-store.ts';
import { defineOperation } from './operation.ts';
import { regionKeyStore } from './region-key-store.ts';
import type { KeyStore } from '../keystore/keystore.ts';
import type { Operation, OperationContext } from './operation.ts';

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
  },
  perform: async (input, context) => ({ Plaintext: await keyStoreOf(input, context).random(input.NumberOfBytes, context.signal) }),
});

/** Throws KmsError, of custom key stores: CustomKeyStoreNotFoundException, UnsupportedOperationException for external ones, and as `connectedKeyStore`. */
function keyStoreOf({ CustomKeyStoreId: customKeyStoreId }: GenerateRandomInput, context: OperationContext): KeyStore {
  if (customKeyStoreId === undefined) return regionKeyStore(context);
  const record = namedCustomKeyStore(context.parts.store, context.scope, customKeyStoreId);
  if (record.cluster !== undefined) return connectedKeyStore(record, context);
  throw new KmsError(
    'UnsupportedOperationException',
    `Custom key store ${customKeyStoreId} is an external one, which makes no random bytes.`,
  );
}

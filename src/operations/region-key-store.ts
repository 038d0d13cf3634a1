/** The key store that serves the caller's Region. */
import { KmsError } from '../errors.ts';
import type { KeyStore } from '../keystore/keystore.ts';
import type { OperationContext } from './operation.ts';

/** Throws KmsError UnsupportedOperationException when the configuration gives the Region no key store. */
export function regionKeyStore(context: OperationContext): KeyStore {
  const { region } = context.scope;
  const keyStore = context.parts.keyStores.forNewKeys(region);
  if (keyStore === undefined) {
    throw new KmsError(
      'UnsupportedOperationException',
      `No key store serves the Region ${region}. Add the Region to the configuration of the service.`,
    );
  }
  return keyStore;
}

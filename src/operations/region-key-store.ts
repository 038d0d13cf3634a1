/** The key store that serves the caller's Region, and the one where a new key of a given spec goes. */
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

/**
 * The store for a new key of `keySpec`: that of the Region, or its software fallback where the configuration permits one for specs that
 * the Region's store cannot hold. Throws KmsError UnsupportedOperationException with the reason.
 */
export function keyStoreForSpec(keySpec: string, context: OperationContext): KeyStore {
  const keyStore = regionKeyStore(context);
  if (holds(keyStore, keySpec)) return keyStore;
  const fallback = context.parts.keyStores.fallbackForNewKeys(context.scope.region);
  if (fallback !== undefined && holds(fallback, keySpec)) return fallback;
  throw new KmsError('UnsupportedOperationException', `The key store ${keyStore.name} cannot hold keys of spec ${keySpec}.`);
}

function holds(keyStore: KeyStore, keySpec: string): boolean {
  const { suite, keySpecs = suite === undefined ? [] : ['SYMMETRIC_DEFAULT'] } = keyStore.describe();
  return keySpecs.includes(keySpec);
}

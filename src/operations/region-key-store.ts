/** The key store that serves the caller's Region, and the one where a new key of a given spec goes. */
import { KmsError } from '../errors.ts';
import { assertOffered } from '../keys/algorithms.ts';
import { KeyStoreError } from '../keystore/keystore.ts';
import { transportsMaterial } from '../keystore/pinned-peers.ts';
import type { KeyStore, MaterialImports, MaterialTransport } from '../keystore/keystore.ts';
import type { OperationContext } from './operation.ts';

/** Throws KmsError UnsupportedOperationException when the configuration gives the Region no key store. */
export function regionKeyStore(context: OperationContext): KeyStore {
  const { region } = context.scope;
  const keyStore = context.parts.keyStores.forNewKeys(region);
  if (keyStore === undefined) {
    throw unsupported(`No key store serves the Region ${region}. Add the Region to the configuration of the service.`);
  }
  return keyStore;
}

/**
 * The store for a new key of `keySpec`: that of the Region, or its software fallback where the configuration permits one for specs that
 * the Region's store cannot hold. Throws KmsError UnsupportedOperationException with the reason.
 */
export function keyStoreForSpec(keySpec: string, context: OperationContext): KeyStore {
  assertOffered(keySpec, context.scope.partition);
  const keyStore = firstStore(context, (candidate) => holds(candidate, keySpec));
  if (keyStore !== undefined) return keyStore;
  const { name, refusals } = regionKeyStore(context).describe();
  throw unsupported(refusals?.[keySpec] ?? `The key store ${name} cannot hold keys of spec ${keySpec}.`);
}

/** The store for a new multi-Region key, chosen as for any new key, whose material can be replicated. Throws KmsError UnsupportedOperationException. */
export function keyStoreForMultiRegion(keySpec: string, context: OperationContext): KeyStore & MaterialTransport {
  assertOffered(keySpec, context.scope.partition);
  const keyStore = firstStore(context, (candidate) => holds(candidate, keySpec) && transportsMaterial(candidate));
  if (keyStore !== undefined && transportsMaterial(keyStore)) return keyStore;
  throw unsupported(
    `The key store ${keyStoreForSpec(keySpec, context).name} does not replicate key material, as multi-Region keys need it.`,
  );
}

/** The store into which material for keys of `keySpec` is imported, chosen as for a new key. Throws KmsError UnsupportedOperationException. */
export function keyStoreForImport(keySpec: string, context: OperationContext): KeyStore & MaterialImports {
  assertOffered(keySpec, context.scope.partition);
  const keyStore = firstStore(context, (candidate) => holds(candidate, keySpec) && importsMaterial(candidate));
  if (keyStore !== undefined && importsMaterial(keyStore)) return keyStore;
  throw unsupported(`The key store ${keyStoreForSpec(keySpec, context).name} does not import key material.`);
}

/**
 * Throws KeyStoreError `unavailable` for a store that is known to be away: an intent to make something in it would only be work for the
 * sweeps.
 */
export function assertReachable(keyStore: KeyStore): void {
  if (keyStore.health() === 'unavailable') throw new KeyStoreError('unavailable', `key store ${keyStore.name} is unavailable`);
}

export function importsMaterial(keyStore: KeyStore): keyStore is KeyStore & MaterialImports {
  const { createImportKey, importMaterial, destroyImportKey } = keyStore;
  return [createImportKey, importMaterial, destroyImportKey].every((method) => method !== undefined);
}

/** The Region's store or its fallback, whichever is first to suit. */
function firstStore(context: OperationContext, suits: (keyStore: KeyStore) => boolean): KeyStore | undefined {
  const fallback = context.parts.keyStores.fallbackForNewKeys(context.scope.region);
  return [regionKeyStore(context), ...(fallback === undefined ? [] : [fallback])].find(suits);
}

function holds(keyStore: KeyStore, keySpec: string): boolean {
  const { suite, keySpecs = suite === undefined ? [] : ['SYMMETRIC_DEFAULT'] } = keyStore.describe();
  return keySpecs.includes(keySpec);
}

function unsupported(reason: string): KmsError {
  return new KmsError('UnsupportedOperationException', reason);
}

/** The open key stores by name, and which of them serves new keys of a Region. */
import type { RegionConfig } from '../config/config.ts';
import { KmsError } from '../errors.ts';
import type { KeyStore } from '../keystore/keystore.ts';
import type { KeyStores } from '../operations/key-stores.ts';

/** The key stores of a configuration. `anyRegion` sends the keys of a Region that is not listed to the first Region's key store. */
export function configuredKeyStores(stores: readonly KeyStore[], regions: readonly RegionConfig[], anyRegion: boolean): KeyStores {
  const byName = new Map(stores.map((store) => [store.name, store]));
  const byRegion = new Map(regions.map(({ region, keyStore }) => [region, byName.get(keyStore)]));
  const fallback = anyRegion ? byName.get(regions[0]?.keyStore ?? '') : undefined;
  return {
    forNewKeys: (region) => byRegion.get(region) ?? fallback,
    byName: (name) => {
      const store = byName.get(name);
      if (store !== undefined) return store;
      throw new KmsError('KeyUnavailableException', 'The key store of this key is not part of the running configuration.');
    },
    all: () => stores,
  };
}

/** The open key stores by name, and which of them serves new keys of a Region. */
import type { RegionConfig } from '../config/config.ts';
import { KmsError } from '../errors.ts';
import type { KeyStore } from '../keystore/keystore.ts';
import type { KeyStores } from '../operations/key-stores.ts';

/** The key stores of a configuration. `anyRegion` serves a Region that is not listed as the first entry says. */
export function configuredKeyStores(stores: readonly KeyStore[], regions: readonly RegionConfig[], anyRegion: boolean): KeyStores {
  const byName = new Map(stores.map((store) => [store.name, store]));
  const byRegion = new Map(regions.map((entry) => [entry.region, entry]));
  const entryOf = (region: string): RegionConfig | undefined => byRegion.get(region) ?? (anyRegion ? regions[0] : undefined);
  return {
    forNewKeys: (region) => byName.get(entryOf(region)?.keyStore ?? ''),
    fallbackForNewKeys: (region) => byName.get(entryOf(region)?.fallbackKeyStore ?? ''),
    byName: (name) => {
      const store = byName.get(name);
      if (store !== undefined) return store;
      throw new KmsError('KeyUnavailableException', 'The key store of this key is not part of the running configuration.');
    },
    all: () => stores,
  };
}

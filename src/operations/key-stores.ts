/** The key stores of the service, by name and by Region, as the operations see them. */
import type { KeyStore } from '../keystore/keystore.ts';

export interface KeyStores {
  /** The store where new keys of the Region go. Undefined when the Region is not served. */
  forNewKeys(region: string): KeyStore | undefined;
  /** The software store for new keys of the Region that `forNewKeys` cannot hold. Undefined where the configuration permits none. */
  fallbackForNewKeys(region: string): KeyStore | undefined;
  /** The store that holds a material. Throws KmsError when the configuration no longer has it. */
  byName(name: string): KeyStore;
  all(): readonly KeyStore[];
}

/** Which key store serves the new keys of a Region, and what happens to keys whose store is no longer configured. */
import { describe, expect, it } from 'vitest';
import { configuredKeyStores } from '../../../src/daemon/configured-key-stores.ts';
import type { KeyStore } from '../../../src/keystore/keystore.ts';

const [first, second] = ['first', 'second'].map((name) => ({ name }) as KeyStore) as [KeyStore, KeyStore];
const regions = [
  { region: 'us-east-1', keyStore: 'first' },
  { region: 'eu-west-1', keyStore: 'second' },
];

describe('the key stores of a configuration', () => {
  it('serve new keys of the Regions they are named for', () => {
    const stores = configuredKeyStores([first, second], regions, false);
    expect(stores.forNewKeys('us-east-1')).toBe(first);
    expect(stores.forNewKeys('eu-west-1')).toBe(second);
    expect(stores.forNewKeys('eu-west-2')).toBeUndefined();
    expect(stores.all()).toEqual([first, second]);
  });

  it('serve Regions that are not listed from the first entry when any Region is allowed', () => {
    expect(configuredKeyStores([second, first], regions, true).forNewKeys('ap-south-1')).toBe(first);
  });

  it('have a fallback only where the Region names one', () => {
    const withFallback = [{ region: 'us-east-1', keyStore: 'first', fallbackKeyStore: 'second' }, ...regions.slice(1)];
    const stores = configuredKeyStores([first, second], withFallback, true);
    expect(stores.fallbackForNewKeys('us-east-1')).toBe(second);
    expect(stores.fallbackForNewKeys('eu-west-1')).toBeUndefined();
    expect(stores.fallbackForNewKeys('ap-south-1')).toBe(second);
  });

  it('answer KeyUnavailableException for a key of a store that is gone from the configuration', () => {
    const stores = configuredKeyStores([first], regions, false);
    expect(stores.byName('first')).toBe(first);
    expect(() => stores.byName('second')).toThrow(expect.objectContaining({ code: 'KeyUnavailableException' }) as Error);
  });
});

/** Custom key stores and the keys in them, in the store. Decides nothing but who was first. */
import type { CustomKeyStoreRecord } from '../../keys/custom-key-store-record.ts';
import type { KeyRecord } from '../../keys/key-record.ts';
import type { Change, ItemRecord, JsonValue, Page, Scope, Store } from '../../store/store.ts';

/** Owner: account and Region; name: custom key store id. */
const CUSTOM_KEY_STORE = 'custom-key-store';
/** Owner: account and Region: its version rises whenever one of the custom key stores there is made, changed or deleted. */
const EDITION = 'custom-key-stores-edition';
const EDITION_NAME = 'edition';
/** Owner: account, Region and custom key store; name: key id. */
const KEY = 'custom-key-store-key';

/** AWS quota per account and Region (kms-api.md section 8). */
export const customKeyStoresMax = 10;

/** A custom key store with the scope that it belongs to. */
export interface OwnedCustomKeyStore {
  readonly scope: Scope;
  readonly record: CustomKeyStoreRecord;
}

export function customKeyStore(store: Store, scope: Scope, customKeyStoreId: string): CustomKeyStoreRecord | undefined {
  return recordIn(store.item(CUSTOM_KEY_STORE, scopeName(scope), customKeyStoreId));
}

/** Custom key stores of an account and Region in order of id. */
export function customKeyStores(
  store: Store,
  scope: Scope,
  after?: string,
  limit: number = customKeyStoresMax,
): Page<CustomKeyStoreRecord> {
  const page = store.listItems(CUSTOM_KEY_STORE, scopeName(scope), after, limit);
  return { items: page.items.flatMap((item) => recordIn(item) ?? []), next: page.next };
}

/** Those of all accounts and Regions, for scheduled work. */
export function* allCustomKeyStores(store: Store): Iterable<OwnedCustomKeyStore> {
  for (const item of store.allItems(CUSTOM_KEY_STORE)) {
    const [partition = '', account = '', region = ''] = item.owner.split(':');
    yield { scope: { partition, account, region }, record: recordIn(item) as CustomKeyStoreRecord };
  }
}

/** Puts a record in place of the one with `replacesVersion`, or a new one (0). */
export function customKeyStorePut(scope: Scope, record: CustomKeyStoreRecord, replacesVersion: number): Change {
  return { kind: 'put-item', record: itemOf(scope, record), replacesVersion };
}

export function customKeyStoreDeleted(scope: Scope, record: CustomKeyStoreRecord): Change {
  return { kind: 'delete-item', record: itemOf(scope, record) };
}

/** Commits with a change that was judged by all custom key stores of the scope (names, quota), so that only one of several comes through. */
export function editionRaised(store: Store, scope: Scope): Change {
  const replacesVersion = store.item(EDITION, scopeName(scope), EDITION_NAME)?.version ?? 0;
  const record = { kind: EDITION, owner: scopeName(scope), name: EDITION_NAME, version: replacesVersion + 1, value: null };
  return { kind: 'put-item', record, replacesVersion };
}

/** Remembers a new key as one of its custom key store. */
export function keyInCustomKeyStore(key: KeyRecord, customKeyStoreId: string): Change {
  return { kind: 'put-item', record: keyItem(key, customKeyStoreId), replacesVersion: 0 };
}

/** What has to go together with a key. */
export function keyLeavesCustomKeyStore(key: KeyRecord): readonly Change[] {
  return key.customKeyStoreId === undefined ? [] : [{ kind: 'delete-item', record: keyItem(key, key.customKeyStoreId) }];
}

export function countKeysOf(store: Store, scope: Scope, customKeyStoreId: string): number {
  return store.countItems(KEY, keysOwner(scope, customKeyStoreId));
}

/** Key ids of the keys in a custom key store. O(limit). */
export function keyIdsOf(store: Store, scope: Scope, customKeyStoreId: string, after: string | undefined, limit: number): Page<string> {
  const page = store.listItems(KEY, keysOwner(scope, customKeyStoreId), after, limit);
  return { items: page.items.map(({ name }) => name), next: page.next };
}

function itemOf(scope: Scope, record: CustomKeyStoreRecord): ItemRecord {
  const { customKeyStoreId: name, version } = record;
  return { kind: CUSTOM_KEY_STORE, owner: scopeName(scope), name, version, value: record as unknown as JsonValue };
}

function keyItem(key: KeyRecord, customKeyStoreId: string): ItemRecord {
  return { kind: KEY, owner: keysOwner(key, customKeyStoreId), name: key.keyId, version: 1, value: null };
}

function recordIn(item: ItemRecord | undefined): CustomKeyStoreRecord | undefined {
  return item?.value as unknown as CustomKeyStoreRecord | undefined;
}

function scopeName({ partition, account, region }: Scope): string {
  return `${partition}:${account}:${region}`;
}

function keysOwner(scope: Scope, customKeyStoreId: string): string {
  return `${scopeName(scope)}:${customKeyStoreId}`;
}

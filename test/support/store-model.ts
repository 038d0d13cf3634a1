/** A plain model of the rules of a store, for scope A: what a store must hold after any history of changes. */
import type { AliasRecord, KeyRecord } from '../../src/keys/key-record.ts';
import type { Change, IntentRecord, ItemRecord, Store } from '../../src/store/store.ts';
import { keyIdOf, scopeA } from './store-records.ts';

const listMax = 1_000;

/** Everything that can be read of keys 0 to 2, for comparing with `StoreModel.contents`. */
export function contentsOf(store: Store): unknown {
  return {
    keys: store.listKeys(scopeA, undefined, listMax).items,
    count: store.countKeys(scopeA),
    pending: store
      .keysPendingDeletion()
      .map((key) => key.keyId)
      .toSorted(),
    aliases: store.listAliases(scopeA, undefined, undefined, listMax).items,
    targets: [0, 1, 2].map((number) => store.listAliases(scopeA, keyIdOf(number), undefined, listMax).items),
    items: [0, 1, 2].map((number) => store.listItems('grant', keyIdOf(number), undefined, listMax).items),
    intents: store.intents().toSorted((a, b) => (a.intentId < b.intentId ? -1 : 1)),
    mark: store.mark('m'),
  };
}

export class StoreModel {
  mark: string | undefined;
  #keys = new Map<string, KeyRecord>();
  #aliases = new Map<string, AliasRecord>();
  #items = new Map<string, ItemRecord>();
  #intents = new Map<string, IntentRecord>();

  /** Applies all changes or none; false is a conflict. */
  commit(changes: readonly Change[]): boolean {
    const before = [new Map(this.#keys), new Map(this.#aliases), new Map(this.#items), new Map(this.#intents)] as const;
    if (changes.every((change) => this.#apply(change))) return true;
    [this.#keys, this.#aliases, this.#items, this.#intents] = before;
    return false;
  }

  contents(): unknown {
    const keys = byName(this.#keys);
    const aliases = byName(this.#aliases);
    return {
      keys,
      count: keys.length,
      pending: keys.filter((key) => key.state === 'PendingDeletion').map((key) => key.keyId),
      aliases,
      targets: [0, 1, 2].map((number) => aliases.filter((alias) => alias.targetKeyId === keyIdOf(number))),
      items: [0, 1, 2].map((number) => byName(this.#items).filter((item) => item.owner === keyIdOf(number))),
      intents: byName(this.#intents),
      mark: this.mark,
    };
  }

  #apply(change: Change): boolean {
    switch (change.kind) {
      case 'put-key':
        return put(this.#keys, change.record.keyId, change.record, change.replacesVersion);
      case 'delete-key':
        return remove(this.#keys, change.record.keyId, change.record.version);
      case 'put-alias':
        return put(this.#aliases, change.record.aliasName, change.record, change.replacesVersion);
      case 'delete-alias':
        return remove(this.#aliases, change.record.aliasName, change.record.version);
      case 'put-item':
        return put(this.#items, itemName(change.record), change.record, change.replacesVersion);
      case 'delete-item':
        return remove(this.#items, itemName(change.record), change.record.version);
      case 'put-intent':
        return this.#putIntent(change.record);
      case 'delete-intent':
        break;
    }
    return this.#intents.get(change.intentId)?.fence === change.fence && this.#intents.delete(change.intentId);
  }

  #putIntent(record: IntentRecord): boolean {
    const known = this.#intents.get(record.intentId);
    if (known !== undefined && (known.fence !== record.fence || known.owner !== record.owner)) return false;
    this.#intents.set(record.intentId, record);
    return true;
  }
}

function itemName({ owner, name }: ItemRecord): string {
  return `${owner} ${name}`;
}

function put<T extends { readonly version: number }>(map: Map<string, T>, name: string, record: T, replacesVersion: number): boolean {
  if ((map.get(name)?.version ?? 0) !== replacesVersion) return false;
  map.set(name, record);
  return true;
}

function remove(map: Map<string, { readonly version: number }>, name: string, version: number): boolean {
  return map.get(name)?.version === version && map.delete(name);
}

function byName<T>(map: ReadonlyMap<string, T>): T[] {
  return [...map].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([, value]) => value);
}

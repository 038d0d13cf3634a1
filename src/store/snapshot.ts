/**
 * What the store holds, in memory: every read of a request is answered from here. Only a commit that is on disk may change it.
 * Knows no SQL and checks no versions; records arrive frozen.
 */
import type { AliasRecord, KeyRecord } from '../keys/key-record.ts';
import { SortedNames } from './sorted-names.ts';
import type { Change, IntentRecord, ItemRecord, Page, Scope } from './store.ts';

/** A change that the snapshot can follow. */
export type SnapshotChange = Change | { readonly kind: 'set-mark'; readonly name: string; readonly value: string | undefined };

/** Keys and aliases of one (partition, account, Region). */
interface ScopeIndex {
  readonly keys: Map<string, KeyRecord>;
  readonly keyIds: SortedNames;
  readonly aliases: Map<string, AliasRecord>;
  readonly aliasNames: SortedNames;
  readonly aliasNamesByTarget: Map<string, SortedNames>;
}

/** Items of one kind and owner. */
interface OwnedItems {
  readonly records: Map<string, ItemRecord>;
  readonly names: SortedNames;
}

const noNames = new SortedNames();

export class Snapshot {
  generation = 0;
  readonly #scopes = new Map<string, ScopeIndex>();
  readonly #keysById = new Map<string, readonly KeyRecord[]>();
  readonly #pendingDeletion = new Map<string, KeyRecord>();
  readonly #scheduled = new Map<string, KeyRecord>();
  /** By kind, then by owner. */
  readonly #items = new Map<string, Map<string, OwnedItems>>();
  readonly #intents = new Map<string, IntentRecord>();
  readonly #marks = new Map<string, string>();

  key(scope: Scope, keyId: string): KeyRecord | undefined {
    return this.#scopes.get(scopeName(scope))?.keys.get(keyId);
  }

  keysById(keyId: string): readonly KeyRecord[] {
    return this.#keysById.get(keyId) ?? [];
  }

  listKeys(scope: Scope, after: string | undefined, limit: number): Page<KeyRecord> {
    const index = this.#scopes.get(scopeName(scope));
    return page(index?.keyIds ?? noNames, index?.keys, after, limit);
  }

  alias(scope: Scope, aliasName: string): AliasRecord | undefined {
    return this.#scopes.get(scopeName(scope))?.aliases.get(aliasName);
  }

  listAliases(scope: Scope, targetKeyId: string | undefined, after: string | undefined, limit: number): Page<AliasRecord> {
    const index = this.#scopes.get(scopeName(scope));
    const names = targetKeyId === undefined ? index?.aliasNames : index?.aliasNamesByTarget.get(targetKeyId);
    return page(names ?? noNames, index?.aliases, after, limit);
  }

  countAliases(scope: Scope, targetKeyId: string): number {
    return this.#scopes.get(scopeName(scope))?.aliasNamesByTarget.get(targetKeyId)?.size ?? 0;
  }

  countKeys(scope: Scope): number {
    return this.#scopes.get(scopeName(scope))?.keys.size ?? 0;
  }

  keysPendingDeletion(): readonly KeyRecord[] {
    return [...this.#pendingDeletion.values()];
  }

  scheduledKeys(): readonly KeyRecord[] {
    return [...this.#scheduled.values()];
  }

  item(kind: string, owner: string, name: string): ItemRecord | undefined {
    return this.#items.get(kind)?.get(owner)?.records.get(name);
  }

  listItems(kind: string, owner: string, after: string | undefined, limit: number): Page<ItemRecord> {
    const owned = this.#items.get(kind)?.get(owner);
    return page(owned?.names ?? noNames, owned?.records, after, limit);
  }

  countItems(kind: string, owner: string): number {
    return this.#items.get(kind)?.get(owner)?.records.size ?? 0;
  }

  *allItems(kind: string): Iterable<ItemRecord> {
    for (const owned of this.#items.get(kind)?.values() ?? []) yield* owned.records.values();
  }

  *allKeys(): Iterable<KeyRecord> {
    for (const index of this.#scopes.values()) yield* index.keys.values();
  }

  intents(): readonly IntentRecord[] {
    return [...this.#intents.values()];
  }

  mark(name: string): string | undefined {
    return this.#marks.get(name);
  }

  /** Takes in keys that it has not yet, as when a store is opened. Much faster than one by one. */
  loadKeys(records: readonly KeyRecord[]): void {
    const idsByIndex = new Map<ScopeIndex, string[]>();
    for (const record of records) {
      const index = this.#scope(record);
      const ids = idsByIndex.get(index);
      if (ids === undefined) idsByIndex.set(index, [record.keyId]);
      else ids.push(record.keyId);
      this.#indexKey(index, record);
    }
    for (const [index, ids] of idsByIndex) index.keyIds.addAll(ids);
  }

  /** Makes a committed change visible. */
  apply(change: SnapshotChange): void {
    switch (change.kind) {
      case 'put-key':
        return this.#putKey(change.record);
      case 'delete-key':
        return this.#deleteKey(change.record);
      case 'put-alias':
        return this.#putAlias(change.record);
      case 'delete-alias':
        return this.#deleteAlias(change.record);
      case 'put-item':
        return this.#putItem(change.record);
      case 'delete-item':
        return this.#deleteItem(change.record);
      case 'put-intent':
        this.#intents.set(change.record.intentId, change.record);
        return;
      case 'delete-intent':
        this.#intents.delete(change.intentId);
        return;
      case 'set-mark':
        if (change.value === undefined) this.#marks.delete(change.name);
        else this.#marks.set(change.name, change.value);
    }
  }

  #putKey(record: KeyRecord): void {
    const index = this.#scope(record);
    index.keyIds.add(record.keyId);
    this.#indexKey(index, record);
  }

  #indexKey(index: ScopeIndex, record: KeyRecord): void {
    index.keys.set(record.keyId, record);
    this.#keysById.set(record.keyId, this.#keysById.has(record.keyId) ? [...this.#otherKeysOfId(record), record] : [record]);
    if (record.state === 'PendingDeletion') this.#pendingDeletion.set(keyName(record), record);
    else this.#pendingDeletion.delete(keyName(record));
    if (isScheduled(record)) this.#scheduled.set(keyName(record), record);
    else this.#scheduled.delete(keyName(record));
  }

  #deleteKey(record: KeyRecord): void {
    const index = this.#scope(record);
    index.keys.delete(record.keyId);
    index.keyIds.delete(record.keyId);
    const others = this.#otherKeysOfId(record);
    if (others.length > 0) this.#keysById.set(record.keyId, others);
    else this.#keysById.delete(record.keyId);
    this.#pendingDeletion.delete(keyName(record));
    this.#scheduled.delete(keyName(record));
  }

  #putAlias(record: AliasRecord): void {
    const index = this.#scope(record);
    unlinkAlias(index, record.aliasName);
    index.aliases.set(record.aliasName, record);
    index.aliasNames.add(record.aliasName);
    let names = index.aliasNamesByTarget.get(record.targetKeyId);
    if (names === undefined) index.aliasNamesByTarget.set(record.targetKeyId, (names = new SortedNames()));
    names.add(record.aliasName);
  }

  #deleteAlias(record: AliasRecord): void {
    const index = this.#scope(record);
    unlinkAlias(index, record.aliasName);
    index.aliases.delete(record.aliasName);
    index.aliasNames.delete(record.aliasName);
  }

  #putItem(record: ItemRecord): void {
    let owners = this.#items.get(record.kind);
    if (owners === undefined) this.#items.set(record.kind, (owners = new Map()));
    let owned = owners.get(record.owner);
    if (owned === undefined) owners.set(record.owner, (owned = { records: new Map(), names: new SortedNames() }));
    owned.records.set(record.name, record);
    owned.names.add(record.name);
  }

  #deleteItem({ kind, owner, name }: ItemRecord): void {
    const owners = this.#items.get(kind);
    const owned = owners?.get(owner);
    owned?.records.delete(name);
    owned?.names.delete(name);
    if (owned?.records.size === 0) owners?.delete(owner);
  }

  #otherKeysOfId(record: KeyRecord): KeyRecord[] {
    const name = scopeName(record);
    return this.keysById(record.keyId).filter((other) => scopeName(other) !== name);
  }

  #scope(scope: Scope): ScopeIndex {
    const name = scopeName(scope);
    let index = this.#scopes.get(name);
    if (index === undefined) {
      index = {
        keys: new Map(),
        keyIds: new SortedNames(),
        aliases: new Map(),
        aliasNames: new SortedNames(),
        aliasNamesByTarget: new Map(),
      };
      this.#scopes.set(name, index);
    }
    return index;
  }
}

function isScheduled({ state, rotationSchedule, materials }: KeyRecord): boolean {
  return (
    state === 'Creating' ||
    state === 'Updating' ||
    rotationSchedule !== undefined ||
    materials.some(({ import: imported }) => imported?.state === 'IMPORTED' && imported.validToMs !== undefined)
  );
}

/** Takes the name out of the index of the key that it points at now. */
function unlinkAlias(index: ScopeIndex, aliasName: string): void {
  const target = index.aliases.get(aliasName)?.targetKeyId;
  const names = target === undefined ? undefined : index.aliasNamesByTarget.get(target);
  if (target === undefined || names === undefined) return;
  names.delete(aliasName);
  if (names.size === 0) index.aliasNamesByTarget.delete(target);
}

/** One name more than asked for is looked at, to learn whether the listing goes on. */
function page<T>(names: SortedNames, records: ReadonlyMap<string, T> | undefined, after: string | undefined, limit: number): Page<T> {
  const found = names.after(after, limit + 1);
  const items = found.slice(0, limit).map((name) => records?.get(name) as T);
  return { items, next: found.length > limit ? found[limit - 1] : undefined };
}

function scopeName(scope: Scope): string {
  return `${scope.partition}:${scope.account}:${scope.region}`;
}

function keyName(record: KeyRecord): string {
  return `${scopeName(record)}:${record.keyId}`;
}

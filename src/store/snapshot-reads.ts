/**
 * The reading half of a store, which is the same for every backend: all of it is answered from the snapshot. A backend extends it with what
 * writes.
 */
import type { AliasRecord, KeyRecord } from '../keys/key-record.ts';
import type { Snapshot } from './snapshot.ts';
import type { IntentRecord, ItemRecord, Page, Scope } from './store.ts';

export class SnapshotReads {
  readonly #snapshot: Snapshot;

  constructor(snapshot: Snapshot) {
    this.#snapshot = snapshot;
  }

  get generation(): number {
    return this.#snapshot.generation;
  }

  key(scope: Scope, keyId: string): KeyRecord | undefined {
    return this.#snapshot.key(scope, keyId);
  }

  keysById(keyId: string): readonly KeyRecord[] {
    return this.#snapshot.keysById(keyId);
  }

  listKeys(scope: Scope, after: string | undefined, limit: number): Page<KeyRecord> {
    return this.#snapshot.listKeys(scope, after, limit);
  }

  alias(scope: Scope, aliasName: string): AliasRecord | undefined {
    return this.#snapshot.alias(scope, aliasName);
  }

  listAliases(scope: Scope, targetKeyId: string | undefined, after: string | undefined, limit: number): Page<AliasRecord> {
    return this.#snapshot.listAliases(scope, targetKeyId, after, limit);
  }

  countAliases(scope: Scope, targetKeyId: string): number {
    return this.#snapshot.countAliases(scope, targetKeyId);
  }

  countKeys(scope: Scope): number {
    return this.#snapshot.countKeys(scope);
  }

  keysPendingDeletion(): readonly KeyRecord[] {
    return this.#snapshot.keysPendingDeletion();
  }

  scheduledKeys(): readonly KeyRecord[] {
    return this.#snapshot.scheduledKeys();
  }

  item(kind: string, owner: string, name: string): ItemRecord | undefined {
    return this.#snapshot.item(kind, owner, name);
  }

  listItems(kind: string, owner: string, after: string | undefined, limit: number): Page<ItemRecord> {
    return this.#snapshot.listItems(kind, owner, after, limit);
  }

  countItems(kind: string, owner: string): number {
    return this.#snapshot.countItems(kind, owner);
  }

  allItems(kind: string): Iterable<ItemRecord> {
    return this.#snapshot.allItems(kind);
  }

  allKeys(): Iterable<KeyRecord> {
    return this.#snapshot.allKeys();
  }

  intents(): readonly IntentRecord[] {
    return this.#snapshot.intents();
  }

  mark(name: string): string | undefined {
    return this.#snapshot.mark(name);
  }
}

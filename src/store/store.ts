/**
 * What is remembered: keys with their materials, aliases, intents, use leases. Reads come from an in-memory snapshot (no
 * SQL on the hot path); a write is durable, and in force in the snapshot, before its promise resolves.
 * Implementations: sqlite/ (later postgres/); one contract suite for all.
 */
import type { AliasRecord, KeyRecord } from '../keys/key-record.ts';

/** A key of accounts and Regions under which keys and aliases are listed. */
export interface Scope {
  readonly partition: string;
  readonly account: string;
  readonly region: string;
}

/**
 * An act on a token that was begun. It is written before the token is touched and removed by the commit that records
 * the outcome. Only an object named in an expired, fenced intent may be destroyed by the sweeper.
 */
export interface IntentRecord {
  /** 32 hex digits. */
  readonly intentId: string;
  /**
   * `create-material`, `create-import-key`: of an object that is recorded when it is made. `discard-material`: of one that no record
   * names any more. `destroy-material`: of a key that is being deleted.
   */
  readonly kind: 'create-material' | 'create-import-key' | 'discard-material' | 'destroy-material';
  readonly keyStore: string;
  readonly scope: Scope;
  readonly keyId: string;
  /** CKA_ID that the token object has or will have. */
  readonly objectId: Uint8Array;
  /** Who acts; a new process has a new owner id. */
  readonly owner: string;
  /** Rises with each take-over: a writer that comes back with a lower number is refused. */
  readonly fence: number;
  readonly leaseUntilMs: number;
}

/**
 * A record of any other kind: a grant, parameters of an import, a custom key store. What `value` holds is its kind's to say; the store
 * keeps it and lists it by owner.
 */
export interface ItemRecord {
  readonly kind: string;
  /** What it belongs to, for example a key. */
  readonly owner: string;
  /** Unique under (kind, owner). */
  readonly name: string;
  /** Rises with every change. */
  readonly version: number;
  /** JSON: no bytes, no dates, no undefined. */
  readonly value: JsonValue;
}

export type JsonValue = string | number | boolean | null | readonly JsonValue[] | { readonly [member: string]: JsonValue };

/** One change of a transaction. Puts carry the version they replace (0 = must not exist). */
export type Change =
  | { readonly kind: 'put-key'; readonly record: KeyRecord; readonly replacesVersion: number }
  | { readonly kind: 'delete-key'; readonly record: KeyRecord }
  | { readonly kind: 'put-alias'; readonly record: AliasRecord; readonly replacesVersion: number }
  | { readonly kind: 'delete-alias'; readonly record: AliasRecord }
  | { readonly kind: 'put-item'; readonly record: ItemRecord; readonly replacesVersion: number }
  | { readonly kind: 'delete-item'; readonly record: ItemRecord }
  | { readonly kind: 'put-intent'; readonly record: IntentRecord }
  /** Fails the transaction when the intent is gone or has another fence: somebody took over. */
  | { readonly kind: 'delete-intent'; readonly intentId: string; readonly fence: number };

/** A page of a listing; `next` is the name after which to go on. */
export interface Page<T> {
  readonly items: readonly T[];
  readonly next: string | undefined;
}

/** Another writer was first: read again and decide again. */
export class StoreConflictError extends Error {
  override readonly name = 'StoreConflictError';
}

/**
 * The store cannot write or read (disk full, file gone, I/O error, closed). Nothing of the transaction took effect, unless
 * `mayHaveApplied` says that the store cannot know.
 */
export class StoreUnavailableError extends Error {
  override readonly name = 'StoreUnavailableError';
  /** The disk gave no answer in time: whether the transaction took effect shows when the store answers again. */
  readonly mayHaveApplied: boolean;

  constructor(message: string, options?: { cause?: unknown; mayHaveApplied?: boolean }) {
    super(message, options);
    this.mayHaveApplied = options?.mayHaveApplied ?? false;
  }
}

export interface Store {
  /** Rises with every committed change. */
  readonly generation: number;
  key(scope: Scope, keyId: string): KeyRecord | undefined;
  /** All keys of a key id over Regions and accounts (`mrk-` ids live in several Regions). */
  keysById(keyId: string): readonly KeyRecord[];
  /** Keys in order of key id, after `after` (exclusive). O(limit), whatever the number of keys. */
  listKeys(scope: Scope, after: string | undefined, limit: number): Page<KeyRecord>;
  alias(scope: Scope, aliasName: string): AliasRecord | undefined;
  /** Aliases in order of name, of one target key if given. O(limit). */
  listAliases(scope: Scope, targetKeyId: string | undefined, after: string | undefined, limit: number): Page<AliasRecord>;
  countAliases(scope: Scope, targetKeyId: string): number;
  countKeys(scope: Scope): number;
  /** Keys of all scopes in a state that scheduled work looks after: PendingDeletion. */
  keysPendingDeletion(): readonly KeyRecord[];
  /** Keys of all scopes to which something happens by itself: automatic rotation, the expiry of an imported material, the end of Creating or Updating. */
  scheduledKeys(): readonly KeyRecord[];
  item(kind: string, owner: string, name: string): ItemRecord | undefined;
  /** Items of one kind and owner in order of name. O(limit). */
  listItems(kind: string, owner: string, after: string | undefined, limit: number): Page<ItemRecord>;
  countItems(kind: string, owner: string): number;
  /** All items of a kind, in no order, for scheduled work. Not for requests. */
  allItems(kind: string): Iterable<ItemRecord>;
  /** All keys, for start-up checks and operators' lists. Not for requests. */
  allKeys(): Iterable<KeyRecord>;
  intents(): readonly IntentRecord[];

  /**
   * Applies all changes or none. Rejects with StoreConflictError (a version differs, a name exists, an intent was taken over)
   * or StoreUnavailableError. When it resolves the changes are on disk and visible to every reader.
   */
  commit(changes: readonly Change[]): Promise<void>;
  /**
   * Reads, decides, commits; on StoreConflictError it decides again on fresh data, a bounded number of times. `decide` is
   * synchronous, so that what it read is what it judged.
   */
  transact<T>(decide: (store: Store) => { readonly changes: readonly Change[]; readonly result: T }): Promise<T>;
  /** Takes over the intents whose lease ended before `nowMs`: sets owner, raises the fence, extends the lease. */
  takeOverIntents(owner: string, nowMs: number, leaseUntilMs: number): Promise<readonly IntentRecord[]>;
  /** Adds `count` to the committed uses of a material and resolves to the new total, durable. */
  leaseUses(materialId: string, count: number): Promise<number>;
  /** A small durable named value (clock marks, PIN latches, schema facts). */
  setMark(name: string, value: string | undefined): Promise<void>;
  mark(name: string): string | undefined;
  close(): Promise<void>;
}

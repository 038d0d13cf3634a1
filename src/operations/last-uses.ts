/**
 * When each key was last used for cryptography. A use is noted in memory, which costs a request some nanoseconds; the sweeps and the end
 * of the service write the notes to the store in portions. A crash loses what the last minute noted, no more (AWS promises an hour).
 */
import { keyArn } from '../keys/arn.ts';
import type { KeyIdentity, KeyRecord } from '../keys/key-record.ts';
import type { Change, ItemRecord, Store } from '../store/store.ts';

/** KeyLastUsageData of the API, but for the id of the audit event. */
export interface KeyUse {
  readonly operation: string;
  readonly atMs: number;
  readonly requestId: string;
}

interface Note {
  readonly key: KeyIdentity;
  /** False once it is on its way to the store: the next use makes a new note. */
  open: boolean;
  operation: string;
  atMs: number;
  requestId: string;
}

/** Owner: partition, account and Region; name: key id. */
const LAST_USE = 'last-use';
/** Store mark: milliseconds since the Unix epoch at which uses began to be noted. */
const TRACKING_MARK = 'last-uses-since';
const NOTES_PER_TRANSACTION = 500;

/** The notes of one process. */
export class LastUses {
  readonly #startedAtMs: number;
  /** By the record in force, because a lookup by identity is the cheapest. */
  readonly #byRecord = new WeakMap<KeyRecord, Note>();
  /** Open notes by key ARN: as many as there are keys. */
  readonly #open = new Map<string, Note>();

  constructor(startedAtMs: number) {
    this.#startedAtMs = startedAtMs;
  }

  /** Notes a use that succeeded. */
  note(key: KeyRecord, operation: string, requestId: string, atMs: number): void {
    let note = this.#byRecord.get(key);
    if (note?.open !== true) note = this.#openNote(key);
    note.operation = operation;
    note.atMs = atMs;
    note.requestId = requestId;
  }

  lastUse(key: KeyIdentity, store: Store): KeyUse | undefined {
    return this.#open.get(keyArn(key)) ?? writtenUse(store, key);
  }

  /** When uses of keys began to be noted in this store. */
  trackedSinceMs(store: Store): number {
    return Number(store.mark(TRACKING_MARK) ?? this.#startedAtMs);
  }

  /** Writes the open notes. Rejects when the store fails; what was not written stays noted. */
  async write(store: Store): Promise<void> {
    if (store.mark(TRACKING_MARK) === undefined) await store.setMark(TRACKING_MARK, String(this.#startedAtMs));
    const notes = [...this.#open.values()];
    for (let first = 0; first < notes.length; first += NOTES_PER_TRANSACTION) {
      await this.#writePortion(notes.slice(first, first + NOTES_PER_TRANSACTION), store);
    }
  }

  async #writePortion(notes: readonly Note[], store: Store): Promise<void> {
    for (const note of notes) this.#close(note);
    try {
      await store.transact((current) => ({ changes: notes.flatMap((note) => noteWritten(note, current)), result: undefined }));
    } catch (error) {
      for (const note of notes) this.#reopen(note);
      throw error;
    }
  }

  #openNote(key: KeyRecord): Note {
    const arn = keyArn(key);
    let note = this.#open.get(arn);
    if (note === undefined) {
      note = { key, open: true, operation: '', atMs: 0, requestId: '' };
      this.#open.set(arn, note);
    }
    this.#byRecord.set(key, note);
    return note;
  }

  #close(note: Note): void {
    note.open = false;
    this.#open.delete(keyArn(note.key));
  }

  /** A newer use that was noted meanwhile stands. */
  #reopen(note: Note): void {
    const arn = keyArn(note.key);
    if (this.#open.has(arn)) return;
    note.open = true;
    this.#open.set(arn, note);
  }
}

/** What removes the note of a key from the store, together with the key. */
export function lastUseRemoved(store: Store, key: KeyIdentity): readonly Change[] {
  const record = itemOf(store, key);
  return record === undefined ? [] : [{ kind: 'delete-item', record }];
}

/** No change for a key that is gone, or a use that is older than the one that was written. */
function noteWritten({ key, operation, atMs, requestId }: Note, store: Store): readonly Change[] {
  const former = itemOf(store, key);
  if (store.key(key, key.keyId) === undefined || (writtenUse(store, key)?.atMs ?? 0) > atMs) return [];
  const replacesVersion = former?.version ?? 0;
  const value = { operation, atMs, requestId };
  const record = { kind: LAST_USE, owner: ownerOf(key), name: key.keyId, version: replacesVersion + 1, value };
  return [{ kind: 'put-item', record, replacesVersion }];
}

function writtenUse(store: Store, key: KeyIdentity): KeyUse | undefined {
  return itemOf(store, key)?.value as unknown as KeyUse | undefined;
}

function itemOf(store: Store, key: KeyIdentity): ItemRecord | undefined {
  return store.item(LAST_USE, ownerOf(key), key.keyId);
}

function ownerOf({ partition, account, region }: KeyIdentity): string {
  return `${partition}:${account}:${region}`;
}

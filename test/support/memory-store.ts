/**
 * A store in memory that holds the rules of interface Store strictly (it passes the store contract), with failures on order.
 * What it forgets when it is closed nobody misses.
 */
import { checkedStep } from '../../src/store/checked-step.ts';
import { Snapshot } from '../../src/store/snapshot.ts';
import { SnapshotReads } from '../../src/store/snapshot-reads.ts';
import { StoreConflictError, StoreUnavailableError } from '../../src/store/store.ts';
import type { Change, IntentRecord, Store } from '../../src/store/store.ts';

const DECISIONS_MAX = 80;

export class MemoryStore extends SnapshotReads implements Store {
  readonly #snapshot: Snapshot;
  readonly #uses = new Map<string, number>();
  #closed = false;
  #failure: { readonly error: Error; readonly afterCommits: number; readonly tookEffect: boolean } | undefined;
  #commits = 0;
  #beforeCommit: (() => void) | undefined;

  constructor() {
    const snapshot = new Snapshot();
    super(snapshot);
    this.#snapshot = snapshot;
  }

  /** Lets the commit after the next `afterCommits` ones fail with `error`; `tookEffect` for a failure after the fact. */
  failCommit(error: Error, { afterCommits = 0, tookEffect = false } = {}): void {
    this.#commits = 0;
    this.#failure = { error, afterCommits, tookEffect };
  }

  /** Runs `act` once, between the decision and the commit of the next transaction: another writer. */
  interleave(act: () => void): void {
    this.#beforeCommit = act;
  }

  async commit(changes: readonly Change[]): Promise<void> {
    if (this.#closed) throw new StoreUnavailableError('the store is closed');
    const failure = this.#failure !== undefined && this.#commits++ >= this.#failure.afterCommits ? this.#failure : undefined;
    if (failure !== undefined) this.#failure = undefined;
    if (failure !== undefined && !failure.tookEffect) throw failure.error;
    this.#applyAll(changes.map((change) => checkedStep(change) as Change));
    if (failure !== undefined) throw failure.error;
  }

  async transact<T>(decide: (store: Store) => { readonly changes: readonly Change[]; readonly result: T }): Promise<T> {
    for (let decisions = 1; ; decisions += 1) {
      const { changes, result } = decide(this);
      const interleaved = this.#beforeCommit;
      this.#beforeCommit = undefined;
      interleaved?.();
      try {
        await this.commit(changes);
        return result;
      } catch (error) {
        if (!(error instanceof StoreConflictError) || decisions >= DECISIONS_MAX) throw error;
      }
    }
  }

  async takeOverIntents(owner: string, nowMs: number, leaseUntilMs: number): Promise<readonly IntentRecord[]> {
    const expired = this.intents().filter((intent) => intent.leaseUntilMs < nowMs);
    const taken = expired.map((intent) => ({ ...intent, owner, fence: intent.fence + 1, leaseUntilMs }));
    for (const record of taken) this.#snapshot.apply({ kind: 'put-intent', record });
    return taken;
  }

  async leaseUses(materialId: string, count: number): Promise<number> {
    if (!Number.isSafeInteger(count) || count < 1) throw new RangeError('a use count is a positive integer');
    const total = (this.#uses.get(materialId) ?? 0) + count;
    this.#uses.set(materialId, total);
    return total;
  }

  async setMark(name: string, value: string | undefined): Promise<void> {
    this.#snapshot.apply({ kind: 'set-mark', name, value });
  }

  async close(): Promise<void> {
    this.#closed = true;
  }

  /** Judges each change by what the ones before it left, on undo copies, so that a conflict leaves nothing behind. */
  #applyAll(changes: readonly Change[]): void {
    const undo: Change[] = [];
    try {
      for (const change of changes) {
        undo.unshift(...this.#inverse(change));
        this.#snapshot.apply(change);
      }
    } catch (error) {
      for (const change of undo) this.#snapshot.apply(change);
      throw error;
    }
    this.#snapshot.generation += 1;
  }

  /** What undoes `change`. Throws StoreConflictError when the change does not fit what is there. */
  #inverse(change: Change): readonly Change[] {
    switch (change.kind) {
      case 'put-key':
      case 'delete-key': {
        const current = this.key(change.record, change.record.keyId);
        requireVersion(current?.version, change.kind === 'put-key' ? change.replacesVersion : change.record.version);
        if (current === undefined) return [{ kind: 'delete-key', record: change.record }];
        return [{ kind: 'put-key', record: current, replacesVersion: change.record.version }];
      }
      case 'put-alias':
      case 'delete-alias': {
        const current = this.alias(change.record, change.record.aliasName);
        requireVersion(current?.version, change.kind === 'put-alias' ? change.replacesVersion : change.record.version);
        if (current === undefined) return [{ kind: 'delete-alias', record: change.record }];
        return [{ kind: 'put-alias', record: current, replacesVersion: change.record.version }];
      }
      case 'put-item':
      case 'delete-item':
        return this.#inverseOfItem(change);
      case 'put-intent':
      case 'delete-intent':
        break;
    }
    return this.#inverseOfIntent(change);
  }

  #inverseOfItem(change: Extract<Change, { kind: 'put-item' | 'delete-item' }>): readonly Change[] {
    const { kind, owner, name } = change.record;
    const current = this.item(kind, owner, name);
    requireVersion(current?.version, change.kind === 'put-item' ? change.replacesVersion : change.record.version);
    if (current === undefined) return [{ kind: 'delete-item', record: change.record }];
    return [{ kind: 'put-item', record: current, replacesVersion: change.record.version }];
  }

  #inverseOfIntent(change: Extract<Change, { kind: 'put-intent' | 'delete-intent' }>): readonly Change[] {
    const intentId = change.kind === 'put-intent' ? change.record.intentId : change.intentId;
    const current = this.intents().find((intent) => intent.intentId === intentId);
    if (change.kind === 'delete-intent') {
      if (current?.fence !== change.fence) throw new StoreConflictError('the intent is gone or was taken over');
      return [{ kind: 'put-intent', record: current }];
    }
    if (current === undefined) return [{ kind: 'delete-intent', intentId, fence: change.record.fence }];
    if (current.fence !== change.record.fence || current.owner !== change.record.owner)
      throw new StoreConflictError('the intent is another owner’s');
    return [{ kind: 'put-intent', record: current }];
  }
}

function requireVersion(found: number | undefined, expected: number): void {
  if ((found ?? 0) !== expected) throw new StoreConflictError(`version ${found ?? 'none'} is there, not ${expected}`);
}

/** Read, decide, commit, and decide again on fresh data when another writer was first: the same for every backend. */
import { StoreConflictError, type Change, type Store } from './store.ts';

const attemptsMax = 8;

/** What a decision comes to. */
export interface Decision<T> {
  readonly changes: readonly Change[];
  readonly result: T;
}

/**
 * Runs decisions against one store. The first attempt is made at once; those that lost take turns, one at a time, and while some wait
 * newcomers take their turn behind them: many writers of one record all get through in as many commits.
 */
export class Transactor {
  readonly #store: Store;
  #turn: Promise<unknown> = Promise.resolve();
  #waiting = 0;

  constructor(store: Store) {
    this.#store = store;
  }

  /** Rejects with StoreConflictError when others were first eight times. */
  async transact<T>(decide: (store: Store) => Decision<T>): Promise<T> {
    if (this.#waiting > 0) return this.#inTurn(decide);
    try {
      return await this.#attempt(decide);
    } catch (error) {
      if (!(error instanceof StoreConflictError)) throw error;
    }
    return this.#inTurn(decide);
  }

  async #inTurn<T>(decide: (store: Store) => Decision<T>): Promise<T> {
    this.#waiting += 1;
    const turn = this.#turn.then(() => this.#retry(decide));
    this.#turn = turn.catch(() => {});
    try {
      return await turn;
    } finally {
      this.#waiting -= 1;
    }
  }

  async #retry<T>(decide: (store: Store) => Decision<T>): Promise<T> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await this.#attempt(decide);
      } catch (error) {
        if (!(error instanceof StoreConflictError) || attempt >= attemptsMax) throw error;
      }
    }
  }

  async #attempt<T>(decide: (store: Store) => Decision<T>): Promise<T> {
    const { changes, result } = decide(this.#store);
    if (changes.length > 0) await this.#store.commit(changes);
    return result;
  }
}

/**
 * Runs work on a token again after the token failed: what each kind of failure means, and how often and how long it is tried.
 * An answer, right or an error, comes within the deadline of the overdue call and one second.
 */
import type { Recovery, RecoveryParts, Rung } from './recovery.ts';
import { TokenError } from './token-error.ts';
import type { TokenErrorKind } from './token-error.ts';
import { within } from './timers.ts';
import type { HandleEpoch } from './token.ts';

const ATTEMPTS_MAX = 3;
/** What is left for a new host and a second run after a call was overdue. */
const AFTER_OVERDUE_MS = 900;
/** A handle that stays invalid while the token is well makes everybody find handles again, but no more often than this. */
const HANDLE_REFRESH_MS = 60_000;

/** Where the climb starts. Kinds that are not here are the caller's, or cannot be helped. */
const FIRST_RUNG: Partial<Record<TokenErrorKind, Rung>> = {
  device: 'look',
  unclear: 'sessions',
  session: 'sessions',
  handle: 'login',
  login: 'login',
};

export class Rerun {
  readonly #recovery: Recovery;
  readonly #parts: RecoveryParts;
  #handlesRefreshedAtMs = -Infinity;

  constructor(recovery: Recovery, parts: RecoveryParts) {
    this.#recovery = recovery;
    this.#parts = parts;
  }

  /** See `Token.recovering`. */
  async recovering<T>(work: () => Promise<T>, signal?: AbortSignal): Promise<T> {
    for (let attempt = 1; ; attempt++) {
      const epoch = this.#recovery.epoch;
      let failure: TokenError;
      try {
        return await work();
      } catch (error) {
        if (!(error instanceof TokenError)) throw error;
        failure = error;
      }
      if (failure.kind === 'overdue') return this.#afterOverdue(failure, work, signal);
      if (attempt === ATTEMPTS_MAX) throw failure;
      await this.#prepare(failure, epoch);
      throwIfGivenUp(signal, failure);
    }
  }

  /** Resolves when it makes sense to run the work again; else rejects with what is to be said. */
  async #prepare(error: TokenError, epoch: HandleEpoch): Promise<void> {
    // The token was recovered while the work ran, or the handle was of an earlier epoch: the token did not see it.
    const stale = error.kind === 'handle' && (error.returnValue === undefined || epoch !== this.#recovery.epoch);
    if (stale || error.kind === 'unavailable') return this.#soon(this.#recovery.ready(), error);
    const rung = FIRST_RUNG[error.kind];
    if (rung === undefined) throw error;
    if (error.kind === 'unclear' && (await this.#isWell())) throw blameInput(error);
    if (error.kind === 'handle') await this.#limitRefresh(error);
    return this.#soon(this.#recovery.recover(rung), error);
  }

  async #isWell(): Promise<boolean> {
    if (this.#recovery.cryptoki === undefined) return false;
    return this.#recovery.connection.check().then(
      () => true,
      () => false,
    );
  }

  async #limitRefresh(error: TokenError): Promise<void> {
    const nowMs = this.#parts.clock.monotonicMs();
    if (nowMs - this.#handlesRefreshedAtMs < HANDLE_REFRESH_MS && (await this.#isWell())) throw error;
    this.#handlesRefreshedAtMs = nowMs;
  }

  /** The caller has waited for a whole deadline: a new host gets what is left of the second. */
  async #afterOverdue<T>(error: TokenError, work: () => Promise<T>, signal: AbortSignal | undefined): Promise<T> {
    const again = async (): Promise<T> => {
      await this.#recovery.ready();
      throwIfGivenUp(signal, error);
      return work();
    };
    return within(this.#parts.timers, AFTER_OVERDUE_MS, again(), () => error);
  }

  /** Waits for a recovery, no longer than a fast call may take. The recovery goes on when nobody waits for it. */
  #soon(recovered: Promise<void>, error: TokenError): Promise<void> {
    return within(this.#parts.timers, this.#parts.config.deadlinesMs.fast, recovered, () => error);
  }
}

function blameInput(error: TokenError): TokenError {
  const { functionName, returnValue } = error;
  const details = {
    ...(functionName === undefined ? {} : { functionName }),
    ...(returnValue === undefined ? {} : { returnValue }),
    cause: error,
  };
  return new TokenError('input', `${error.message}, and the token answers a known-good operation: the input is wrong`, details);
}

function throwIfGivenUp(signal: AbortSignal | undefined, error: TokenError): void {
  if (signal?.aborted === true)
    throw new TokenError('overdue', `the request was given up while the token was brought back: ${error.message}`, { cause: error });
}

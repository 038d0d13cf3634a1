/**
 * Keeps one token in service: holds the current connection, climbs the recovery ladder (one climb at a time for all callers),
 * and breaks the circuit when nothing helps, until the token is back. Knows nothing of what callers do with the token.
 *
 * Rungs: look (the known-good operation) -> new sessions -> new login -> C_Finalize and C_Initialize -> new host. A rung has
 * worked when the known-good operation passes afterwards, not when its calls succeed: SoftHSM whose token directory was away
 * accepts new sessions and still knows no key.
 */
import type { Clock } from '../clock.ts';
import { Connection } from './connection.ts';
import type { ConnectionParts } from './connection.ts';
import type { Cryptoki } from './cryptoki.ts';
import { TokenError, tokenErrorFrom } from './token-error.ts';
import type { Timers } from './timers.ts';
import type { HandleEpoch, TokenHealth } from './token.ts';

const RUNGS = ['look', 'sessions', 'login', 'library', 'host'] as const;
export type Rung = (typeof RUNGS)[number];

const BACKOFF_FIRST_MS = 250;
const BACKOFF_MAX_MS = 10_000;
/** More new hosts than this in a minute, and the token is given up for a while: each takes a process and a login. */
const HOSTS_PER_MINUTE_MAX = 6;
const MINUTE_MS = 60_000;
const CLOSE_MS = 1_000;

export interface RecoveryParts extends ConnectionParts {
  readonly clock: Clock;
  readonly timers: Timers;
}

export class Recovery {
  readonly #parts: RecoveryParts;
  #connection: Connection | undefined;
  /** The last connection that served, for its description and for the rungs that keep its host. */
  #last: Connection;
  #epoch: HandleEpoch = { generation: 1, login: 1 };
  #climb: Promise<void> | undefined;
  /** Set while the circuit is open. */
  #brokenBy: TokenError | undefined;
  #backoffMs = BACKOFF_FIRST_MS;
  #cancelAttempt: (() => void) | undefined;
  #closed = false;
  /** The host of `#last` is gone or stuck: only a new one helps. */
  #hostLost = false;
  readonly #hostStartsMs: number[] = [];
  readonly #retired = new Set<Cryptoki>();
  readonly #listeners = new Set<() => void>();
  /** Ends the wait for a rung whose host is lost. */
  #abandonRung: ((error: TokenError) => void) | undefined;

  private constructor(parts: RecoveryParts, connection: Connection) {
    this.#parts = parts;
    this.#last = connection;
    this.#serve(connection);
  }

  /** Connects for the first time. Rejects with TokenError when the token cannot be brought into service. */
  static async start(parts: RecoveryParts): Promise<Recovery> {
    return new Recovery(parts, await Connection.open(parts));
  }

  /** The door that new work goes to; undefined while there is none. */
  get cryptoki(): Cryptoki | undefined {
    return this.#connection?.cryptoki;
  }

  /** The connection that serves now, or the last one that did. */
  get connection(): Connection {
    return this.#last;
  }

  get epoch(): HandleEpoch {
    return this.#epoch;
  }

  get health(): TokenHealth {
    if (this.#brokenBy !== undefined || this.#closed) return 'unavailable';
    return this.#connection === undefined || this.#climb !== undefined ? 'recovering' : 'ready';
  }

  onEpochChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Why there is no door now. */
  refusal(): TokenError {
    const { name } = this.#parts.config;
    if (this.#closed) return new TokenError('unavailable', `token ${name} is closed`);
    if (this.#brokenBy === undefined) return new TokenError('unavailable', `token ${name} is being brought back`);
    return new TokenError('unavailable', `token ${name} is out of service and tried again by itself: ${this.#brokenBy.message}`, {
      cause: this.#brokenBy,
    });
  }

  /** Resolves when the token serves again, rejects with TokenError when the ladder did not help. Joins a climb that is under way. */
  recover(from: Rung): Promise<void> {
    if (this.#closed || this.#brokenBy !== undefined) return Promise.reject(this.refusal());
    this.#climb ??= this.#climbFrom(RUNGS.indexOf(from)).finally(() => {
      this.#climb = undefined;
    });
    return this.#climb;
  }

  /** Resolves when no climb is under way and there is a door. */
  async ready(): Promise<void> {
    if (this.#climb !== undefined) await this.#climb;
    if (this.#connection === undefined) throw this.refusal();
  }

  async #climbFrom(first: number): Promise<void> {
    let failure = this.refusal();
    for (const rung of RUNGS.slice(first)) {
      if (this.#hostLost && rung !== 'host') continue;
      try {
        await this.#step(rung);
        this.#parts.log.info({ token: this.#parts.config.name, rung, epoch: this.#epoch }, 'the token serves again');
        return;
      } catch (error) {
        failure = tokenErrorFrom(error) as TokenError;
        this.#parts.log.warn({ token: this.#parts.config.name, rung, reason: failure.message }, 'this did not bring the token back');
        if (failure.kind === 'pin' || this.#closed) break;
      }
    }
    this.#break(failure);
    throw this.refusal();
  }

  async #step(rung: Rung): Promise<void> {
    if (rung === 'host') return this.#replaceHost();
    const connection = this.#last;
    if (rung === 'look') return this.#unlessLost(connection.check());
    if (rung === 'sessions') return this.#unlessLost(connection.renewSessions());
    // From here on every handle is stale: nobody may use one before the rung is done.
    this.#suspend(rung === 'login' ? 'login' : 'generation');
    await this.#unlessLost(rung === 'login' ? connection.renewLogin() : connection.reinitialise());
    this.#resume(connection);
  }

  /** A host that is lost does not answer: the climb goes on to the next rung at once. */
  async #unlessLost(step: Promise<void>): Promise<void> {
    const lost = new Promise<never>((_resolve, reject) => {
      this.#abandonRung = reject;
    });
    try {
      await Promise.race([step, lost]);
    } finally {
      this.#abandonRung = undefined;
    }
  }

  async #replaceHost(): Promise<void> {
    this.#suspend('generation');
    await this.#retire(this.#last.cryptoki);
    const nowMs = this.#parts.clock.monotonicMs();
    while ((this.#hostStartsMs[0] ?? nowMs) < nowMs - MINUTE_MS) this.#hostStartsMs.shift();
    if (this.#hostStartsMs.length >= HOSTS_PER_MINUTE_MAX && this.#brokenBy === undefined) {
      throw new TokenError('unavailable', `${HOSTS_PER_MINUTE_MAX} new hosts within a minute did not help`);
    }
    this.#hostStartsMs.push(nowMs);
    const connection = await Connection.open(this.#parts);
    if (this.#closed) {
      void connection.cryptoki.close(0);
      throw this.refusal();
    }
    this.#resume(connection);
  }

  /**
   * Ends a host. One process gives calls on its other threads the grace period, while the next already works; a library in this
   * process has to be finalised before it can be loaded again.
   */
  async #retire(cryptoki: Cryptoki): Promise<void> {
    const { graceMs } = this.#parts.config;
    if (this.#retired.has(cryptoki)) return;
    this.#retired.add(cryptoki);
    if (cryptoki.placement === 'in-process') return cryptoki.close(graceMs);
    this.#parts.timers.after(graceMs, () => void this.#end(cryptoki));
  }

  async #end(cryptoki: Cryptoki): Promise<void> {
    await cryptoki.close(0);
    this.#retired.delete(cryptoki);
  }

  /** See `Token.endReplacedHosts`. A library in this process was closed before the next one was loaded. */
  async endReplacedHosts(): Promise<void> {
    const hosts = [...this.#retired].filter(({ placement }) => placement === 'process');
    await Promise.all(hosts.map((host) => this.#end(host)));
  }

  #suspend(level: keyof HandleEpoch): void {
    this.#connection = undefined;
    const { generation, login } = this.#epoch;
    this.#epoch = level === 'generation' ? { generation: generation + 1, login: login + 1 } : { generation, login: login + 1 };
  }

  #resume(connection: Connection): void {
    const known = this.#last === connection;
    this.#last = connection;
    if (known) this.#connection = connection;
    else this.#serve(connection);
    for (const listener of this.#listeners) listener();
  }

  #serve(connection: Connection): void {
    this.#connection = connection;
    this.#hostLost = false;
    const { cryptoki } = connection;
    cryptoki.onOverdue((call) =>
      this.#lose(cryptoki, new TokenError('overdue', `${call.functionName} did not return within ${call.ageMs} ms`)),
    );
    void cryptoki.closed.then(({ reason }) => this.#lose(cryptoki, new TokenError('unavailable', reason)));
  }

  /** A call is stuck, or the host is gone. New work goes to a fresh host at once; calls on the other threads of the old one may finish. */
  #lose(cryptoki: Cryptoki, error: TokenError): void {
    if (this.#closed || this.#last.cryptoki !== cryptoki || this.#retired.has(cryptoki)) return;
    this.#parts.log.warn({ token: this.#parts.config.name, reason: error.message, hostPid: cryptoki.hostPid }, 'the token host is lost');
    if (cryptoki.placement === 'in-process' && error.kind === 'overdue') {
      // The stuck thread cannot be ended without this process; the others may still serve.
      this.recover('look').catch(() => {});
      return;
    }
    this.#connection = undefined;
    this.#hostLost = true;
    this.#abandonRung?.(error);
    this.recover('host').catch(() => {});
  }

  #break(error: TokenError): void {
    this.#connection = undefined;
    this.#brokenBy = error;
    this.#parts.log.error(
      { token: this.#parts.config.name, reason: error.message, retryMs: this.#backoffMs },
      'the token is out of service',
    );
    this.#schedule();
  }

  #schedule(): void {
    if (this.#closed) return;
    this.#cancelAttempt = this.#parts.timers.after(this.#backoffMs, () => void this.#attempt());
    this.#backoffMs = Math.min(this.#backoffMs * 2, BACKOFF_MAX_MS);
  }

  /** Tries to bring the token back while the circuit is open. A latched PIN is not offered: the attempt fails before it. */
  async #attempt(): Promise<void> {
    try {
      await this.#replaceHost();
      this.#brokenBy = undefined;
      this.#backoffMs = BACKOFF_FIRST_MS;
      this.#parts.log.info({ token: this.#parts.config.name, epoch: this.#epoch }, 'the token is back');
    } catch (error) {
      const failure = tokenErrorFrom(error) as TokenError;
      if (failure.message !== this.#brokenBy?.message)
        this.#parts.log.warn({ token: this.#parts.config.name, reason: failure.message }, 'the token is still out of service');
      this.#brokenBy = failure;
      this.#schedule();
    }
  }

  /** Finishes what is in flight, at most for the deadline of fast calls, and ends all hosts. */
  async close(): Promise<void> {
    if (this.#closed) return;
    const connection = this.#connection;
    this.#closed = true;
    this.#connection = undefined;
    this.#cancelAttempt?.();
    await connection?.settle();
    await Promise.all([this.#last.cryptoki.close(CLOSE_MS), ...[...this.#retired].map((cryptoki) => cryptoki.close(0))]);
  }
}

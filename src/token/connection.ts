/**
 * One loaded module with its sessions and login: what the recovery ladder renews rung by rung. Knows how to bring the token
 * into service and how to tell whether it is, not when to.
 */
import type { TokenConfig } from '../config/config.ts';
import type { Log } from '../log.ts';
import type { SecretBytes } from '../secret-bytes.ts';
import type { CallClasses } from './call-classes.ts';
import { hatchCanary } from './canary.ts';
import type { Canary } from './canary.ts';
import { CryptokiError } from './cryptoki.ts';
import type { Cryptoki, ModuleDescription, SlotDescription } from './cryptoki.ts';
import { boundThreads, findSlot, holds } from './find-slot.ts';
import { pinLatchKey } from './pin-latch.ts';
import type { PinLatch } from './pin-latch.ts';
import { TokenError, throwTokenError, tokenErrorFrom } from './token-error.ts';

/** What connecting takes. */
export interface ConnectionParts {
  readonly config: TokenConfig;
  readonly calls: CallClasses;
  readonly log: Log;
  /** Fetches the PIN. The bytes are wiped after the login: each call must hand over a copy of its own. */
  readonly pin: () => Promise<SecretBytes>;
  readonly pinLatch: PinLatch;
  readonly openCryptoki: (config: TokenConfig) => Promise<Cryptoki>;
}

const CKF_LOGIN_REQUIRED = 0x4;
const CKF_PROTECTED_AUTHENTICATION_PATH = 0x100;
const CKF_USER_PIN_LOCKED = 0x40000;
const CKR_USER_ALREADY_LOGGED_IN = 0x100;
const CKR_USER_PIN_NOT_INITIALIZED = 0x102;
const CKR_CRYPTOKI_NOT_INITIALIZED = 0x190;

export class Connection {
  readonly cryptoki: Cryptoki;
  readonly #parts: ConnectionParts;
  #module!: ModuleDescription;
  #slot!: SlotDescription;
  #canary!: Canary;
  /** The check that runs now, and the one that begins after it: callers in between share the second. */
  #checks: { running: Promise<void>; next: Promise<void> | undefined } | undefined;

  private constructor(cryptoki: Cryptoki, parts: ConnectionParts) {
    this.cryptoki = cryptoki;
    this.#parts = parts;
  }

  /** Starts a host, or the addon in this process, and brings the token into service. Rejects with TokenError, and nothing is left behind. */
  static async open(parts: ConnectionParts): Promise<Connection> {
    refuseLatched(parts);
    const cryptoki = await parts.openCryptoki(parts.config).catch((error: unknown) => {
      throw new TokenError('unavailable', (error as Error).message, { cause: error });
    });
    const connection = new Connection(cryptoki, parts);
    try {
      await connection.#start();
    } catch (error) {
      void cryptoki.close(0);
      throw tokenErrorFrom(error);
    }
    return connection;
  }

  get slot(): SlotDescription {
    return this.#slot;
  }

  get module(): ModuleDescription {
    return this.#module;
  }

  async #start(): Promise<void> {
    const { config, calls } = this.#parts;
    const { nullArguments, osLocking, reserved } = config.initialize;
    const initialize = { nullArguments, osLocking, ...(reserved === undefined ? {} : { reserved }) };
    const { module: path, deepBind, functionList } = config;
    this.#module = await this.cryptoki.load({ path, deepBind, functionList, initialize }, calls.start);
    this.#slot = findSlot(await this.cryptoki.slots(calls.start), config);
    await this.cryptoki.openSessions(this.#slot.slotId, boundThreads(config.threads, this.#slot.sessionsMax), calls.start);
    await this.#login();
    this.#canary = await hatchCanary(this.cryptoki, calls);
  }

  /** C_Login where the token wants it. A PIN that is refused is latched before anything can offer it again. */
  async #login(): Promise<void> {
    const { flags } = this.#slot;
    if ((flags & CKF_LOGIN_REQUIRED) === 0) return;
    refuseLatched(this.#parts);
    const { label } = this.#slot;
    if ((flags & CKF_USER_PIN_LOCKED) !== 0)
      throw new TokenError('pin', `the user PIN of token "${label}" is locked: its security officer must set a new one`);
    // The version of the PIN that is about to be offered; the file may be replaced meanwhile.
    const latchKey = pinLatchKey(this.#parts.config);
    const pin = await this.#parts.pin();
    try {
      if (pin.length === 0 && (flags & CKF_PROTECTED_AUTHENTICATION_PATH) === 0)
        throw new TokenError('pin', `the PIN of token "${label}" is empty`);
      await this.cryptoki.login('USER', pin, this.#parts.calls.start);
    } catch (error) {
      if (error instanceof CryptokiError && error.returnValue === CKR_USER_ALREADY_LOGGED_IN) return;
      await this.#latch(tokenErrorFrom(error), latchKey);
      throw error;
    } finally {
      pin.wipe();
    }
  }

  async #latch(error: Error, key: string): Promise<void> {
    if (!(error instanceof TokenError) || error.kind !== 'pin' || error.returnValue === undefined) return;
    // Nothing was offered to a PIN that was never set.
    if (error.returnValue === CKR_USER_PIN_NOT_INITIALIZED) return;
    const { log, pinLatch, config } = this.#parts;
    log.error(
      { token: config.name, reason: error.message },
      'the token refused the PIN; it will not be offered again until an operator replaces the PIN file, or puts the PIN right and runs hsm-kms token unlatch',
    );
    await pinLatch
      .set(key, error.message)
      .catch((cause: unknown) =>
        log.error({ token: config.name, err: cause }, 'the PIN latch could not be stored; it holds until this process ends'),
      );
  }

  /** First rung: new sessions for the fast and slow threads. Objects and login stay. */
  async renewSessions(): Promise<void> {
    const { calls } = this.#parts;
    await this.cryptoki.reopenSessions('fast', calls.slow).catch(throwTokenError);
    await this.cryptoki.reopenSessions('slow', calls.slow).catch(throwTokenError);
    await this.check();
  }

  /** Second rung: new sessions, the anchor's too, and a login. Every session object is gone and every handle is stale. */
  async renewLogin(): Promise<void> {
    const { calls } = this.#parts;
    try {
      await this.#drain();
      for (const threads of ['anchor', 'fast', 'slow'] as const) await this.cryptoki.reopenSessions(threads, calls.slow);
      await this.#login();
      this.#canary = await hatchCanary(this.cryptoki, calls);
    } catch (error) {
      throw tokenErrorFrom(error);
    }
    await this.check();
  }

  /** Third rung: C_Finalize and C_Initialize. */
  async reinitialise(): Promise<void> {
    try {
      await this.#finalise();
      await this.#start();
    } catch (error) {
      throw tokenErrorFrom(error);
    }
    await this.check();
  }

  async #finalise(): Promise<void> {
    try {
      await this.cryptoki.finalize(this.#parts.calls.slow);
    } catch (error) {
      if (!(error instanceof CryptokiError) || error.returnValue !== CKR_CRYPTOKI_NOT_INITIALIZED) throw error;
    }
  }

  /**
   * Waits until queued calls have left the queue. Handles that they carry are about to become stale, and a token may give a
   * stale number to a new object (openCryptoki does): no such call may run afterwards.
   */
  async #drain(): Promise<void> {
    const { fast, anchor, slow } = this.#parts.calls;
    await Promise.all([fast, anchor, slow].map((options) => this.cryptoki.ping({ ...options, deadlineMs: fast.deadlineMs })));
  }

  /**
   * A known-good operation end to end. SoftHSM whose token directory was away serves session keys as if nothing had happened and
   * shows the loss only in C_GetTokenInfo, so that is asked too. Rejects with TokenError. Concurrent callers share a check that
   * begins after they asked.
   */
  check(): Promise<void> {
    const checks = this.#checks;
    if (checks === undefined) return this.#beginCheck();
    checks.next ??= checks.running.catch(() => {}).then(() => this.#beginCheck());
    return checks.next;
  }

  #beginCheck(): Promise<void> {
    const running = this.#checkOnce().catch(throwTokenError);
    this.#checks = { running, next: undefined };
    const done = (): void => {
      if (this.#checks?.next === undefined) this.#checks = undefined;
    };
    running.then(done, done);
    return running;
  }

  async #checkOnce(): Promise<void> {
    const { config, calls } = this.#parts;
    const slots = await this.cryptoki.slots(calls.fast);
    if (!slots.some((slot) => slot.slotId === this.#slot.slotId && holds(slot, config))) {
      throw new TokenError('device', `the token "${this.#slot.label}" is not in its slot any more`);
    }
    await this.#canary();
  }

  /** Waits, at most for the deadline of fast calls, until queued calls are done. */
  async settle(): Promise<void> {
    await this.#drain().catch(() => {});
  }
}

function refuseLatched({ config, pinLatch }: ConnectionParts): void {
  const reason = pinLatch.isSet(pinLatchKey(config));
  if (reason === undefined) return;
  throw new TokenError(
    'pin',
    `the PIN of token ${config.name} was refused before (${reason}) and is not offered again: put the PIN right, then run hsm-kms token unlatch`,
  );
}

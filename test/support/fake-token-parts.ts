/** What `Recovery` and `ServedToken` take, over an imaginary device, with time that only moves when it is told to. */
import type { TokenConfig } from '../../src/config/config.ts';
import { silentLog } from '../../src/log.ts';
import { SecretBytes } from '../../src/secret-bytes.ts';
import { callClasses } from '../../src/token/call-classes.ts';
import type { PinLatch } from '../../src/token/pin-latch.ts';
import type { RecoveryParts } from '../../src/token/recovery.ts';
import type { Timers } from '../../src/token/timers.ts';
import type { FakeDevice } from './fake-cryptoki.ts';

/** Clock and timers in one. */
export class FakeTime implements Timers {
  #nowMs = 1_000;
  #waiting: { readonly atMs: number; readonly callback: () => void }[] = [];

  nowMs(): number {
    return this.#nowMs;
  }

  monotonicMs(): number {
    return this.#nowMs;
  }

  after(delayMs: number, callback: () => void): () => void {
    const entry = { atMs: this.#nowMs + delayMs, callback };
    this.#waiting.push(entry);
    return () => {
      this.#waiting = this.#waiting.filter((other) => other !== entry);
    };
  }

  /** Delays of what waits now, sorted. */
  get delaysMs(): number[] {
    return this.#waiting.map(({ atMs }) => atMs - this.#nowMs).sort((a, b) => a - b);
  }

  /** Moves time and lets everything settle that follows from it. */
  async pass(delayMs: number): Promise<void> {
    this.#nowMs += delayMs;
    const due = this.#waiting.filter(({ atMs }) => atMs <= this.#nowMs);
    this.#waiting = this.#waiting.filter(({ atMs }) => atMs > this.#nowMs);
    for (const { callback } of due) callback();
    await settle();
  }
}

/** Lets all promises that can settle do so: they depend on no input or output. */
export function settle(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(() => setImmediate(resolve));
  });
}

export class MemoryPinLatch implements PinLatch {
  readonly reasons = new Map<string, string>();

  isSet(key: string): string | undefined {
    return this.reasons.get(key);
  }

  set(key: string, reason: string): Promise<void> {
    this.reasons.set(key, reason);
    return Promise.resolve();
  }

  clear(key: string): void {
    this.reasons.delete(key);
  }
}

export function fakeConfig(changes: Partial<TokenConfig> = {}): TokenConfig {
  return {
    name: 'fake',
    profile: 'test',
    module: '/nowhere/module.so',
    functionList: 'C',
    initialize: { nullArguments: false, osLocking: true, reserved: undefined },
    environment: {},
    label: 'fake',
    serial: undefined,
    pin: { kind: 'prompt' },
    isolation: 'process',
    threads: { fast: 2, anchor: 1, slow: 1 },
    deadlinesMs: { fast: 2_000, slow: 10_000, keyGeneration: 60_000, start: 30_000 },
    graceMs: 5_000,
    epochKeysMax: 64,
    deepBind: true,
    gcmIvSource: 'measure',
    omitAttributes: [],
    ...changes,
  };
}

export interface FakeParts extends RecoveryParts {
  readonly clock: FakeTime;
  readonly timers: FakeTime;
  readonly pinLatch: MemoryPinLatch;
  /** PINs that were handed over, to see that they were wiped. */
  readonly pins: SecretBytes[];
}

export function fakeParts(device: FakeDevice, changes: Partial<TokenConfig> = {}): FakeParts {
  const config = fakeConfig(changes);
  const time = new FakeTime();
  const pins: SecretBytes[] = [];
  return {
    config,
    calls: callClasses(config.deadlinesMs),
    log: silentLog,
    pin: () => {
      const pin = SecretBytes.fromText('1234');
      pins.push(pin);
      return Promise.resolve(pin);
    },
    pins,
    pinLatch: new MemoryPinLatch(),
    clock: time,
    timers: time,
    openCryptoki: () => Promise.resolve(device.open(config.isolation === 'process' ? 'process' : 'in-process')),
  };
}

/**
 * Initialization vectors: a 32-bit number that its epoch uses once, then 64 random bits. The random bits come from the
 * operating system and serve only the turn of the event loop in which they were drawn. A copy of this machine made while
 * it runs (snapshot, live clone) therefore shares none that is still to be used, while a generator inside the process, or
 * a longer-lived pool, would repeat its output in both copies.
 */
import { randomFillSync } from 'node:crypto';
import { openSync, readSync } from 'node:fs';

/** Fills `target` with cryptographically strong random bytes. */
export type FillRandom = (target: Uint8Array) => void;

const randomTailBytes = 8;
const poolBytes = 16 * randomTailBytes;

/** The operating system's generator: /dev/urandom where there is one, else the one of node:crypto. */
export function openSystemRandom(): FillRandom {
  try {
    const descriptor = openSync('/dev/urandom', 'r');
    return (target) => {
      if (readSync(descriptor, target, 0, target.length, null) !== target.length) throw new Error('/dev/urandom gave too few bytes');
    };
  } catch {
    return (target) => void randomFillSync(target);
  }
}

export class IvSource {
  readonly #fillRandom: FillRandom;
  readonly #pool = new Uint8Array(poolBytes);
  #used = poolBytes;
  readonly #discard = (): void => {
    this.#used = poolBytes;
  };

  constructor(fillRandom: FillRandom) {
    this.#fillRandom = fillRandom;
  }

  /** 12 bytes: `number` (0 to 2^32 - 1, big-endian), then 8 random bytes that were given to nobody else. */
  next(number: number): Uint8Array {
    if (this.#used === poolBytes) this.#refill();
    const iv = new Uint8Array(4 + randomTailBytes);
    iv[0] = number >>> 24;
    iv[1] = number >>> 16;
    iv[2] = number >>> 8;
    iv[3] = number;
    iv.set(this.#pool.subarray(this.#used, this.#used + randomTailBytes), 4);
    this.#used += randomTailBytes;
    return iv;
  }

  #refill(): void {
    this.#fillRandom(this.#pool);
    this.#used = 0;
    setImmediate(this.#discard);
  }
}

/**
 * Use numbers of `direct` materials: leased in blocks that are committed before any number of them is used, so that no two
 * processes, machines or Regions use one twice, and the material stops before its IVs may collide.
 */
import type { Log } from '../../log.ts';
import type { UsageLeases } from '../keystore.ts';
import { KeyStoreError } from '../keystore.ts';

export const usesPerLease = 65_536;
export const usesWarnedAt: number = 2 ** 30;
export const usesMax: number = 2 ** 31;
/** The next block is fetched while this many numbers are left. */
const prefetchBelow = usesPerLease / 4;
/** Materials whose open blocks are remembered; forgetting one wastes what is left of its block. */
const materialsMax = 100_000;

interface Block {
  next: number;
  end: number;
}

interface Uses {
  current: Block;
  following: Block | undefined;
  leasing: Promise<void> | undefined;
  exhausted: boolean;
}

export class DirectUses {
  readonly #leases: UsageLeases;
  readonly #log: Log;
  readonly #uses = new Map<string, Uses>();

  constructor(leases: UsageLeases, log: Log) {
    this.#leases = leases;
    this.#log = log;
  }

  /** A number below 2^31 that no call had before. Rejects with KeyStoreError `exhausted` when there is none left. */
  async take(materialId: string): Promise<number> {
    const uses = this.#usesOf(materialId);
    while (uses.current.next >= uses.current.end) {
      if (uses.following === undefined) await this.#leaseOnce(materialId, uses);
      if (uses.current.next >= uses.current.end && uses.following !== undefined) {
        uses.current = uses.following;
        uses.following = undefined;
      }
    }
    const number = uses.current.next;
    uses.current.next += 1;
    if (uses.current.end - uses.current.next < prefetchBelow && uses.following === undefined && !uses.exhausted) {
      this.#prefetch(materialId, uses);
    }
    return number;
  }

  #usesOf(materialId: string): Uses {
    let uses = this.#uses.get(materialId);
    if (uses !== undefined) return uses;
    if (this.#uses.size >= materialsMax) for (const oldest of [...this.#uses.keys()].slice(0, 1)) this.#uses.delete(oldest);
    uses = { current: { next: 0, end: 0 }, following: undefined, leasing: undefined, exhausted: false };
    this.#uses.set(materialId, uses);
    return uses;
  }

  /** A failed prefetch is not reported: whoever needs the block asks again, and is told. */
  #prefetch(materialId: string, uses: Uses): void {
    this.#leaseOnce(materialId, uses).catch(() => undefined);
  }

  async #leaseOnce(materialId: string, uses: Uses): Promise<void> {
    uses.leasing ??= this.#lease(materialId, uses).finally(() => (uses.leasing = undefined));
    await uses.leasing;
  }

  async #lease(materialId: string, uses: Uses): Promise<void> {
    const total = await this.#leases.lease(materialId, usesPerLease);
    if (total > usesMax)
      throw new KeyStoreError('exhausted', 'This key material was used 2^31 times, its limit; rotate the key or create another one');
    if (total >= usesWarnedAt) this.#log.warn({ materialId, uses: total, usesMax }, 'a key material nears its use limit; rotate the key');
    uses.following = { next: total - usesPerLease, end: total };
  }
}

/**
 * The request slots of a slab: where they are, which are free. The layout is that of `native/slab.h`.
 */

const SMALL_SLOTS = 1016;
const LARGE_SLOTS = 8;
const SMALL_SLOT_BYTES = 16 * 1024;
const LARGE_SLOT_BYTES = 1024 * 1024;
const SLOTS_OFFSET = 32 * 1024;

export const SLOTS: number = SMALL_SLOTS + LARGE_SLOTS;
export const SLOT_HEADER_BYTES = 64;
/** What a small slot holds. */
export const SMALL_PAYLOAD_BYTES: number = SMALL_SLOT_BYTES - SLOT_HEADER_BYTES;
/** What a large slot holds. */
export const LARGE_PAYLOAD_BYTES: number = LARGE_SLOT_BYTES - SLOT_HEADER_BYTES;

export type SlotSize = 'small' | 'large';

/** The offset of a slot in the slab, in bytes. */
export function slotOffset(slot: number): number {
  if (slot < SMALL_SLOTS) return SLOTS_OFFSET + slot * SMALL_SLOT_BYTES;
  return SLOTS_OFFSET + SMALL_SLOTS * SMALL_SLOT_BYTES + (slot - SMALL_SLOTS) * LARGE_SLOT_BYTES;
}

/** What the payload of a slot holds, in bytes. */
export function payloadBytesMax(slot: number): number {
  return slot < SMALL_SLOTS ? SMALL_PAYLOAD_BYTES : LARGE_PAYLOAD_BYTES;
}

/** The free slots. The one freed last is taken first: its memory is warm, and slots that are never needed cost no memory. */
export class FreeSlots {
  readonly #small: number[] = Array.from({ length: SMALL_SLOTS }, (_, index) => SMALL_SLOTS - 1 - index);
  readonly #large: number[] = Array.from({ length: LARGE_SLOTS }, (_, index) => SLOTS - 1 - index);

  take(size: SlotSize): number | undefined {
    return size === 'small' ? this.#small.pop() : this.#large.pop();
  }

  give(slot: number): void {
    if (slot < SMALL_SLOTS) this.#small.push(slot);
    else this.#large.push(slot);
  }
}

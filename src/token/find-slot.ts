/** Finds the slot of one token by its label or serial number. Slot numbers change when a token is initialised: they are never used. */
import type { TokenConfig } from '../config/config.ts';
import type { SlotDescription, ThreadClass } from './cryptoki.ts';
import { TokenError } from './token-error.ts';

type Wanted = Pick<TokenConfig, 'label' | 'serial'>;

/** The one slot that holds the token. Throws TokenError `device` that lists what is there when none or several do. */
export function findSlot(slots: readonly SlotDescription[], wanted: Wanted): SlotDescription {
  const found = slots.filter((slot) => holds(slot, wanted));
  const [slot] = found;
  if (slot !== undefined && found.length === 1) return slot;
  const name = wanted.serial === undefined ? `with the label "${wanted.label}"` : `with the serial number ${wanted.serial}`;
  const problem = found.length === 0 ? `there is no token ${name}` : `${found.length} tokens ${name}: name the one by its serial number`;
  throw new TokenError('device', `${problem}; the module shows ${describeSlots(slots)}`);
}

/** True when the slot holds the token now. */
export function holds(slot: SlotDescription, wanted: Wanted): boolean {
  if (!slot.tokenPresent) return false;
  return wanted.serial === undefined ? slot.label === wanted.label : slot.serial === wanted.serial;
}

function describeSlots(slots: readonly SlotDescription[]): string {
  if (slots.length === 0) return 'no slots';
  return slots
    .map((slot) => (slot.tokenPresent ? `"${slot.label}" (serial ${slot.serial || 'none'}, ${slot.model})` : 'an empty slot'))
    .join(', ');
}

/** Threads of each class, no more in all than the token has sessions. The fast ones give way, one of each class is needed. */
export function boundThreads(threads: TokenConfig['threads'], sessionsMax: number | undefined): Record<ThreadClass, number> {
  const bounded = { fast: threads.fast, anchor: threads.anchor, slow: threads.slow };
  // Some tokens give 0 for "not known".
  if (sessionsMax === undefined || sessionsMax === 0) return bounded;
  for (const name of ['fast', 'slow', 'anchor'] as const) {
    const excess = bounded.fast + bounded.anchor + bounded.slow - sessionsMax;
    bounded[name] = Math.max(1, bounded[name] - Math.max(0, excess));
  }
  if (sessionsMax >= 3) return bounded;
  throw new TokenError('capacity', `the token allows ${sessionsMax} sessions; three are needed, one of each class of thread`);
}

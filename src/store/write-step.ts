/** What one transaction is made of inside a store: the changes of the interface, and the acts that have methods of their own. */
import type { Change, IntentRecord } from './store.ts';

export type WriteStep =
  | Change
  | { readonly kind: 'add-uses'; readonly materialId: string; readonly count: number }
  | { readonly kind: 'set-mark'; readonly name: string; readonly value: string | undefined }
  | { readonly kind: 'take-over-intents'; readonly owner: string; readonly nowMs: number; readonly leaseUntilMs: number };

/** How a transaction ended. `uses` and `intents` are there when a step asked for them. */
export type Outcome =
  | { readonly kind: 'committed'; readonly uses?: number; readonly intents?: readonly IntentRecord[] }
  /** Another writer was first. */
  | { readonly kind: 'conflict'; readonly reason: string }
  /** The transaction itself is wrong: a value that the database does not take. */
  | { readonly kind: 'refused'; readonly reason: string };

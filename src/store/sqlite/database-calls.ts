/** What the thread that owns the database can be asked: one call at a time, arguments and answers copied between the threads. */
import type { Outcome, WriteStep } from '../write-step.ts';
import type { Row } from './record-rows.ts';

/** Transactions that are made durable together. */
export interface Batch {
  /** The generation that the batch makes: one more than the last. */
  readonly generation: number;
  readonly transactions: readonly (readonly WriteStep[])[];
}

/** What the database says of its last batch. */
export interface DatabaseState {
  readonly generation: number;
  /** How the transactions of that batch ended. */
  readonly outcomes: readonly Outcome[];
}

export interface OpenArgument {
  readonly file: string;
  readonly nowMs: number;
  readonly readOnly: boolean;
}

export interface LoadedKey {
  readonly keyRow: number;
  readonly row: Row;
  readonly materials: readonly Row[];
}

export interface LoadedRest {
  readonly intents: readonly Row[];
  readonly marks: readonly (readonly [name: string, value: string])[];
}

export interface DatabaseCalls {
  /** Opens, checks and migrates the database. */
  open(argument: OpenArgument): DatabaseState;
  /** The next keys after a row number; an empty list is the end. */
  loadKeys(afterKeyRow: number): readonly LoadedKey[];
  /** The next aliases in order of scope and name; an empty list is the end. */
  loadAliases(after: Row | undefined): readonly Row[];
  /** The next items in order of kind, owner and name; an empty list is the end. */
  loadItems(after: Row | undefined): readonly Row[];
  loadRest(): LoadedRest;
  /** Applies each transaction or nothing of it, and returns when those that were applied are on disk. */
  write(batch: Batch): readonly Outcome[];
  close(): void;
}

/** A message to the thread. */
export interface CallMessage {
  readonly method: keyof DatabaseCalls;
  readonly argument: unknown;
}

/** The answer. */
export type ReplyMessage = { readonly value: unknown } | { readonly failure: { readonly code: string; readonly message: string } };

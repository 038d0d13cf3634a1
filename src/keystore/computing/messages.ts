/** What a computing thread is told and what it answers. Bytes travel in buffers of their own that are moved, not copied. */
import type { KeyStoreErrorKind } from '../keystore.ts';
import type { Computations } from './computations.ts';

export interface ComputingRequest {
  readonly name: keyof Computations;
  readonly argument: unknown;
  /** Moved to the thread, which wipes it. */
  readonly secret: Uint8Array;
}

export type ComputingReply =
  { readonly value: unknown } | { readonly failure: { readonly kind: KeyStoreErrorKind; readonly message: string } };

/** `value` with every byte array in a buffer of its own: a view would take the whole buffer under it along. */
export function withOwnBuffers<T>(value: T, buffers: ArrayBuffer[]): T {
  if (value instanceof Uint8Array) return ownBytes(value, buffers) as T;
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, withOwnBuffers(member as unknown, buffers)])) as T;
}

/** A copy in a buffer of its own, which is added to `buffers`. */
export function ownBytes(bytes: Uint8Array, buffers: ArrayBuffer[]): Uint8Array {
  // Not `bytes.slice()`: a short array keeps its bytes in the heap of V8, and moving it would leave them there.
  const buffer = new ArrayBuffer(bytes.length);
  const copy = new Uint8Array(buffer);
  copy.set(bytes);
  buffers.push(buffer);
  return copy;
}

/** Overwrites every byte array in `value`. */
export function wipeBytes(value: unknown): void {
  if (value instanceof Uint8Array) value.fill(0);
  else if (typeof value === 'object' && value !== null) for (const member of Object.values(value)) wipeBytes(member);
}

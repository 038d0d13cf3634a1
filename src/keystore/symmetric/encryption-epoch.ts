/**
 * One encryption epoch: a derived key, the header it writes, and the numbers its IVs may still use. An epoch that has ended
 * never encrypts again; nothing of it is kept over a restart or a reset of the vault.
 */
import { additionalData, isZero } from '../../keys/ciphertext-blob.ts';
import { canonicalEncryptionContext } from '../../keys/encryption-context.ts';
import type { SharedKey } from './shared-key.ts';

const emptyContext = canonicalEncryptionContext(undefined);

/** How long an epoch may last. */
export interface EpochLimits {
  /** At most 2^32, the number of IVs. */
  readonly callsMax: number;
  readonly ageMsMax: number;
}

export const epochLimits: EpochLimits = { callsMax: 2 ** 32, ageMsMax: 24 * 60 * 60 * 1000 };
/** IVs that a token draws at random may collide: fewer calls. */
export const epochLimitsOfVaultMadeIvs: EpochLimits = { callsMax: 2 ** 28, ageMsMax: epochLimits.ageMsMax };

/** What identifies an epoch, and the bytes that its ciphertexts begin with. */
export type EpochNames = Readonly<Pick<EncryptionEpoch<unknown>, 'materialId' | 'nonce' | 'headerBytes'>>;

export class EncryptionEpoch<Key> {
  readonly shared: SharedKey<Key>;
  readonly materialId: string;
  /** Epoch nonce, hexadecimal. */
  readonly nonce: string;
  readonly headerBytes: Uint8Array;
  readonly #callsMax: number;
  readonly #endsAtMs: number;
  readonly #withEmptyContext: Uint8Array;
  #calls = 0;

  /** `nowMs` is monotonic time. */
  constructor(shared: SharedKey<Key>, names: EpochNames, limits: EpochLimits, nowMs: number) {
    const { materialId, nonce, headerBytes } = names;
    this.shared = shared;
    this.materialId = materialId;
    this.nonce = nonce;
    this.headerBytes = headerBytes;
    this.#callsMax = limits.callsMax;
    this.#endsAtMs = nowMs + limits.ageMsMax;
    this.#withEmptyContext = additionalData(headerBytes, emptyContext);
  }

  /** The number of the next call, from 0 on, or undefined when the epoch has ended. Each number is given once. */
  takeNumber(nowMs: number): number | undefined {
    if (this.#calls >= this.#callsMax || nowMs >= this.#endsAtMs || this.shared.retired) return undefined;
    this.#calls += 1;
    return this.#calls - 1;
  }

  /** Additional data for a canonical encryption context. The array may be shared and must not be written to. */
  additionalData(context: Uint8Array): Uint8Array {
    const isEmpty = context.length === emptyContext.length && isZero(context);
    return isEmpty ? this.#withEmptyContext : additionalData(this.headerBytes, context);
  }
}

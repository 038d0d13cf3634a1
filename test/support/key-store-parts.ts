/** Parts for key stores under test: leases in memory, a clock that tests move, keys with random ids. */
import { randomBytes, randomUUID } from 'node:crypto';
import type { Clock } from '../../src/clock.ts';
import type { CiphertextHeader } from '../../src/keys/ciphertext-blob.ts';
import { parseCiphertextBlob } from '../../src/keys/ciphertext-blob.ts';
import { canonicalEncryptionContext } from '../../src/keys/encryption-context.ts';
import { isSymmetricMaterial } from '../../src/keys/key-record.ts';
import type { KeyIdentity } from '../../src/keys/key-record.ts';
import type { BoundMaterial, KeyStore, MaterialRequest, UsageLeases } from '../../src/keystore/keystore.ts';
import { KeyStoreError } from '../../src/keystore/keystore.ts';
import type { Log } from '../../src/log.ts';
import { silentLog } from '../../src/log.ts';

export const noContext: Uint8Array = canonicalEncryptionContext(undefined);

export class ManualClock implements Clock {
  elapsedMs = 0;

  nowMs(): number {
    return 1_700_000_000_000 + this.elapsedMs;
  }

  monotonicMs(): number {
    return this.elapsedMs;
  }
}

/** Leases that survive the key stores which take them. */
export class MemoryLeases implements UsageLeases {
  readonly totals = new Map<string, number>();
  /** How many leases were asked for. */
  calls = 0;

  async lease(materialId: string, count: number): Promise<number> {
    this.calls += 1;
    const total = (this.totals.get(materialId) ?? 0) + count;
    this.totals.set(materialId, total);
    return total;
  }
}

export interface TestParts {
  readonly clock: ManualClock;
  readonly log: Log;
  readonly leases: MemoryLeases;
  readonly epochKeysMax: number;
}

export function testParts(epochKeysMax = 64): TestParts {
  return { clock: new ManualClock(), log: silentLog, leases: new MemoryLeases(), epochKeysMax };
}

export function newKey(): KeyIdentity {
  return { partition: 'aws', account: '111122223333', region: 'eu-central-1', keyId: randomUUID() };
}

export function symmetricRequest(key: KeyIdentity): MaterialRequest {
  return { key, keySpec: 'SYMMETRIC_DEFAULT', keyUsage: 'ENCRYPT_DECRYPT', objectId: randomBytes(16) };
}

/** A new symmetric key with one material. */
export async function createBound(store: KeyStore, key: KeyIdentity = newKey(), request = symmetricRequest(key)): Promise<BoundMaterial> {
  const material = await store.createMaterial(request);
  if (!isSymmetricMaterial(material)) throw new Error('The key store made a symmetric material without a suite');
  return { key, material };
}

export function headerOf(blob: Uint8Array): CiphertextHeader {
  const header = parseCiphertextBlob(blob);
  if (header === undefined) throw new Error('The key store made a blob that does not parse');
  return header;
}

/** Opens a blob as the operations do: a blob that does not parse is an invalid ciphertext. */
export async function openBlob(
  store: KeyStore,
  bound: BoundMaterial,
  blob: Uint8Array,
  context: Uint8Array = noContext,
): Promise<Uint8Array> {
  const header = parseCiphertextBlob(blob);
  if (header === undefined) throw new KeyStoreError('invalid-ciphertext', 'not a blob');
  return store.decrypt(bound, header, context);
}

/** The kind of the KeyStoreError that `act` rejects with, or what else happened. */
export async function kindOf(act: Promise<unknown>): Promise<string> {
  return act.then(
    () => 'no error',
    (error: unknown) => (error instanceof KeyStoreError ? error.kind : String(error)),
  );
}

import { setImmediate as nextTurn } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { silentLog } from '../../../../src/log.ts';
import type { MaterialVault } from '../../../../src/keystore/symmetric/material-vault.ts';
import { SharedKey } from '../../../../src/keystore/symmetric/shared-key.ts';
import { SymmetricCipher } from '../../../../src/keystore/symmetric/symmetric-cipher.ts';
import { ManualClock, MemoryLeases, newKey, noContext } from '../../../support/key-store-parts.ts';

describe('a reset of the vault', () => {
  it('drops the keys that could not be destroyed before, so that they do not pile up', async () => {
    let destructions = 0;
    const broken = async (): Promise<void> => {
      destructions += 1;
      if (destructions === 1) throw new Error('not now');
    };
    const vault: MaterialVault<string> = {
      makesIvs: false,
      isCurrent: () => true,
      openMaterial: async () => new SharedKey('material', broken),
      deriveEpochKey: () => Promise.reject(new Error('not derived')),
      encrypt: async (_key, iv, _data, plaintext) => ({ iv, sealed: plaintext }),
      decrypt: async (_key, _iv, _data, sealed) => sealed,
    };
    const parts = { clock: new ManualClock(), log: silentLog, leases: new MemoryLeases(), epochKeysMax: 4 };
    const cipher = new SymmetricCipher(vault, { ...parts, fillRandom: (target) => void target.fill(1) });
    const material = {
      materialId: '00'.repeat(32),
      keyStore: 'x',
      protection: 'HSM',
      residency: 'token',
      custody: 'full',
      suite: 'direct',
      reference: new Uint8Array(16),
      fingerprint: new Uint8Array(48),
      createdAtMs: 0,
    } as const;
    await cipher.encrypt({ key: newKey(), material }, Uint8Array.of(1), noContext);
    cipher.abandon(material.materialId);
    await nextTurn();
    expect(destructions).toBe(1);
    cipher.abandon();
    await nextTurn();
    expect(destructions).toBe(2);
  });
});

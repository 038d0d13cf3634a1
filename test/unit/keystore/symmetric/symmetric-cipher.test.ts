import { setImmediate as nextTurn } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { silentLog } from '../../../../src/log.ts';
import type { MaterialVault } from '../../../../src/keystore/symmetric/material-vault.ts';
import { SharedKey } from '../../../../src/keystore/symmetric/shared-key.ts';
import { SymmetricCipher } from '../../../../src/keystore/symmetric/symmetric-cipher.ts';
import { ManualClock, MemoryLeases, newKey, noContext } from '../../../support/key-store-parts.ts';

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
    await cipher.encrypt({ key: newKey(), material }, Uint8Array.of(1), noContext);
    cipher.abandon(material.materialId);
    await nextTurn();
    expect(destructions).toBe(1);
    cipher.abandon();
    await nextTurn();
    expect(destructions).toBe(2);
  });
});

describe('a new epoch', () => {
  it.each([0, 1])('is not begun when derivation %d of its two fails, and the key of the other one is destroyed', async (failing) => {
    const destroyed: string[] = [];
    const keyNamed = (name: string): SharedKey<string> => new SharedKey(name, async () => void destroyed.push(name));
    let derivations = 0;
    const vault: MaterialVault<string> = {
      makesIvs: false,
      isCurrent: () => true,
      openMaterial: async () => keyNamed('material'),
      deriveEpochKey: async () => {
        const number = derivations++;
        await nextTurn();
        if (number === failing) throw new Error(`derivation ${number} failed`);
        return keyNamed(`epoch key ${number}`);
      },
      encrypt: () => Promise.reject(new Error('not reached')),
      decrypt: () => Promise.reject(new Error('not reached')),
    };
    const parts = { clock: new ManualClock(), log: silentLog, leases: new MemoryLeases(), epochKeysMax: 4 };
    const cipher = new SymmetricCipher(vault, { ...parts, fillRandom: (target) => void target.fill(1) });
    const bound = { key: newKey(), material: { ...material, suite: 'derived-aes-cbc-data' } } as const;
    await expect(cipher.encrypt(bound, Uint8Array.of(1), noContext)).rejects.toThrow(`derivation ${failing} failed`);
    await nextTurn();
    expect(destroyed).toEqual([`epoch key ${1 - failing}`]);
    expect(cipher.epochKeyCount).toBe(0);
  });
});

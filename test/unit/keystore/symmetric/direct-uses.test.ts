import { describe, expect, it } from 'vitest';
import { DirectUses, usesMax, usesPerLease, usesWarnedAt } from '../../../../src/keystore/symmetric/direct-uses.ts';
import type { Log } from '../../../../src/log.ts';
import { silentLog } from '../../../../src/log.ts';
import { MemoryLeases, kindOf } from '../../../support/key-store-parts.ts';

describe('use numbers of direct materials', () => {
  it('are committed before the first is used', async () => {
    const leases = new MemoryLeases();
    const uses = new DirectUses(leases, silentLog);
    expect(await uses.take('m')).toBe(0);
    expect(leases.totals.get('m')).toBe(usesPerLease);
  });

  it('are never given twice, by any process', async () => {
    const leases = new MemoryLeases();
    const processes = [new DirectUses(leases, silentLog), new DirectUses(leases, silentLog)];
    const numbers = new Set<number>();
    for (let call = 0; call < 1.5 * usesPerLease; call += 1) for (const uses of processes) numbers.add(await uses.take('m'));
    expect(numbers.size).toBe(3 * usesPerLease);
    expect(Math.max(...[...numbers].slice(-10))).toBeLessThan(leases.totals.get('m')!);
  });

  it('are leased once for all calls that wait', async () => {
    const leases = new MemoryLeases();
    const uses = new DirectUses(leases, silentLog);
    const numbers = await Promise.all(Array.from({ length: 100 }, () => uses.take('m')));
    expect(new Set(numbers).size).toBe(100);
    expect(leases.calls).toBe(1);
  });

  it('are leased ahead, so that calls do not wait for the store', async () => {
    const leases = new MemoryLeases();
    const uses = new DirectUses(leases, silentLog);
    for (let call = 0; call < 0.8 * usesPerLease; call += 1) await uses.take('m');
    expect(leases.calls).toBe(2);
  });

  it('warn from 2^30 on', async () => {
    const leases = new MemoryLeases();
    const warnings: object[] = [];
    const log: Log = { ...silentLog, warn: (fields) => void warnings.push(fields) };
    leases.totals.set('m', usesWarnedAt - 2 * usesPerLease);
    await new DirectUses(leases, log).take('m');
    expect(warnings).toEqual([]);
    await new DirectUses(leases, log).take('m');
    expect(warnings).toHaveLength(1);
  });

  it('end at 2^31', async () => {
    const leases = new MemoryLeases();
    leases.totals.set('m', usesMax - usesPerLease);
    const uses = new DirectUses(leases, silentLog);
    expect(await uses.take('m')).toBe(usesMax - usesPerLease);
    expect(await kindOf(new DirectUses(leases, silentLog).take('m'))).toBe('exhausted');
  });

  it('are not given when the store cannot commit them', async () => {
    const failing = { lease: () => Promise.reject(new Error('disk full')) };
    await expect(new DirectUses(failing, silentLog).take('m')).rejects.toThrow('disk full');
  });

  it('survive a failed lease ahead of need', async () => {
    const leases = new MemoryLeases();
    let failures = 0;
    const flaky = {
      lease: (materialId: string, count: number): Promise<number> => {
        if (leases.calls === 1 && (failures += 1) < 3) return Promise.reject(new Error('busy'));
        return leases.lease(materialId, count);
      },
    };
    const uses = new DirectUses(flaky, silentLog);
    for (let call = 0; call <= usesPerLease; call += 1) expect(await uses.take('m')).toBe(call);
    expect(failures).toBe(3);
  });
});

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { describe, expect, it } from 'vitest';
import { childPids, cpuUs, mainThreadCpuUs, residentBytes } from '../../../src/bench/process-usage.ts';

describe('the use of a process', () => {
  it('counts the CPU time that this process spends, near to what the kernel tells the process itself', () => {
    const before = cpuUs(process.pid);
    const mainBefore = mainThreadCpuUs(process.pid);
    const ownBefore = process.cpuUsage();
    while (process.cpuUsage(ownBefore).user < 60_000) JSON.stringify(process.versions);
    const own = process.cpuUsage(ownBefore);
    const spentUs = cpuUs(process.pid) - before;
    expect(spentUs).toBeGreaterThan(0.5 * (own.user + own.system));
    expect(spentUs).toBeLessThan(2 * (own.user + own.system));
    expect(mainThreadCpuUs(process.pid) - mainBefore).toBeGreaterThan(40_000);
  });

  it('reads resident memory, and finds the children of a process', async () => {
    expect(residentBytes(process.pid)).toBeGreaterThan(10e6);
    const child = spawn('sleep', ['30']);
    await once(child, 'spawn');
    expect(childPids(process.pid)).toContain(child.pid);
    child.kill('SIGKILL');
    await once(child, 'exit');
    expect(() => residentBytes(child.pid!)).toThrow(/ENOENT|ESRCH/);
  });
});

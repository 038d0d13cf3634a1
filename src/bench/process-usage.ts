/**
 * What a process has used, read from /proc: CPU time of all its threads and resident memory. The scheduler counts in nanoseconds
 * (`schedstat`); `stat` counts in ticks of 10 ms and serves where a kernel has no schedstat. Source: proc(5).
 */
import { readFileSync, readdirSync } from 'node:fs';

const TICK_US = 10_000;
const USER_TICKS_FIELD = 11;
const KIB = 1024;

/** CPU time in microseconds of the threads that a process has now. Threads that ended are not counted. Throws when it is gone. */
export function cpuUs(pid: number): number {
  let total = 0;
  for (const thread of readdirSync(`/proc/${pid}/task`)) total += threadCpuUs(pid, thread);
  return total;
}

/** CPU time in microseconds of the first thread: the JavaScript thread of a Node process. */
export function mainThreadCpuUs(pid: number): number {
  return threadCpuUs(pid, String(pid));
}

/** Resident memory in bytes. Throws when the process is gone. */
export function residentBytes(pid: number): number {
  const kib = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'latin1'))?.[1];
  return Number(kib ?? 0) * KIB;
}

/** Processes whose parent is `pid`. */
export function childPids(pid: number): readonly number[] {
  return readFileSync(`/proc/${pid}/task/${pid}/children`, 'latin1').trim().split(' ').filter(Boolean).map(Number);
}

function threadCpuUs(pid: number, thread: string): number {
  try {
    return Number(readFileSync(`/proc/${pid}/task/${thread}/schedstat`, 'latin1').split(' ')[0]) / 1000;
  } catch {
    return threadTicksUs(pid, thread);
  }
}

function threadTicksUs(pid: number, thread: string): number {
  try {
    const stat = readFileSync(`/proc/${pid}/task/${thread}/stat`, 'latin1');
    // The command in parentheses may hold blanks: count the fields behind it.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return (Number(fields[USER_TICKS_FIELD]) + Number(fields[USER_TICKS_FIELD + 1])) * TICK_US;
  } catch {
    // The thread ended between the listing and here.
    return 0;
  }
}

/** Keeps this process' memory out of core dumps: it holds plaintext of requests and access keys. */
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import type { Log } from '../log.ts';

const prlimitTimeoutMs = 5_000;

/**
 * Sets the core size limit of this process to 0 (child processes inherit it) and, should somebody raise it again, leaves all memory
 * out of dumps. Node has no setrlimit, so util-linux's prlimit sets it. What cannot be had is logged.
 */
export function forbidCoreDumps(log: Log): void {
  const limit = spawnSync('prlimit', ['--pid', String(process.pid), '--core=0:0'], { stdio: 'ignore', timeout: prlimitTimeoutMs });
  if (limit.status !== 0) log.warn({}, 'the core size limit could not be set to 0 (prlimit failed); start the daemon under ulimit -c 0');
  try {
    writeFileSync('/proc/self/coredump_filter', '0');
  } catch (error) {
    log.warn({ err: error }, 'memory could not be excluded from core dumps');
  }
}

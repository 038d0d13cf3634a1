/**
 * Opens a door through a token host: a small native process that maps the vendor library, logs in and calls it. The
 * host inherits the slab, the completion doorbell and the PIN pipe; nothing else connects it with this process.
 */
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import type { Cryptoki } from '../cryptoki.ts';
import { CryptokiLink } from '../cryptoki-link.ts';
import { LinkedCryptoki } from '../linked-cryptoki.ts';
import { createDoor, nativeBuildPath } from '../native.ts';
import type { NativeDoor } from '../native.ts';

export interface HostOptions {
  /** The whole environment of the host, for example SOFTHSM2_CONF. Nothing is inherited. */
  readonly environment: Readonly<Record<string, string>>;
  /** Default: the executable of the native build. */
  readonly hostExecutable?: string;
  /** What becomes of what the vendor library writes to standard error. `ignore` by default: some libraries write PINs there. */
  readonly standardError?: 'ignore' | 'inherit';
}

/** Starts a token host and opens a door to it. Rejects when the executable cannot be started. */
export async function openHostCryptoki(options: HostOptions): Promise<Cryptoki> {
  const { door, generation } = createDoor();
  const executable = options.hostExecutable ?? nativeBuildPath('token-host');
  const host = spawn(executable, [], {
    cwd: '/',
    // Node adds NODE_V8_COVERAGE to the environment of every child that does not name it.
    env: { NODE_V8_COVERAGE: undefined, ...options.environment },
    stdio: ['ignore', 'ignore', options.standardError ?? 'ignore', ...door.descriptors()],
  });
  try {
    await started(host, executable);
    door.handedOver();
    // A call in flight keeps the event loop alive; an idle host does not.
    host.unref();
    return connect(door, generation, host);
  } catch (error) {
    door.close();
    host.kill('SIGKILL');
    throw error;
  }
}

function started(host: ChildProcess, executable: string): Promise<void> {
  return new Promise((resolve, reject) => {
    host.once('spawn', resolve);
    host.on('error', (cause) => {
      reject(new Error(`the token host could not be started from ${executable}: build it with "npm run build:native"`, { cause }));
    });
  });
}

function connect(door: NativeDoor, generation: number, host: ChildProcess): Cryptoki {
  const link = new CryptokiLink(door, generation);
  const exited = new Promise<void>((resolve) => {
    host.once('exit', (code, signal) => {
      link.lose('host-exited', `the token host exited (${signal ?? `code ${code}`})`);
      door.close();
      resolve();
    });
  });
  link.onBroken(() => host.kill('SIGKILL'));
  return new LinkedCryptoki(link, { name: 'process', hostPid: host.pid, shutDown: (graceMs) => shutDown(door, host, exited, graceMs) });
}

/** The host ends when its pipe closes; one that does not end in time is killed. Killed is enough: nobody waits for a process that cannot die. */
async function shutDown(door: NativeDoor, host: ChildProcess, exited: Promise<void>, graceMs: number): Promise<void> {
  door.close();
  let timer: NodeJS.Timeout | undefined;
  const graceOver = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, graceMs);
  });
  await Promise.race([exited, graceOver]);
  clearTimeout(timer);
  host.kill('SIGKILL');
}

/**
 * The memory of a wrong PIN. Tokens lock after three to five wrong PINs, so one that was refused is never offered again until
 * an operator has looked: not by a retry, not by a restarted host, not by another process of this data directory.
 */
import { createHash } from 'node:crypto';
import { closeSync, fsyncSync, mkdirSync, openSync, readFileSync, renameSync, rmSync, statSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import type { SecretReference, TokenConfig } from '../config/config.ts';

/** Wrong PINs by key (`pinLatchKey`). */
export interface PinLatch {
  /** Why the latch is set, or undefined. */
  isSet(key: string): string | undefined;
  /** Resolves once the latch is on stable storage. From the moment of the call on, `isSet` answers with the reason. */
  set(key: string, reason: string): Promise<void>;
  /** For an operator who has put the PIN right. */
  clear(key: string): void;
}

/**
 * Names one PIN of one token by where it comes from and which version of that it is: a PIN file that was replaced is another PIN.
 * A hash over the reference and the file's identity; the PIN itself does not go in, since a hash of something so short tells it.
 * `environment` resolves systemd credentials.
 */
export function pinLatchKey(
  config: Pick<TokenConfig, 'module' | 'label' | 'serial' | 'pin'>,
  environment: NodeJS.ProcessEnv = process.env,
): string {
  const parts = [
    config.module,
    config.label ?? '',
    config.serial ?? '',
    JSON.stringify(config.pin),
    fileVersion(pinFile(config.pin, environment)),
  ];
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex');
}

function pinFile(reference: SecretReference, environment: NodeJS.ProcessEnv): string | undefined {
  if (reference.kind === 'file') return reference.path;
  if (reference.kind !== 'credential') return undefined;
  return join(environment['CREDENTIALS_DIRECTORY'] ?? '', reference.name);
}

function fileVersion(path: string | undefined): string {
  if (path === undefined) return 'unversioned';
  const status = statSync(path, { bigint: true, throwIfNoEntry: false });
  return status === undefined ? 'absent' : `${status.dev}:${status.ino}:${status.size}:${status.mtimeNs}`;
}

const KEY = /^[0-9a-f]{64}$/;

/** A latch of files, one for each key, in a directory that only this user may read. */
export class FilePinLatch implements PinLatch {
  readonly #directory: string;
  /** What could not be written, for example because the disk is full: holds for the life of this process. */
  readonly #reasons = new Map<string, string>();

  constructor(directory: string) {
    this.#directory = directory;
  }

  isSet(key: string): string | undefined {
    return this.#reasons.get(key) ?? this.#read(this.#path(key));
  }

  async set(key: string, reason: string): Promise<void> {
    this.#reasons.set(key, reason);
    this.#write(this.#path(key), reason);
    this.#reasons.delete(key);
  }

  clear(key: string): void {
    this.#reasons.delete(key);
    rmSync(this.#path(key), { force: true });
  }

  #path(key: string): string {
    if (!KEY.test(key)) throw new TypeError('a PIN latch is named by the 64 hexadecimal digits of pinLatchKey');
    return join(this.#directory, `${key}.latch`);
  }

  #read(path: string): string | undefined {
    try {
      return readFileSync(path, 'utf8');
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
      return `the PIN latch ${path} cannot be read: ${(error as Error).message}`;
    }
  }

  #write(path: string, reason: string): void {
    mkdirSync(this.#directory, { recursive: true, mode: 0o700 });
    const unfinished = `${path}.${process.pid}`;
    const file = openSync(unfinished, 'w', 0o600);
    try {
      writeSync(file, reason);
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
    renameSync(unfinished, path);
    const directory = openSync(this.#directory, 'r');
    try {
      fsyncSync(directory);
    } finally {
      closeSync(directory);
    }
  }
}

/** Reads a secret from where its reference points: a private file, the environment, a systemd credential, or a person. */
import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { join } from 'node:path';
import { SecretBytes } from '../secret-bytes.ts';
import type { SecretReference } from './config.ts';

const secretBytesMax = 4_096;
const groupAndOthers = 0o077;
const newline = 0x0a;
const carriageReturn = 0x0d;

/** Where secrets can come from besides files. */
export interface SecretSources {
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Asks the person at the terminal without echo. Rejects when there is no terminal. */
  readonly prompt: (question: string) => Promise<SecretBytes>;
}

/**
 * The secret behind `reference`. `what` names it in questions and errors, for example `PIN of token hsm`. One line end at the
 * end of a file is not part of the secret. Rejects with an Error that says what to do.
 */
export async function readSecret(reference: SecretReference, what: string, sources: SecretSources): Promise<SecretBytes> {
  const secret = await fetchSecret(reference, what, sources);
  if (secret.length > 0) return secret;
  throw new Error(`the ${what} is empty`);
}

async function fetchSecret(reference: SecretReference, what: string, sources: SecretSources): Promise<SecretBytes> {
  if (reference.kind === 'prompt') return sources.prompt(what);
  if (reference.kind === 'file') return readSecretFile(reference.path, what);
  if (reference.kind === 'env') return SecretBytes.fromText(required(sources.environment, reference.variable, what));
  return readSecretFile(join(required(sources.environment, 'CREDENTIALS_DIRECTORY', what), reference.name), what);
}

/**
 * Reads a secret file. Refuses one that group or others could read, and one that belongs to neither this user nor root: the
 * check is on the opened file, so that it cannot be swapped in between.
 */
export function readSecretFile(path: string, what: string, bytesMax: number = secretBytesMax): SecretBytes {
  const descriptor = openSecretFile(path, what);
  try {
    const status = fstatSync(descriptor);
    if (!status.isFile()) throw new Error(`the ${what} is to be read from ${path}, which is not a file`);
    if ((status.mode & groupAndOthers) !== 0)
      throw new Error(`the file ${path} (${what}) is open to other users; close it with: chmod 600 ${path}`);
    if (status.uid !== 0 && status.uid !== process.getuid?.())
      throw new Error(`the file ${path} (${what}) belongs to another user (uid ${status.uid})`);
    if (status.size > bytesMax) throw new Error(`the file ${path} (${what}) is larger than ${bytesMax} bytes`);
    const bytes = new Uint8Array(bytesMax + 1);
    const length = readSync(descriptor, bytes, 0, bytes.length, 0);
    const secret = new SecretBytes(bytes.slice(0, withoutLineEnd(bytes, length)));
    bytes.fill(0);
    return secret;
  } finally {
    closeSync(descriptor);
  }
}

function openSecretFile(path: string, what: string): number {
  try {
    return openSync(path, 'r');
  } catch (error) {
    throw new Error(`cannot read the ${what} from ${path}: ${(error as Error).message}`, { cause: error });
  }
}

function withoutLineEnd(bytes: Uint8Array, length: number): number {
  if (length > 0 && bytes[length - 1] === newline) return length > 1 && bytes[length - 2] === carriageReturn ? length - 2 : length - 1;
  return length;
}

function required(environment: SecretSources['environment'], variable: string, what: string): string {
  const value = environment[variable];
  if (value === undefined || value === '')
    throw new Error(`the ${what} is to come from the environment variable ${variable}, which is not set`);
  return value;
}

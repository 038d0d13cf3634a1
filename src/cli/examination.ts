/** What `doctor` looks at, in the order in which a daemon needs it. Reads and measures, changes nothing. */
import { accessSync, constants, statSync } from 'node:fs';
import { systemClock } from '../clock.ts';
import type { Config } from '../config/config.ts';
import { readCredentialsFile } from '../config/credentials-file.ts';
import { configuredAttestation } from '../daemon/attestation-root.ts';
import { examineSealedRootKey } from './root-key-examination.ts';
import { examineToken } from './token-examination.ts';

/** One thing that was looked at. `wrong` keeps the daemon from working as configured; `note` is what its operator must know. */
export interface Finding {
  readonly verdict: 'right' | 'note' | 'wrong';
  readonly subject: string;
  readonly words: string;
  readonly remedy?: string;
}

const groupAndOthersWrite = 0o022;

/** Everything about a configuration that was already found valid. */
export async function* examine(config: Config): AsyncGenerator<Finding> {
  yield {
    verdict: 'right',
    subject: 'configuration',
    words: `${config.tokens.length} tokens, ${config.keyStores.length} key stores, ${config.regions.length} Regions`,
  };
  yield examineDataDirectory(config.dataDirectory);
  yield examineCallers(config);
  yield* examineTls(config);
  yield* examineAttestation(config);
  for (const token of config.tokens) {
    const stores = config.keyStores.filter((store) => store.kind === 'pkcs11').filter((store) => store.token === token.name);
    yield* examineToken(token, stores, config.dataDirectory);
  }
  for (const store of config.keyStores) {
    if (store.kind !== 'software') continue;
    yield {
      verdict: 'note',
      subject: `key store ${store.name}`,
      words: 'keys are in software: no token guards them, and each says SOFTWARE',
    };
    if (store.rootKey.kind === 'tpm') yield await examineSealedRootKey(store.rootKey, store.name);
  }
}

function examineDataDirectory(directory: string): Finding {
  const subject = 'data directory';
  const status = statSync(directory, { throwIfNoEntry: false });
  if (status === undefined) return { verdict: 'note', subject, words: `${directory} does not exist; the daemon makes it` };
  if (!status.isDirectory())
    return { verdict: 'wrong', subject, words: `${directory} is not a directory`, remedy: 'name a directory with dataDirectory or --data' };
  if ((status.mode & groupAndOthersWrite) !== 0) {
    return { verdict: 'wrong', subject, words: `other users can write to ${directory}`, remedy: `chmod go-rwx ${directory}` };
  }
  if (!isWritable(directory))
    return { verdict: 'wrong', subject, words: `this user cannot write to ${directory}`, remedy: 'run as the user that owns it' };
  return { verdict: 'right', subject, words: directory };
}

function examineCallers(config: Config): Finding {
  const subject = 'callers';
  if (config.auth.mode === 'emulator')
    return { verdict: 'note', subject, words: 'auth: emulator believes every caller on this machine; for tests only' };
  const file = config.auth.credentialsFile ?? '';
  try {
    readCredentialsFile(file);
    return { verdict: 'right', subject, words: `access keys in ${file}` };
  } catch (error) {
    return { verdict: 'wrong', subject, words: (error as Error).message, remedy: 'hsm-kms setup makes a credentials file to start from' };
  }
}

function* examineTls({ listener }: Config): Generator<Finding> {
  if (listener.tls === undefined) return;
  for (const file of [listener.tls.certificateFile, listener.tls.keyFile]) {
    const readable = isAccessible(file, constants.R_OK);
    yield readable
      ? { verdict: 'right', subject: 'TLS', words: file }
      : {
          verdict: 'wrong',
          subject: 'TLS',
          words: `${file} cannot be read`,
          remedy: 'name the right file in listener.tls, or let this user read it',
        };
  }
}

function* examineAttestation(config: Config): Generator<Finding> {
  const subject = 'attestation';
  if (config.attestation === undefined) return;
  try {
    configuredAttestation(config, systemClock);
    yield { verdict: 'right', subject, words: `root certificate ${config.attestation.rootCertificateFile}` };
  } catch (error) {
    yield { verdict: 'wrong', subject, words: (error as Error).message };
  }
}

function isWritable(path: string): boolean {
  return isAccessible(path, constants.W_OK);
}

function isAccessible(path: string, mode: number): boolean {
  try {
    accessSync(path, mode);
    return true;
  } catch {
    return false;
  }
}

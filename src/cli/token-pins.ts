/** PINs of tokens for commands that log in, and the memory of those that a token refused. */
import { join } from 'node:path';
import type { Config, TokenConfig } from '../config/config.ts';
import { pinLatchDirectory } from '../config/pin-source.ts';
import { readSecret, readSecretFile, type SecretSources } from '../config/secret-source.ts';
import { SecretBytes } from '../secret-bytes.ts';
import { FilePinLatch } from '../token/pin-latch.ts';
import { askSecret } from './ask-secret.ts';

/** Wrong PINs are remembered where the daemon remembers them. */
export function latchOf(config: Config): FilePinLatch {
  return new FilePinLatch(join(config.dataDirectory, pinLatchDirectory));
}

/** The one that the configuration refers to. */
export function userPin(token: TokenConfig): Promise<SecretBytes> {
  const sources: SecretSources = { environment: process.env, prompt: askSecret };
  return readSecret(token.pin, `PIN of token ${token.name}`, sources);
}

/** From the file, or from the terminal without one. */
export async function soPinOf(token: TokenConfig, file: string | undefined): Promise<SecretBytes> {
  return file === undefined ? askSecret(`SO PIN of token ${token.name}`) : readSecretFile(file, 'SO PIN');
}

/** Hands over copies, which are wiped by who gets them. */
export function lender(secret: SecretBytes): () => Promise<SecretBytes> {
  return () => Promise.resolve(secret.expose((bytes) => new SecretBytes(bytes.slice())));
}

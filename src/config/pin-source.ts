/** The PIN of a token, fetched anew at every login where it can be: a file or credential is read again, a typed one is kept. */
import { SecretBytes } from '../secret-bytes.ts';
import type { TokenConfig } from './config.ts';
import { readSecret, type SecretSources } from './secret-source.ts';

/**
 * Fetches the PIN of `token`; each call hands over a copy of its own, which the caller wipes. A person is asked once, at the first
 * call, since nobody sits there when a login is repeated at night.
 */
export function pinSource(token: Pick<TokenConfig, 'name' | 'pin'>, secrets: SecretSources): () => Promise<SecretBytes> {
  const read = (): Promise<SecretBytes> => readSecret(token.pin, `PIN of token ${token.name}`, secrets);
  if (token.pin.kind !== 'prompt') return read;
  let typed: Promise<SecretBytes> | undefined;
  return async () => {
    typed ??= read();
    const kept = await typed;
    return kept.expose((bytes) => new SecretBytes(bytes.slice()));
  };
}

/** Where wrong PINs are remembered: in the data directory, so that a restart does not offer them again. */
export const pinLatchDirectory = 'pin-latch';

/** TokenError becomes KeyStoreError here and nowhere else. */
import { TokenError } from '../../token/token-error.ts';
import type { TokenErrorKind } from '../../token/token-error.ts';
import { KeyStoreError } from '../keystore.ts';
import type { KeyStoreErrorKind } from '../keystore.ts';

const kinds: Readonly<Record<TokenErrorKind, KeyStoreErrorKind>> = {
  input: 'internal',
  unclear: 'unavailable',
  handle: 'unavailable',
  session: 'unavailable',
  login: 'unavailable',
  device: 'unavailable',
  capacity: 'unavailable',
  pin: 'unavailable',
  unavailable: 'unavailable',
  overdue: 'timeout',
  unsupported: 'unsupported',
  refused: 'refused',
  'weaker-key': 'refused',
};

/**
 * The error that the key store's caller gets. `input` is what an `input` error of the token means there: bad ciphertext on
 * Decrypt, a defect of ours elsewhere. An abort of the caller and a KeyStoreError pass as they are.
 */
export function toKeyStoreError(error: unknown, input: KeyStoreErrorKind = 'internal'): unknown {
  if (!(error instanceof TokenError)) return error;
  const kind = error.kind === 'input' ? input : kinds[error.kind];
  return new KeyStoreError(kind, kind === 'invalid-ciphertext' ? 'The ciphertext or its encryption context is wrong' : error.message, {
    cause: error,
  });
}

/**
 * Runs calls on data of our own (a derivation, a verified record), for use where `input` would mean the user's ciphertext. An
 * error that may blame its input is then a fault of the device, one that surely does is a defect.
 */
export async function onOwnData<T>(call: Promise<T>): Promise<T> {
  try {
    return await call;
  } catch (error) {
    throw onOwnDataError(error);
  }
}

/** The error of a call on our own data. */
export function onOwnDataError(error: unknown): unknown {
  if (!(error instanceof TokenError)) return error;
  if (error.kind === 'unclear') return new TokenError('device', error.message, { cause: error });
  return error.kind === 'input' ? new KeyStoreError('internal', error.message, { cause: error }) : error;
}

/** True when the token said no to the act itself, rather than failing. */
export function isRefusal(error: unknown): boolean {
  return error instanceof TokenError && ['input', 'refused', 'unsupported', 'weaker-key'].includes(error.kind);
}

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
 * Runs a call on data of our own (a derivation, a verified record): an error that blames its input is then a fault of the
 * device, and must not be taken for a bad ciphertext of the user.
 */
export async function onOwnData<T>(call: Promise<T>): Promise<T> {
  try {
    return await call;
  } catch (error) {
    if (!(error instanceof TokenError) || (error.kind !== 'input' && error.kind !== 'unclear')) throw error;
    throw new TokenError('device', error.message, { cause: error });
  }
}

/** True when the token said no to the act itself, rather than failing. */
export function isRefusal(error: unknown): boolean {
  return error instanceof TokenError && ['input', 'refused', 'unsupported', 'weaker-key'].includes(error.kind);
}

/**
 * What can go wrong with a token, in terms of what to do about it. CryptokiError (return value and function) and
 * CryptokiLossError become TokenError here and nowhere else.
 */

/**
 * - `input`: plainly the caller's data or parameter (bad ciphertext, bad length).
 * - `unclear`: the code could mean bad input or a sick token (CKR_GENERAL_ERROR on Decrypt): classify by a known-good call.
 * - `handle`: a key handle is not valid (never to be read as "the key was deleted").
 * - `session`: the session is gone or busy.
 * - `login`: the token is logged out.
 * - `device`: the device, its connection or the library failed.
 * - `unsupported`: the token cannot do this mechanism or attribute.
 * - `refused`: the token forbids it (not extractable, key function not permitted, read only).
 * - `capacity`: the token is full or busy (sessions, memory, throttled).
 * - `pin`: wrong or locked PIN, or the PIN latch is set. Never retried.
 * - `overdue`: no answer within the deadline of its class.
 * - `unavailable`: the circuit is open, or the token host is gone and not yet back.
 * - `weaker-key`: the token made a key with weaker attributes than asked; it was destroyed.
 */
export type TokenErrorKind =
  | 'input'
  | 'unclear'
  | 'handle'
  | 'session'
  | 'login'
  | 'device'
  | 'unsupported'
  | 'refused'
  | 'capacity'
  | 'pin'
  | 'overdue'
  | 'unavailable'
  | 'weaker-key';

/** A failure of the token, with the PKCS#11 function and return value where there was one. */
export class TokenError extends Error {
  override readonly name = 'TokenError';
  readonly kind: TokenErrorKind;
  readonly functionName: string | undefined;
  readonly returnValue: number | undefined;

  constructor(kind: TokenErrorKind, message: string, details: { functionName?: string; returnValue?: number; cause?: unknown } = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.kind = kind;
    this.functionName = details.functionName;
    this.returnValue = details.returnValue;
  }
}

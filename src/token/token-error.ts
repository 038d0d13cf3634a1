/**
 * What can go wrong with a token, in terms of what to do about it. CryptokiError (return value and function) and
 * CryptokiLossError become TokenError here and nowhere else.
 */
import { CryptokiError, CryptokiLossError } from './cryptoki.ts';
import type { CryptokiLossReason } from './cryptoki.ts';

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

const CKR_GENERAL_ERROR = 0x5;

type Kinds = Readonly<Record<number, TokenErrorKind>>;

/** What a return value means whichever function returned it. What is not here means `device`. Source: PKCS#11 v3.0, section 5.1. */
const KINDS: Kinds = {
  0x2: 'capacity', // HOST_MEMORY
  0x7: 'input', // ARGUMENTS_BAD
  0x9: 'unsupported', // NEED_TO_CREATE_THREADS
  0xa: 'unsupported', // CANT_LOCK
  0x10: 'refused', // ATTRIBUTE_READ_ONLY
  0x11: 'refused', // ATTRIBUTE_SENSITIVE
  0x12: 'unsupported', // ATTRIBUTE_TYPE_INVALID
  0x13: 'unsupported', // ATTRIBUTE_VALUE_INVALID
  0x1b: 'refused', // ACTION_PROHIBITED
  0x20: 'input', // DATA_INVALID
  0x21: 'input', // DATA_LEN_RANGE
  0x40: 'input', // ENCRYPTED_DATA_INVALID
  0x41: 'input', // ENCRYPTED_DATA_LEN_RANGE
  0x42: 'input', // AEAD_DECRYPT_FAILED
  0x50: 'session', // FUNCTION_CANCELED
  0x54: 'unsupported', // FUNCTION_NOT_SUPPORTED
  0x60: 'handle', // KEY_HANDLE_INVALID
  0x62: 'unsupported', // KEY_SIZE_RANGE
  0x63: 'refused', // KEY_TYPE_INCONSISTENT: NSS says so where the usage flag forbids the call
  0x65: 'handle', // KEY_CHANGED
  0x68: 'refused', // KEY_FUNCTION_NOT_PERMITTED
  0x69: 'refused', // KEY_NOT_WRAPPABLE
  0x6a: 'refused', // KEY_UNEXTRACTABLE
  0x70: 'unsupported', // MECHANISM_INVALID
  0x71: 'unsupported', // MECHANISM_PARAM_INVALID
  0x82: 'handle', // OBJECT_HANDLE_INVALID
  0x90: 'session', // OPERATION_ACTIVE
  0x91: 'session', // OPERATION_NOT_INITIALIZED
  0xa0: 'pin', // PIN_INCORRECT
  0xa1: 'pin', // PIN_INVALID
  0xa2: 'pin', // PIN_LEN_RANGE
  0xa3: 'pin', // PIN_EXPIRED
  0xa4: 'pin', // PIN_LOCKED
  0xb0: 'session', // SESSION_CLOSED
  0xb1: 'capacity', // SESSION_COUNT
  0xb3: 'session', // SESSION_HANDLE_INVALID
  0xb4: 'unsupported', // SESSION_PARALLEL_NOT_SUPPORTED
  0xb5: 'refused', // SESSION_READ_ONLY
  0xb7: 'refused', // SESSION_READ_ONLY_EXISTS
  0xb8: 'refused', // SESSION_READ_WRITE_SO_EXISTS
  0xc0: 'input', // SIGNATURE_INVALID
  0xc1: 'input', // SIGNATURE_LEN_RANGE
  0xd0: 'unsupported', // TEMPLATE_INCOMPLETE
  0xd1: 'unsupported', // TEMPLATE_INCONSISTENT
  0xe2: 'refused', // TOKEN_WRITE_PROTECTED
  0xf0: 'handle', // UNWRAPPING_KEY_HANDLE_INVALID
  0xf1: 'unsupported', // UNWRAPPING_KEY_SIZE_RANGE
  0xf2: 'refused', // UNWRAPPING_KEY_TYPE_INCONSISTENT
  0x100: 'login', // USER_ALREADY_LOGGED_IN
  0x101: 'login', // USER_NOT_LOGGED_IN
  0x102: 'pin', // USER_PIN_NOT_INITIALIZED
  0x103: 'unsupported', // USER_TYPE_INVALID
  0x104: 'login', // USER_ANOTHER_ALREADY_LOGGED_IN
  0x110: 'input', // WRAPPED_KEY_INVALID
  0x112: 'input', // WRAPPED_KEY_LEN_RANGE
  0x113: 'handle', // WRAPPING_KEY_HANDLE_INVALID
  0x114: 'unsupported', // WRAPPING_KEY_SIZE_RANGE
  0x115: 'refused', // WRAPPING_KEY_TYPE_INCONSISTENT
  0x121: 'unsupported', // RANDOM_NO_RNG
  0x130: 'unsupported', // DOMAIN_PARAMS_INVALID
  0x140: 'unsupported', // CURVE_NOT_SUPPORTED
  0x1b0: 'pin', // NEW_PIN_MODE
  0x1b8: 'pin', // PIN_TOO_WEAK
  0x200: 'refused', // FUNCTION_REJECTED
  0x201: 'capacity', // TOKEN_RESOURCE_EXCEEDED
  0x203: 'capacity', // KEY_EXHAUSTED
};

/** SoftHSM answers a wrong tag, padding or wrapped key with GENERAL_ERROR, openCryptoki with FUNCTION_FAILED; a sick token does too. */
const OPENING: Kinds = {
  0x2: 'unclear',
  0x5: 'unclear',
  0x6: 'unclear',
  0x30: 'unclear',
  0x31: 'unclear',
  0x91: 'unclear',
  0x150: 'unclear',
};
/** A full disk shows as FUNCTION_FAILED on SoftHSM; DEVICE_MEMORY is a full token here and a lost connection elsewhere. */
const MAKING: Kinds = { 0x6: 'capacity', 0x31: 'capacity' };
/** SoftHSM refuses OAEP with SHA-256 by ARGUMENTS_BAD in the Init call, before there is any data. */
const STARTING: Kinds = { 0x7: 'unsupported' };

/** What a return value means when this function returned it. */
const KINDS_BY_FUNCTION: Readonly<Record<string, Kinds>> = {
  C_Decrypt: OPENING,
  C_DecryptUpdate: OPENING,
  C_DecryptFinal: OPENING,
  C_UnwrapKey: OPENING,
  // NSS reports a wrong MAC as DEVICE_ERROR, and as BUFFER_TOO_SMALL after an earlier one.
  C_Verify: OPENING,
  C_GenerateKey: MAKING,
  C_GenerateKeyPair: MAKING,
  C_CreateObject: MAKING,
  C_CopyObject: MAKING,
  C_EncryptInit: STARTING,
  C_DecryptInit: STARTING,
  C_SignInit: STARTING,
  C_VerifyInit: STARTING,
  C_Initialize: STARTING,
  // CloudHSM: too many sessions opened too fast.
  C_OpenSession: { 0x7: 'capacity' },
};

/** What `returnValue` of `functionName` means. Vendor-defined values are `unclear` where the data may be at fault, else `device`. */
export function kindOf(returnValue: number, functionName: string): TokenErrorKind {
  const special = KINDS_BY_FUNCTION[functionName];
  return special?.[returnValue] ?? KINDS[returnValue] ?? (special === OPENING ? 'unclear' : 'device');
}

const LOSS_KINDS: Readonly<Record<CryptokiLossReason, TokenErrorKind>> = {
  overdue: 'overdue',
  'host-exited': 'unavailable',
  closed: 'unavailable',
  overloaded: 'capacity',
};

/** The TokenError for whatever a call into the door was rejected with. Programming errors (TypeError) come back as they are. */
export function tokenErrorFrom(error: unknown): Error {
  if (error instanceof TokenError || error instanceof TypeError) return error;
  if (error instanceof CryptokiLossError) return new TokenError(LOSS_KINDS[error.reason], error.message, { cause: error });
  if (!(error instanceof CryptokiError))
    return new TokenError('device', error instanceof Error ? error.message : String(error), { cause: error });
  const { functionName, returnValue } = error;
  return new TokenError(kindOf(returnValue, functionName), error.message, { functionName, returnValue, cause: error });
}

/**
 * True when the call may pass with fewer attributes in its template. NSS stores token objects in a database that has no column for the
 * attributes it does not know, and says GENERAL_ERROR.
 */
export function mayBeTemplate(error: TokenError): boolean {
  return error.kind === 'unsupported' || error.returnValue === CKR_GENERAL_ERROR;
}

/** For `.catch`: throws the TokenError for `error`. */
export function throwTokenError(error: unknown): never {
  throw tokenErrorFrom(error);
}

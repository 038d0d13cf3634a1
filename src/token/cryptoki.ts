/**
 * The door to one loaded PKCS#11 module: asynchronous, batched, one session per native thread. Two placements
 * implement it (a token host process, and the addon inside this process); one contract suite holds for both.
 * It has no policy: it converts, calls off the JavaScript thread, and reports the return value and the function.
 * Recovery, deadlines by class and handle lifetimes are decided above (`token/token.ts`).
 */
import type { AttributeName, Mechanism, Template } from './mechanism.ts';
import type { SecretBytes } from '../secret-bytes.ts';

/** A 64-bit CK_OBJECT_HANDLE as two halves, so that the hot path allocates no BigInt. */
export interface ObjectHandle {
  readonly low: number;
  readonly high: number;
}

/**
 * Which threads serve a call. `fast`: microseconds (encrypt, sign, MAC, random). `anchor`: creates session objects in a
 * session that is never lent, since session objects die with their session. `slow`: key generation, token objects,
 * searches; a bounded share, so that they cannot starve the fast ones.
 */
export type ThreadClass = 'fast' | 'anchor' | 'slow';

/** Arguments of C_Initialize. `reserved` is passed as pReserved (NSS, YubiHSM); `nullArguments` passes NULL. */
export interface InitializeArguments {
  readonly nullArguments?: boolean;
  readonly osLocking?: boolean;
  readonly reserved?: string;
}

export interface ModuleDescription {
  readonly cryptokiVersion: string;
  /** How the function list was found. */
  readonly functionList: 'C_GetInterface' | 'C_GetFunctionList' | 'FC_GetFunctionList';
  readonly manufacturer: string;
  readonly libraryDescription: string;
  readonly libraryVersion: string;
}

/** A slot with its token, as C_GetSlotInfo and C_GetTokenInfo describe them. */
export interface SlotDescription {
  /** CK_SLOT_ID, decimal. */
  readonly slotId: string;
  readonly tokenPresent: boolean;
  readonly label: string;
  readonly manufacturer: string;
  readonly model: string;
  readonly serial: string;
  /** CK_TOKEN_INFO flags. */
  readonly flags: number;
  /** Undefined when the token gives CK_UNAVAILABLE_INFORMATION or CK_EFFECTIVELY_INFINITE. */
  readonly sessionsMax: number | undefined;
  readonly pinBytesMin: number;
  readonly pinBytesMax: number;
}

/** A key that was made, with the attributes that were read back in the same hop. */
export interface CreatedObject {
  readonly handle: ObjectHandle;
  readonly attributes: ReadAttributes;
}

/** Attributes read from an object. A missing member could not be read: sensitive or not known to the token. */
export type ReadAttributes = Template;

/** A call into the module that returned something else than CKR_OK. */
export class CryptokiError extends Error {
  override readonly name = 'CryptokiError';
  /** CKR value. */
  readonly returnValue: number;
  /** C_ function that returned it, for example `C_EncryptInit`. */
  readonly functionName: string;
  constructor(returnValue: number, functionName: string, returnValueName: string) {
    super(`${functionName} returned ${returnValueName}`);
    this.returnValue = returnValue;
    this.functionName = functionName;
  }
}

/** Why a call has no answer from the module. */
export type CryptokiLossReason = 'overdue' | 'host-exited' | 'closed' | 'overloaded';

/** A call that the module did not answer: it hung past its deadline, its host died or was closed, or no slot was free. */
export class CryptokiLossError extends Error {
  override readonly name = 'CryptokiLossError';
  readonly reason: CryptokiLossReason;
  constructor(reason: CryptokiLossReason, message: string) {
    super(message);
    this.reason = reason;
  }
}

/** How one call is to be carried out. */
export interface CallOptions {
  readonly threads: ThreadClass;
  /** The call rejects with `overdue` after this many milliseconds (checked every 100 ms or finer). */
  readonly deadlineMs: number;
}

/** One loaded module. Every method rejects with CryptokiError or CryptokiLossError; wrong arguments throw TypeError. */
export interface Cryptoki {
  readonly placement: 'process' | 'in-process';
  /** Process id of the token host; undefined in process. */
  readonly hostPid: number | undefined;
  /** Settles once, when the host exits or the door is closed. Never rejects. */
  readonly closed: Promise<{ readonly reason: string }>;
  /** Called when a call passes its deadline, once per call; the thread that serves it is stuck. */
  onOverdue(listener: (call: { readonly functionName: string; readonly ageMs: number }) => void): void;

  /** dlopen, C_GetFunctionList and C_Initialize. */
  load(
    module: { path: string; deepBind: boolean; functionList?: 'C' | 'FC'; initialize: InitializeArguments },
    options: CallOptions,
  ): Promise<ModuleDescription>;
  slots(options: CallOptions): Promise<readonly SlotDescription[]>;
  mechanisms(slotId: string, options: CallOptions): Promise<readonly bigint[]>;
  /** Starts the threads and opens one RW session for each. */
  openSessions(slotId: string, threads: Readonly<Record<ThreadClass, number>>, options: CallOptions): Promise<void>;
  /** C_Login on one session (login state is per process and token). The PIN travels over a pipe. */
  login(user: 'USER' | 'SO', pin: SecretBytes, options: CallOptions): Promise<void>;
  logout(options: CallOptions): Promise<void>;
  /** Closes the session of every thread of the class and opens a new one. Session objects of anchor sessions are lost. */
  reopenSessions(threads: ThreadClass, options: CallOptions): Promise<void>;
  /** C_CloseAllSessions behind the threads' back: for fault tests and the conformance suite. */
  closeAllSessions(slotId: string, options: CallOptions): Promise<void>;
  /** CKS_ state of the session of one thread of the class. */
  sessionState(options: CallOptions): Promise<number>;
  /** Stops the threads, then C_Finalize. `load` may follow. */
  finalize(options: CallOptions): Promise<void>;

  encrypt(mechanism: Mechanism, key: ObjectHandle, data: Uint8Array, options: CallOptions): Promise<Uint8Array>;
  decrypt(mechanism: Mechanism, key: ObjectHandle, data: Uint8Array, options: CallOptions): Promise<Uint8Array>;
  sign(mechanism: Mechanism, key: ObjectHandle, data: Uint8Array, options: CallOptions): Promise<Uint8Array>;
  /** Resolves to false on CKR_SIGNATURE_INVALID or CKR_SIGNATURE_LEN_RANGE. */
  verify(mechanism: Mechanism, key: ObjectHandle, data: Uint8Array, signature: Uint8Array, options: CallOptions): Promise<boolean>;
  generateKey(mechanism: Mechanism, template: Template, readBack: readonly AttributeName[], options: CallOptions): Promise<CreatedObject>;
  generateKeyPair(
    mechanism: Mechanism,
    publicTemplate: Template,
    privateTemplate: Template,
    readBack: readonly AttributeName[],
    options: CallOptions,
  ): Promise<{ readonly publicKey: CreatedObject; readonly privateKey: CreatedObject }>;
  wrapKey(mechanism: Mechanism, wrappingKey: ObjectHandle, key: ObjectHandle, options: CallOptions): Promise<Uint8Array>;
  unwrapKey(
    mechanism: Mechanism,
    unwrappingKey: ObjectHandle,
    wrapped: Uint8Array,
    template: Template,
    readBack: readonly AttributeName[],
    options: CallOptions,
  ): Promise<CreatedObject>;
  deriveKey(
    mechanism: Mechanism,
    baseKey: ObjectHandle,
    template: Template,
    readBack: readonly AttributeName[],
    options: CallOptions,
  ): Promise<CreatedObject>;
  createObject(template: Template, readBack: readonly AttributeName[], options: CallOptions): Promise<CreatedObject>;
  copyObject(object: ObjectHandle, template: Template, readBack: readonly AttributeName[], options: CallOptions): Promise<CreatedObject>;
  setAttributes(object: ObjectHandle, template: Template, options: CallOptions): Promise<void>;
  getAttributes(object: ObjectHandle, names: readonly AttributeName[], options: CallOptions): Promise<ReadAttributes>;
  destroyObject(object: ObjectHandle, options: CallOptions): Promise<void>;
  /** One C_FindObjects pass that also reads attributes; pages internally, so any number of objects. */
  findObjects(template: Template, readBack: readonly AttributeName[], options: CallOptions): Promise<readonly CreatedObject[]>;
  random(lengthBytes: number, options: CallOptions): Promise<Uint8Array>;
  /** Measures one call of nothing but the hop, for the benchmark. */
  ping(options: CallOptions): Promise<void>;

  /** Ends the door. In process: stops threads, C_Finalize if asked. Process: closes the pipe, then SIGKILL after `graceMs`. Never waits longer. */
  close(graceMs: number): Promise<void>;
}

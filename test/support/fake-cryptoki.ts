/**
 * A door without a module, for tests of what stands above it: real AES and HMAC from node:crypto over objects in memory. Strict: session
 * state, login, usage flags and handles are enforced, and what it does not model throws. Every method can be made to fail, hang or lie.
 */
import { createCipheriv, createDecipheriv, createHmac, randomBytes } from 'node:crypto';
import { CryptokiError, CryptokiLossError } from '../../src/token/cryptoki.ts';
import type {
  CallOptions,
  CreatedObject,
  Cryptoki,
  ModuleDescription,
  ObjectHandle,
  SlotDescription,
  ThreadClass,
} from '../../src/token/cryptoki.ts';
import type { AttributeName, Mechanism, Template } from '../../src/token/mechanism.ts';
import type { SecretBytes } from '../../src/secret-bytes.ts';
import { returnValueName } from '../../src/token/return-values.ts';

export type FakeMethod = Exclude<
  { [Name in keyof Cryptoki]: Cryptoki[Name] extends (...given: never[]) => Promise<unknown> ? Name : never }[keyof Cryptoki],
  'close'
>;

/** What happens instead of a call, `times` often: an error, or nothing ever. */
export interface Fault {
  readonly method: FakeMethod;
  readonly fails: Error | 'hangs';
  times: number;
}

/** `C_...` of a CKR value, as the door reports it. */
export function ckr(returnValue: number, functionName: string): CryptokiError {
  return new CryptokiError(returnValue, functionName, returnValueName(returnValue));
}

const CKR_KEY_HANDLE_INVALID = 0x60;
const CKR_KEY_FUNCTION_NOT_PERMITTED = 0x68;
const CKR_PIN_INCORRECT = 0xa0;
const CKR_SESSION_HANDLE_INVALID = 0xb3;
const CKR_TEMPLATE_INCOMPLETE = 0xd0;
const CKR_USER_ALREADY_LOGGED_IN = 0x100;
const CKR_USER_NOT_LOGGED_IN = 0x101;
const CKR_CRYPTOKI_NOT_INITIALIZED = 0x190;
const CKF_LOGIN_REQUIRED = 0x4;

interface StoredObject {
  readonly template: Template;
  readonly value: Uint8Array;
}

/** What the doors of one imaginary token have in common: its PIN and its state outside any process. */
export class FakeDevice {
  pin = '1234';
  slot: SlotDescription = {
    slotId: '7',
    tokenPresent: true,
    label: 'fake',
    manufacturer: 'test',
    model: 'memory',
    serial: '0001',
    flags: CKF_LOGIN_REQUIRED,
    sessionsMax: undefined,
    pinBytesMin: 4,
    pinBytesMax: 64,
  };
  readonly faults: Fault[] = [];
  readonly doors: FakeCryptoki[] = [];
  /** Attributes that the token drops silently from what it makes, or whose value it chooses itself. */
  readonly overrides: Record<string, unknown> = {};
  /** Attributes that the token does not know. */
  readonly unknownAttributes = new Map<AttributeName, number>();
  loginsOffered = 0;

  /** A new host, or the addon in this process. */
  open(placement: Cryptoki['placement'] = 'process'): FakeCryptoki {
    const door = new FakeCryptoki(this, placement, 1_000 + this.doors.length);
    this.doors.push(door);
    return door;
  }

  /** Makes the next `times` calls of `method` fail, on every door. */
  fail(method: FakeMethod, fails: Fault['fails'], times = 1): void {
    this.faults.push({ method, fails, times });
  }
}

export class FakeCryptoki implements Cryptoki {
  readonly placement: Cryptoki['placement'];
  readonly hostPid: number;
  readonly closed: Promise<{ readonly reason: string }>;
  /** Names and options of all calls, in order. */
  readonly calls: { readonly method: FakeMethod; readonly options: CallOptions }[] = [];
  closedWithGraceMs: number | undefined;
  readonly #device: FakeDevice;
  readonly #overdue: ((call: { readonly functionName: string; readonly ageMs: number }) => void)[] = [];
  readonly #objects = new Map<number, StoredObject>();
  readonly #pending = new Set<(error: Error) => void>();
  #settleClosed!: (closed: { readonly reason: string }) => void;
  #lost: CryptokiLossError | undefined;
  #initialised = false;
  #sessions = false;
  #loggedIn = false;
  #handles = 0;

  constructor(device: FakeDevice, placement: Cryptoki['placement'], hostPid: number) {
    this.#device = device;
    this.placement = placement;
    this.hostPid = hostPid;
    this.closed = new Promise((resolve) => {
      this.#settleClosed = resolve;
    });
  }

  count(method: FakeMethod): number {
    return this.calls.filter((call) => call.method === method).length;
  }

  /** Objects that exist now. */
  get objects(): readonly Template[] {
    return [...this.#objects.values()].map(({ template }) => template);
  }

  onOverdue(listener: (call: { readonly functionName: string; readonly ageMs: number }) => void): void {
    this.#overdue.push(listener);
  }

  /** The clock of the door: every call that hangs is overdue now. */
  passDeadline(): void {
    const pending = [...this.#pending];
    this.#pending.clear();
    for (const reject of pending) reject(new CryptokiLossError('overdue', 'C_Something did not return'));
    for (const listener of this.#overdue) listener({ functionName: 'C_Something', ageMs: 1_000 });
  }

  /** kill -9 of the host. */
  die(): void {
    this.#lose(new CryptokiLossError('host-exited', 'the token host exited (SIGKILL)'));
  }

  /** C_CloseAllSessions by somebody else: session objects and login are gone. */
  loseSessions(): void {
    this.#sessions = false;
    this.#loggedIn = false;
    this.#objects.clear();
  }

  loseLibrary(): void {
    this.loseSessions();
    this.#initialised = false;
  }

  #lose(error: CryptokiLossError): void {
    this.#lost ??= error;
    for (const reject of this.#pending) reject(error);
    this.#pending.clear();
    this.#settleClosed({ reason: error.message });
  }

  /** Every call comes through here. */
  #call<T>(method: FakeMethod, options: CallOptions, act: () => T): Promise<T> {
    this.calls.push({ method, options });
    if (this.#lost !== undefined) return Promise.reject(this.#lost);
    const fault = this.#device.faults.find((candidate) => candidate.method === method && candidate.times > 0);
    if (fault !== undefined) fault.times--;
    if (fault?.fails === 'hangs') return new Promise((_resolve, reject) => this.#pending.add(reject));
    if (fault !== undefined) return Promise.reject(fault.fails);
    return Promise.resolve().then(act);
  }

  #needSession(functionName: string): void {
    if (!this.#initialised) throw ckr(CKR_CRYPTOKI_NOT_INITIALIZED, functionName);
    if (!this.#sessions) throw ckr(CKR_SESSION_HANDLE_INVALID, functionName);
  }

  load(_module: unknown, options: CallOptions): Promise<ModuleDescription> {
    return this.#call('load', options, () => {
      this.#initialised = true;
      return {
        cryptokiVersion: '2.40',
        functionList: 'C_GetFunctionList',
        manufacturer: 'test',
        libraryDescription: 'fake',
        libraryVersion: '1.0',
      };
    });
  }

  slots(options: CallOptions): Promise<readonly SlotDescription[]> {
    return this.#call('slots', options, () => {
      if (!this.#initialised) throw ckr(CKR_CRYPTOKI_NOT_INITIALIZED, 'C_GetSlotList');
      return [this.#device.slot];
    });
  }

  openSessions(_slotId: string, _threads: Readonly<Record<ThreadClass, number>>, options: CallOptions): Promise<void> {
    return this.#call('openSessions', options, () => {
      this.#sessions = true;
    });
  }

  login(_user: 'USER' | 'SO', pin: SecretBytes, options: CallOptions): Promise<void> {
    const offered = pin.expose((bytes) => Buffer.from(bytes).toString());
    return this.#call('login', options, () => {
      this.#needSession('C_Login');
      if (this.#loggedIn) throw ckr(CKR_USER_ALREADY_LOGGED_IN, 'C_Login');
      this.#device.loginsOffered++;
      if (offered !== this.#device.pin) throw ckr(CKR_PIN_INCORRECT, 'C_Login');
      this.#loggedIn = true;
    });
  }

  reopenSessions(threads: ThreadClass, options: CallOptions): Promise<void> {
    return this.#call('reopenSessions', options, () => {
      if (!this.#initialised) throw ckr(CKR_CRYPTOKI_NOT_INITIALIZED, 'C_OpenSession');
      this.#sessions = true;
      if (threads === 'anchor') this.#objects.clear();
    });
  }

  finalize(options: CallOptions): Promise<void> {
    return this.#call('finalize', options, () => {
      if (!this.#initialised) throw ckr(CKR_CRYPTOKI_NOT_INITIALIZED, 'C_Finalize');
      this.loseLibrary();
    });
  }

  encrypt(mechanism: Mechanism, key: ObjectHandle, data: Uint8Array, options: CallOptions): Promise<Uint8Array> {
    return this.#call('encrypt', options, () => seal(mechanism, this.#use('C_EncryptInit', key, 'ENCRYPT'), data));
  }

  decrypt(mechanism: Mechanism, key: ObjectHandle, data: Uint8Array, options: CallOptions): Promise<Uint8Array> {
    return this.#call('decrypt', options, () => open(mechanism, this.#use('C_DecryptInit', key, 'DECRYPT'), data));
  }

  sign(mechanism: Mechanism, key: ObjectHandle, data: Uint8Array, options: CallOptions): Promise<Uint8Array> {
    return this.#call('sign', options, () => {
      const digest = /^SHA(224|256|384|512)_HMAC$/.exec(mechanism.name)?.[1];
      if (digest === undefined) throw notModelled(mechanism.name);
      const value = this.#use('C_SignInit', key, 'SIGN');
      return Uint8Array.from(createHmac(`sha${digest}`, value).update(data).digest());
    });
  }

  generateKey(_mechanism: Mechanism, template: Template, readBack: readonly AttributeName[], options: CallOptions): Promise<CreatedObject> {
    return this.#call('generateKey', options, () =>
      this.#store('C_GenerateKey', template, randomBytes(template.VALUE_LEN ?? 32), readBack),
    );
  }

  /** May hang or fail. */
  generateKeyPair(
    _mechanism: Mechanism,
    _publicTemplate: Template,
    _privateTemplate: Template,
    _readBack: readonly AttributeName[],
    options: CallOptions,
  ): Promise<{ readonly publicKey: CreatedObject; readonly privateKey: CreatedObject }> {
    return this.#call('generateKeyPair', options, () => {
      throw notModelled('generateKeyPair');
    });
  }

  createObject(template: Template, readBack: readonly AttributeName[], options: CallOptions): Promise<CreatedObject> {
    return this.#call('createObject', options, () => {
      const { VALUE, ...attributes } = template;
      if (VALUE === undefined) throw ckr(CKR_TEMPLATE_INCOMPLETE, 'C_CreateObject');
      return this.#store('C_CreateObject', attributes, VALUE, readBack);
    });
  }

  deriveKey(
    mechanism: Mechanism,
    base: ObjectHandle,
    template: Template,
    readBack: readonly AttributeName[],
    options: CallOptions,
  ): Promise<CreatedObject> {
    return this.#call('deriveKey', options, () => {
      if (mechanism.name !== 'AES_CBC_ENCRYPT_DATA') throw ckr(0x70, 'C_DeriveKey');
      const value = seal({ name: 'AES_CBC', iv: mechanism.iv }, this.#use('C_DeriveKey', base, 'DERIVE'), mechanism.data);
      return this.#store('C_DeriveKey', template, value, readBack);
    });
  }

  getAttributes(object: ObjectHandle, names: readonly AttributeName[], options: CallOptions): Promise<Template> {
    return this.#call('getAttributes', options, () => this.#read(this.#find('C_GetAttributeValue', object), names));
  }

  destroyObject(object: ObjectHandle, options: CallOptions): Promise<void> {
    return this.#call('destroyObject', options, () => {
      this.#find('C_DestroyObject', object);
      this.#objects.delete(object.low);
    });
  }

  findObjects(template: Template, readBack: readonly AttributeName[], options: CallOptions): Promise<readonly CreatedObject[]> {
    return this.#call('findObjects', options, () => {
      this.#needSession('C_FindObjectsInit');
      const wanted = Object.entries(template);
      const found = [...this.#objects].filter(([, object]) =>
        wanted.every(([name, value]) => same(object.template[name as AttributeName], value)),
      );
      return found.map(([low, object]) => ({ handle: { low, high: 0 }, attributes: this.#read(object, readBack) }));
    });
  }

  random(lengthBytes: number, options: CallOptions): Promise<Uint8Array> {
    return this.#call('random', options, () => {
      this.#needSession('C_GenerateRandom');
      return Uint8Array.from(randomBytes(lengthBytes));
    });
  }

  ping(options: CallOptions): Promise<void> {
    return this.#call('ping', options, () => {});
  }

  close(graceMs: number): Promise<void> {
    this.closedWithGraceMs ??= graceMs;
    this.#lose(new CryptokiLossError('closed', 'the door was closed'));
    return Promise.resolve();
  }

  mechanisms = refuse('mechanisms');
  logout = refuse('logout');
  closeAllSessions = refuse('closeAllSessions');
  sessionState = refuse('sessionState');
  verify = refuse('verify');
  wrapKey = refuse('wrapKey');
  unwrapKey = refuse('unwrapKey');
  copyObject = refuse('copyObject');
  setAttributes = refuse('setAttributes');

  #find(functionName: string, handle: ObjectHandle): StoredObject {
    this.#needSession(functionName);
    const object = this.#objects.get(handle.low);
    if (object === undefined) throw ckr(CKR_KEY_HANDLE_INVALID, functionName);
    return object;
  }

  #use(functionName: string, handle: ObjectHandle, usage: AttributeName): Uint8Array {
    const object = this.#find(functionName, handle);
    if (object.template[usage] !== true) throw ckr(CKR_KEY_FUNCTION_NOT_PERMITTED, functionName);
    return object.value;
  }

  #store(functionName: string, asked: Template, value: Uint8Array, readBack: readonly AttributeName[]): CreatedObject {
    this.#needSession(functionName);
    if (asked.PRIVATE === true && !this.#loggedIn) throw ckr(CKR_USER_NOT_LOGGED_IN, functionName);
    for (const [name, returnValue] of this.#device.unknownAttributes) if (asked[name] !== undefined) throw ckr(returnValue, functionName);
    // Numbers are never given twice here; what happens where they are is for `openCryptoki` to show.
    this.#handles++;
    const object = { template: { ...asked, ...this.#device.overrides }, value };
    this.#objects.set(this.#handles, object);
    return { handle: { low: this.#handles, high: 0 }, attributes: this.#read(object, readBack) };
  }

  #read({ template, value }: StoredObject, names: readonly AttributeName[]): Template {
    const readable = template.SENSITIVE === true ? template : { ...template, VALUE: value };
    return Object.fromEntries(names.filter((name) => readable[name] !== undefined).map((name) => [name, readable[name]])) as Template;
  }
}

function same(a: unknown, b: unknown): boolean {
  return a instanceof Uint8Array && b instanceof Uint8Array ? Buffer.from(a).equals(b) : a === b;
}

function notModelled(what: string): Error {
  return new Error(`${what} is not modelled by the fake`);
}

function refuse(method: string): () => never {
  return () => {
    throw notModelled(method);
  };
}

function seal(mechanism: Mechanism, key: Uint8Array, data: Uint8Array): Uint8Array {
  if (mechanism.name === 'AES_CBC') {
    const cipher = createCipheriv('aes-256-cbc', key, mechanism.iv).setAutoPadding(false);
    return Uint8Array.from(Buffer.concat([cipher.update(data), cipher.final()]));
  }
  if (mechanism.name !== 'AES_GCM') throw notModelled(mechanism.name);
  const cipher = createCipheriv('aes-256-gcm', key, mechanism.iv).setAAD(mechanism.aad);
  return Uint8Array.from(Buffer.concat([cipher.update(data), cipher.final(), cipher.getAuthTag()]));
}

function open(mechanism: Mechanism, key: Uint8Array, sealed: Uint8Array): Uint8Array {
  if (mechanism.name !== 'AES_GCM') throw notModelled(mechanism.name);
  const cipher = createDecipheriv('aes-256-gcm', key, mechanism.iv).setAAD(mechanism.aad).setAuthTag(sealed.subarray(-16));
  try {
    return Uint8Array.from(Buffer.concat([cipher.update(sealed.subarray(0, -16)), cipher.final()]));
  } catch {
    // As SoftHSM does.
    throw ckr(0x5, 'C_Decrypt');
  }
}

/**
 * The methods of `Cryptoki` over a link: each encodes its request and says how its answer reads. The same for both placements.
 */
import type { SecretBytes } from '../secret-bytes.ts';
import type {
  CallOptions,
  CreatedObject,
  Cryptoki,
  InitializeArguments,
  ModuleDescription,
  ObjectHandle,
  ReadAttributes,
  SlotDescription,
  ThreadClass,
} from './cryptoki.ts';
import type { CallShape, CryptokiLink, OverdueListener } from './cryptoki-link.ts';
import type { AttributeName, Mechanism, Template } from './mechanism.ts';
import { writeMechanism } from './mechanism-encoder.ts';
import { writeHandle, writeReadBack, writeSlotId, writeTemplate } from './request-encoder.ts';
import { checkedBytes, checkedFlag, checkedInteger, checkedText } from './request-writer.ts';
import type { RequestWriter } from './request-writer.ts';
import { ResponseReader, readAttributes, readCreatedObject, readModuleDescription, readObjectPage, readSlots } from './response-decoder.ts';
import type { ObjectPage } from './response-decoder.ts';
import { LARGE_PAYLOAD_BYTES } from './slab-slots.ts';

/** What differs between the placements. */
export interface Placement {
  readonly name: Cryptoki['placement'];
  readonly hostPid: number | undefined;
  /** Ends the engine; never takes longer than `graceMs`. */
  shutDown(graceMs: number): Promise<void>;
}

const THREAD_CLASSES: readonly ThreadClass[] = ['fast', 'anchor', 'slow'];
const THREADS_MAX = 512;
const PIN_BYTES_MAX = 1024;
const RANDOM_BYTES_MAX = 64 * 1024;
const USERS = { SO: 0, USER: 1 } as const;
/** Room for what a token adds to the data: tag, padding, IV. */
const OUTPUT_SLACK_BYTES = 1024;
/** Handles per request when a search is read page by page; they fit a large slot with room to spare. */
const HANDLES_PER_PAGE = 65_536;
const NO_THREADS = { fast: 0, anchor: 0, slow: 0 };

const asIs = (response: Uint8Array): Uint8Array => response;
const nothing = (): void => {};
const noFields = (): void => {};
const verdict = (response: Uint8Array): boolean => new ResponseReader(response).u32() === 1;
const state = (response: Uint8Array): number => new ResponseReader(response).u32();
const mechanismNumbers = (response: Uint8Array): bigint[] => {
  const reader = new ResponseReader(response);
  return Array.from({ length: reader.count(8) }, () => reader.bigint());
};
const slotList = (response: Uint8Array): SlotDescription[] => readSlots(new ResponseReader(response));
const created =
  (readBack: readonly AttributeName[]) =>
  (response: Uint8Array): CreatedObject =>
    readCreatedObject(new ResponseReader(response), readBack);

/** One loaded module, reached through a slab. */
export class LinkedCryptoki implements Cryptoki {
  readonly placement: Cryptoki['placement'];
  readonly hostPid: number | undefined;
  readonly closed: Promise<{ readonly reason: string }>;
  readonly #link: CryptokiLink;
  readonly #placement: Placement;
  #closing: Promise<void> | undefined;

  constructor(link: CryptokiLink, placement: Placement) {
    this.#link = link;
    this.#placement = placement;
    this.placement = placement.name;
    this.hostPid = placement.hostPid;
    this.closed = link.closed;
  }

  onOverdue(listener: OverdueListener): void {
    this.#link.onOverdue(listener);
  }

  load(
    module: { path: string; deepBind: boolean; functionList?: 'C' | 'FC'; initialize: InitializeArguments },
    options: CallOptions,
  ): Promise<ModuleDescription> {
    const { nullArguments = false, osLocking = true, reserved = '' } = module.initialize;
    const shape = {
      operation: 'load',
      functionName: 'C_Initialize',
      control: true,
      decode: (response: Uint8Array) => readModuleDescription(new ResponseReader(response)),
    } as const;
    return this.#link.call(shape, options, (writer) => {
      writer.text(checkedText(module.path, 'path'));
      writer.flag(checkedFlag(module.deepBind, 'deepBind'));
      writer.flag(module.functionList === 'FC');
      writer.flag(checkedFlag(nullArguments, 'nullArguments'));
      writer.flag(checkedFlag(osLocking, 'osLocking'));
      writer.text(checkedText(reserved, 'reserved'));
    });
  }

  slots(options: CallOptions): Promise<readonly SlotDescription[]> {
    const shape = {
      operation: 'slots',
      functionName: 'C_GetSlotList',
      control: true,
      responseBytes: LARGE_PAYLOAD_BYTES,
      decode: slotList,
    } as const;
    return this.#link.call(shape, options, noFields);
  }

  mechanisms(slotId: string, options: CallOptions): Promise<readonly bigint[]> {
    const shape = { operation: 'mechanisms', functionName: 'C_GetMechanismList', control: true, decode: mechanismNumbers } as const;
    return this.#link.call(shape, options, (writer) => writeSlotId(writer, slotId));
  }

  async openSessions(slotId: string, threads: Readonly<Record<ThreadClass, number>>, options: CallOptions): Promise<void> {
    const counts = { ...threads };
    const opened = this.#link.call(
      { operation: 'openSessions', functionName: 'C_OpenSession', control: true, decode: nothing },
      options,
      (writer) => {
        writeSlotId(writer, slotId);
        for (const name of THREAD_CLASSES) writer.u32(checkedInteger(counts[name], `threads.${name}`, THREADS_MAX));
      },
    );
    this.#link.setThreads(NO_THREADS);
    await opened;
    this.#link.setThreads(counts);
  }

  /** An empty PIN passes NULL to C_Login: the token asks for the PIN itself (protected authentication path). */
  login(user: 'USER' | 'SO', pin: SecretBytes, options: CallOptions): Promise<void> {
    if (pin.length > PIN_BYTES_MAX) throw new TypeError(`a PIN has at most ${PIN_BYTES_MAX} bytes`);
    const beforeSubmit = (sequence: number): void => pin.expose((bytes) => this.#link.sendPin(sequence, bytes));
    return this.#link.call({ operation: 'login', functionName: 'C_Login', decode: nothing, beforeSubmit }, options, (writer) => {
      writer.u32(user === 'SO' ? USERS.SO : USERS.USER);
      writer.flag(pin.length === 0);
    });
  }

  logout(options: CallOptions): Promise<void> {
    return this.#link.call({ operation: 'logout', functionName: 'C_Logout', decode: nothing }, options, noFields);
  }

  reopenSessions(threads: ThreadClass, options: CallOptions): Promise<void> {
    return this.#link.call(
      { operation: 'reopenSessions', functionName: 'C_OpenSession', control: true, decode: nothing },
      options,
      (writer) => {
        if (!THREAD_CLASSES.includes(threads)) throw new TypeError('threads must be fast, anchor or slow');
        writer.u32(THREAD_CLASSES.indexOf(threads));
      },
    );
  }

  closeAllSessions(slotId: string, options: CallOptions): Promise<void> {
    const shape = { operation: 'closeAllSessions', functionName: 'C_CloseAllSessions', control: true, decode: nothing } as const;
    return this.#link.call(shape, options, (writer) => writeSlotId(writer, slotId));
  }

  sessionState(options: CallOptions): Promise<number> {
    return this.#link.call({ operation: 'sessionState', functionName: 'C_GetSessionInfo', decode: state }, options, noFields);
  }

  finalize(options: CallOptions): Promise<void> {
    const shape = { operation: 'finalize', functionName: 'C_Finalize', control: true, decode: nothing } as const;
    // The engine gives up waiting for its threads early enough to say so before the deadline.
    const finalized = this.#link.call(shape, options, (writer) => writer.u32(Math.floor(options.deadlineMs / 2)));
    this.#link.setThreads(NO_THREADS);
    return finalized;
  }

  /** With an IV made by the token (`ivSource`) the result is IV, ciphertext and tag; else ciphertext and tag. */
  encrypt(mechanism: Mechanism, key: ObjectHandle, data: Uint8Array, options: CallOptions): Promise<Uint8Array> {
    return this.#keyed('encrypt', 'C_Encrypt', mechanism, key, data, options);
  }

  decrypt(mechanism: Mechanism, key: ObjectHandle, data: Uint8Array, options: CallOptions): Promise<Uint8Array> {
    if (mechanism.name === 'AES_GCM' && mechanism.ivSource !== 'supplied')
      throw new TypeError('decryption needs the IV: ivSource must be supplied');
    return this.#keyed('decrypt', 'C_Decrypt', mechanism, key, data, options);
  }

  sign(mechanism: Mechanism, key: ObjectHandle, data: Uint8Array, options: CallOptions): Promise<Uint8Array> {
    return this.#keyed('sign', 'C_Sign', mechanism, key, data, options);
  }

  #keyed(
    operation: 'encrypt' | 'decrypt' | 'sign',
    functionName: string,
    mechanism: Mechanism,
    key: ObjectHandle,
    data: Uint8Array,
    options: CallOptions,
  ): Promise<Uint8Array> {
    checkedBytes(data, 'data');
    const shape = { operation, functionName, responseBytes: data.length + OUTPUT_SLACK_BYTES, decode: asIs };
    return this.#link.call(shape, options, (writer) => {
      writeMechanism(writer, mechanism);
      writeHandle(writer, key);
      writer.bytes(data);
    });
  }

  verify(mechanism: Mechanism, key: ObjectHandle, data: Uint8Array, signature: Uint8Array, options: CallOptions): Promise<boolean> {
    return this.#link.call({ operation: 'verify', functionName: 'C_Verify', decode: verdict }, options, (writer) => {
      writeMechanism(writer, mechanism);
      writeHandle(writer, key);
      writer.bytes(checkedBytes(data, 'data'));
      writer.bytes(checkedBytes(signature, 'signature'));
    });
  }

  generateKey(mechanism: Mechanism, template: Template, readBack: readonly AttributeName[], options: CallOptions): Promise<CreatedObject> {
    return this.#creating('generateKey', 'C_GenerateKey', readBack, options, (writer) => {
      writeMechanism(writer, mechanism);
      writeTemplate(writer, template);
    });
  }

  generateKeyPair(
    mechanism: Mechanism,
    publicTemplate: Template,
    privateTemplate: Template,
    readBack: readonly AttributeName[],
    options: CallOptions,
  ): Promise<{ readonly publicKey: CreatedObject; readonly privateKey: CreatedObject }> {
    const decode = (response: Uint8Array): { publicKey: CreatedObject; privateKey: CreatedObject } => {
      const reader = new ResponseReader(response);
      return { publicKey: readCreatedObject(reader, readBack), privateKey: readCreatedObject(reader, readBack) };
    };
    return this.#link.call({ operation: 'generateKeyPair', functionName: 'C_GenerateKeyPair', decode }, options, (writer) => {
      writeMechanism(writer, mechanism);
      writeTemplate(writer, publicTemplate);
      writeTemplate(writer, privateTemplate);
      writeReadBack(writer, readBack);
    });
  }

  wrapKey(mechanism: Mechanism, wrappingKey: ObjectHandle, key: ObjectHandle, options: CallOptions): Promise<Uint8Array> {
    return this.#link.call({ operation: 'wrapKey', functionName: 'C_WrapKey', decode: asIs }, options, (writer) => {
      writeMechanism(writer, mechanism);
      writeHandle(writer, wrappingKey);
      writeHandle(writer, key);
    });
  }

  unwrapKey(
    mechanism: Mechanism,
    unwrappingKey: ObjectHandle,
    wrapped: Uint8Array,
    template: Template,
    readBack: readonly AttributeName[],
    options: CallOptions,
  ): Promise<CreatedObject> {
    return this.#creating('unwrapKey', 'C_UnwrapKey', readBack, options, (writer) => {
      writeMechanism(writer, mechanism);
      writeHandle(writer, unwrappingKey);
      writer.bytes(checkedBytes(wrapped, 'wrapped'));
      writeTemplate(writer, template);
    });
  }

  deriveKey(
    mechanism: Mechanism,
    baseKey: ObjectHandle,
    template: Template,
    readBack: readonly AttributeName[],
    options: CallOptions,
  ): Promise<CreatedObject> {
    return this.#creating('deriveKey', 'C_DeriveKey', readBack, options, (writer) => {
      writeMechanism(writer, mechanism);
      writeHandle(writer, baseKey);
      writeTemplate(writer, template);
    });
  }

  createObject(template: Template, readBack: readonly AttributeName[], options: CallOptions): Promise<CreatedObject> {
    return this.#creating('createObject', 'C_CreateObject', readBack, options, (writer) => writeTemplate(writer, template));
  }

  copyObject(object: ObjectHandle, template: Template, readBack: readonly AttributeName[], options: CallOptions): Promise<CreatedObject> {
    return this.#creating('copyObject', 'C_CopyObject', readBack, options, (writer) => {
      writeHandle(writer, object);
      writeTemplate(writer, template);
    });
  }

  /** A call that makes an object: its own fields, then the attributes to read back. */
  #creating(
    operation: CallShape<CreatedObject>['operation'],
    functionName: string,
    readBack: readonly AttributeName[],
    options: CallOptions,
    encode: (writer: RequestWriter) => void,
  ): Promise<CreatedObject> {
    return this.#link.call({ operation, functionName, decode: created(readBack) }, options, (writer) => {
      encode(writer);
      writeReadBack(writer, readBack);
    });
  }

  setAttributes(object: ObjectHandle, template: Template, options: CallOptions): Promise<void> {
    return this.#link.call({ operation: 'setAttributes', functionName: 'C_SetAttributeValue', decode: nothing }, options, (writer) => {
      writeHandle(writer, object);
      writeTemplate(writer, template);
    });
  }

  getAttributes(object: ObjectHandle, names: readonly AttributeName[], options: CallOptions): Promise<ReadAttributes> {
    const decode = (response: Uint8Array): ReadAttributes => readAttributes(new ResponseReader(response), names);
    return this.#link.call({ operation: 'getAttributes', functionName: 'C_GetAttributeValue', decode }, options, (writer) => {
      writeHandle(writer, object);
      writeReadBack(writer, names);
    });
  }

  destroyObject(object: ObjectHandle, options: CallOptions): Promise<void> {
    return this.#link.call({ operation: 'destroyObject', functionName: 'C_DestroyObject', decode: nothing }, options, (writer) =>
      writeHandle(writer, object),
    );
  }

  /** The first hop brings all handles and as many descriptions as fit a slot; the rest is read page by page. At most 130,000 objects. */
  findObjects(template: Template, readBack: readonly AttributeName[], options: CallOptions): Promise<readonly CreatedObject[]> {
    const decode = (response: Uint8Array): { handles: ObjectHandle[]; page: ObjectPage } => {
      const reader = new ResponseReader(response);
      const handles = Array.from({ length: reader.count(8) }, () => reader.handle());
      return { handles, page: readObjectPage(reader, readBack) };
    };
    const shape = { operation: 'findObjects', functionName: 'C_FindObjects', responseBytes: LARGE_PAYLOAD_BYTES, decode } as const;
    const found = this.#link.call(shape, options, (writer) => {
      writeTemplate(writer, template);
      writeReadBack(writer, readBack);
    });
    return found.then(({ handles, page }) => this.#readRest(handles, page, readBack, options));
  }

  async #readRest(
    handles: readonly ObjectHandle[],
    first: ObjectPage,
    readBack: readonly AttributeName[],
    options: CallOptions,
  ): Promise<CreatedObject[]> {
    const objects = [...first.objects];
    let listed = first.listed;
    while (listed < handles.length) {
      const page = await this.#readObjects(handles.slice(listed, listed + HANDLES_PER_PAGE), readBack, options);
      if (page.listed === 0) throw new TypeError('the attributes of one object do not fit an answer: read fewer');
      for (const object of page.objects) objects.push(object);
      listed += page.listed;
    }
    return objects;
  }

  #readObjects(handles: readonly ObjectHandle[], readBack: readonly AttributeName[], options: CallOptions): Promise<ObjectPage> {
    const decode = (response: Uint8Array): ObjectPage => readObjectPage(new ResponseReader(response), readBack);
    const shape = { operation: 'readObjects', functionName: 'C_GetAttributeValue', responseBytes: LARGE_PAYLOAD_BYTES, decode } as const;
    return this.#link.call(shape, options, (writer) => {
      writer.u32(handles.length);
      for (const handle of handles) writeHandle(writer, handle);
      writeReadBack(writer, readBack);
    });
  }

  random(lengthBytes: number, options: CallOptions): Promise<Uint8Array> {
    const length = checkedInteger(lengthBytes, 'lengthBytes', RANDOM_BYTES_MAX);
    return this.#link.call(
      { operation: 'random', functionName: 'C_GenerateRandom', responseBytes: length, decode: asIs },
      options,
      (writer) => writer.u32(length),
    );
  }

  ping(options: CallOptions): Promise<void> {
    return this.#link.call({ operation: 'ping', functionName: 'ping', decode: nothing }, options, noFields);
  }

  close(graceMs: number): Promise<void> {
    this.#link.lose('closed', 'the door to the token was closed');
    this.#closing ??= this.#placement.shutDown(graceMs);
    return this.#closing;
  }
}

/**
 * The JavaScript side of a slab: puts encoded requests into slots, takes answers out, keeps deadlines. One promise for each call, one
 * wake-up for each batch of answers. Knows slots and headers, not what requests mean.
 *
 * Bounds: 1,016 small and 8 large requests in flight; beyond that 4,096 requests or 16 MiB wait for a slot, and the next is
 * refused as `overloaded`. A slot whose call is overdue stays taken until the engine is done with it.
 */
import { copyOffHeap } from '../bytes.ts';
import { systemClock } from '../clock.ts';
import type { Clock } from '../clock.ts';
import { CryptokiError, CryptokiLossError } from './cryptoki.ts';
import type { CallOptions, CryptokiLossReason, ThreadClass } from './cryptoki.ts';
import { FUNCTION_NAMES } from './cryptoki-numbers.ts';
import type { NativeDoor } from './native.ts';
import { OPERATIONS } from './request-encoder.ts';
import type { OperationName } from './request-encoder.ts';
import { RequestWriter } from './request-writer.ts';
import { ResponseError } from './response-decoder.ts';
import { returnValueName } from './return-values.ts';
import { FreeSlots, SLOTS, SLOT_HEADER_BYTES, SMALL_PAYLOAD_BYTES, payloadBytesMax, slotOffset } from './slab-slots.ts';
import type { SlotSize } from './slab-slots.ts';

const DEADLINE_CHECK_MS = 50;
const DEADLINE_MS_MAX = 24 * 60 * 60 * 1000;
const WAITING_MAX = 4096;
const WAITING_BYTES_MAX = 16 * 1024 * 1024;

const THREAD_CLASSES: Readonly<Record<ThreadClass, number>> = { fast: 0, anchor: 1, slow: 2 };
const CONTROL = 3;

const STATUS_OK = 0;
const STATUS_RETURN_VALUE = 1;
const TWO_TO_32 = 2 ** 32;

/** What a call says about itself besides its bytes. */
export interface CallShape<Result> {
  readonly operation: OperationName;
  /** The C_ function that an overdue call is reported under. */
  readonly functionName: string;
  /** Room that the answer needs, if it may be more than a small slot holds. */
  readonly responseBytes?: number;
  /** True for what the control thread does, which has no session. */
  readonly control?: boolean;
  /** Called with the request's sequence number just before the request is submitted. */
  readonly beforeSubmit?: (sequence: number) => void;
  readonly decode: (response: Uint8Array) => Result;
}

/** A call between its encoding and its answer. */
interface PendingCall {
  readonly shape: CallShape<unknown>;
  readonly threadClass: number;
  readonly startedAtMs: number;
  readonly deadlineAtMs: number;
  readonly resolve: (result: unknown) => void;
  readonly reject: (error: unknown) => void;
  sequence: number;
  settled: boolean;
}

interface WaitingCall {
  readonly call: PendingCall;
  readonly request: Uint8Array;
}

export type OverdueListener = (call: { readonly functionName: string; readonly ageMs: number }) => void;

export class CryptokiLink {
  readonly #door: NativeDoor;
  readonly #generation: number;
  readonly #clock: Clock;
  readonly #bytes: Uint8Array;
  readonly #words: Uint32Array;
  readonly #completed = new Uint32Array(SLOTS);
  readonly #free = new FreeSlots();
  readonly #inFlight: (PendingCall | undefined)[] = Array.from({ length: SLOTS });
  readonly #waiting: Record<SlotSize, WaitingCall[]> = { small: [], large: [] };
  readonly #writer = new RequestWriter();
  readonly #overdueListeners: OverdueListener[] = [];
  #threads: Readonly<Record<ThreadClass, number>> = { fast: 0, anchor: 0, slow: 0 };
  #inFlightCount = 0;
  /** The first call of a turn of the event loop wakes a thread at once; a single wake-up at its end serves all others. */
  #ringsLater = false;
  readonly #ring = (): void => {
    this.#ringsLater = false;
    this.#door.ring();
  };
  #waitingBytes = 0;
  #sequence = 0;
  #deadlineTimer: NodeJS.Timeout | undefined;
  #lost: { reason: CryptokiLossReason; message: string } | undefined;
  #whenBroken: () => void = () => {};
  #resolveClosed!: (closed: { readonly reason: string }) => void;
  /** Settles when the link is lost. */
  readonly closed: Promise<{ readonly reason: string }>;

  /** @param clock for deadlines; only its monotonic part is read */
  constructor(door: NativeDoor, generation: number, clock: Clock = systemClock) {
    this.#door = door;
    this.#generation = generation;
    this.#clock = clock;
    this.closed = new Promise((resolve) => {
      this.#resolveClosed = resolve;
    });
    const memory = door.memory();
    this.#bytes = new Uint8Array(memory);
    this.#words = new Uint32Array(memory);
    door.listen(this.#completed, (count) => this.#onCompletions(count));
  }

  onOverdue(listener: OverdueListener): void {
    this.#overdueListeners.push(listener);
  }

  /** `listener` is called when the other side wrote something impossible into the slab. */
  onBroken(listener: () => void): void {
    this.#whenBroken = listener;
  }

  /** Which classes have threads. A call for a class without threads is answered by the control thread. */
  setThreads(threads: Readonly<Record<ThreadClass, number>>): void {
    this.#threads = threads;
  }

  /** Sends a PIN ahead of the login request of that sequence number. */
  sendPin(sequence: number, pin: Uint8Array): void {
    this.#door.sendPin(sequence, pin);
  }

  /**
   * Encodes a request with `encode` and submits it. Throws what `encode` throws, before anything is submitted.
   * Rejects with CryptokiError or CryptokiLossError.
   */
  call<Result>(shape: CallShape<Result>, options: CallOptions, encode: (writer: RequestWriter) => void): Promise<Result> {
    const threadClass = this.#threadClass(shape, options);
    const { deadlineMs } = options;
    if (!(deadlineMs >= 0 && deadlineMs <= DEADLINE_MS_MAX))
      throw new TypeError(`deadlineMs must be a number from 0 to ${DEADLINE_MS_MAX}`);
    const writer = this.#writer;
    const lost = this.#lost;
    try {
      encode(writer);
    } catch (error) {
      writer.clear();
      throw error;
    }
    if (lost !== undefined) {
      writer.clear();
      return Promise.reject(new CryptokiLossError(lost.reason, lost.message));
    }
    const startedAtMs = this.#clock.monotonicMs();
    return new Promise((resolve, reject) => {
      this.#send({
        shape,
        threadClass,
        startedAtMs,
        deadlineAtMs: startedAtMs + deadlineMs,
        resolve: resolve as (result: unknown) => void,
        reject,
        sequence: 0,
        settled: false,
      });
    });
  }

  /** Rejects everything with `reason`; later calls too. The first reason stays. */
  lose(reason: CryptokiLossReason, message: string): void {
    if (this.#lost !== undefined) return;
    this.#lost = { reason, message };
    clearInterval(this.#deadlineTimer);
    this.#deadlineTimer = undefined;
    const pending = [
      ...this.#inFlight,
      ...this.#waiting.small.map((waiting) => waiting.call),
      ...this.#waiting.large.map((waiting) => waiting.call),
    ];
    for (const waiting of [...this.#waiting.small, ...this.#waiting.large]) waiting.request.fill(0);
    this.#waiting.small = [];
    this.#waiting.large = [];
    this.#inFlight.fill(undefined);
    for (const call of pending) if (call?.settled === false) call.reject(new CryptokiLossError(reason, message));
    this.#resolveClosed({ reason: message });
  }

  #threadClass(shape: CallShape<unknown>, options: CallOptions): number {
    const number = THREAD_CLASSES[options.threads];
    if (number === undefined) throw new TypeError('threads must be fast, anchor or slow');
    return shape.control === true || this.#threads[options.threads] === 0 ? CONTROL : number;
  }

  /** Sends what the writer holds, or lets it wait for a slot. */
  #send(call: PendingCall): void {
    const writer = this.#writer;
    const size = writer.length > SMALL_PAYLOAD_BYTES || (call.shape.responseBytes ?? 0) > SMALL_PAYLOAD_BYTES ? 'large' : 'small';
    const slot = this.#free.take(size);
    if (slot === undefined) this.#wait(call, size);
    else this.#submit(call, slot, writer.written);
    writer.clear();
  }

  #wait(call: PendingCall, size: SlotSize): void {
    const request = this.#writer.written.slice();
    const waitingCount = this.#waiting.small.length + this.#waiting.large.length;
    if (waitingCount >= WAITING_MAX || this.#waitingBytes + request.length > WAITING_BYTES_MAX) {
      request.fill(0);
      call.reject(new CryptokiLossError('overloaded', 'too many calls wait for the token: raise the number of sessions or lower the load'));
      return;
    }
    this.#waitingBytes += request.length;
    this.#waiting[size].push({ call, request });
    this.#watchDeadlines();
  }

  #submit(call: PendingCall, slot: number, request: Uint8Array): void {
    const offset = slotOffset(slot);
    const word = offset / 4;
    const words = this.#words;
    this.#sequence = (this.#sequence + 1) >>> 0;
    call.sequence = this.#sequence;
    this.#bytes.set(request, offset + SLOT_HEADER_BYTES);
    words[word] = this.#generation;
    words[word + 1] = call.sequence;
    words[word + 2] = OPERATIONS[call.shape.operation];
    words[word + 3] = request.length;
    try {
      call.shape.beforeSubmit?.(call.sequence);
    } catch (error) {
      this.#release(slot, request.length);
      call.reject(error);
      return;
    }
    this.#inFlight[slot] = call;
    this.#inFlightCount++;
    this.#door.submit(call.threadClass, slot, this.#ringsLater);
    if (!this.#ringsLater) {
      this.#ringsLater = true;
      setImmediate(this.#ring);
    }
    if (this.#deadlineTimer === undefined) this.#watchDeadlines();
  }

  #onCompletions(count: number): void {
    if (this.#lost !== undefined) return;
    if (count > SLOTS) {
      this.#breakOff('a ring of the slab is broken');
      return;
    }
    for (let index = 0; index < count && this.#lost === undefined; index++) this.#complete(this.#completed[index] as number);
    this.#submitWaiting('small');
    this.#submitWaiting('large');
  }

  /** Takes one answer. The header is read once; whatever cannot be ends the link. */
  #complete(slot: number): void {
    const call = this.#inFlight[slot];
    const offset = slotOffset(slot);
    const word = offset / 4;
    const words = this.#words;
    const lengthBytes = words[word + 3] as number;
    const status = words[word + 4] as number;
    if (
      call === undefined ||
      words[word] !== this.#generation ||
      words[word + 1] !== call.sequence ||
      lengthBytes > payloadBytesMax(slot)
    ) {
      this.#breakOff('an answer does not belong to a request');
      return;
    }
    const functionNumber = words[word + 5] as number;
    const returnValue = (words[word + 7] as number) * TWO_TO_32 + (words[word + 6] as number);
    const response = copyOffHeap(this.#bytes.subarray(offset + SLOT_HEADER_BYTES, offset + SLOT_HEADER_BYTES + lengthBytes));
    this.#inFlight[slot] = undefined;
    this.#inFlightCount--;
    this.#release(slot, lengthBytes);
    if (call.settled) {
      response.fill(0);
      return;
    }
    call.settled = true;
    if (status === STATUS_OK) this.#resolve(call, response);
    else call.reject(failure(call.shape, status, functionNumber, returnValue, response));
  }

  #resolve(call: PendingCall, response: Uint8Array): void {
    try {
      const result = call.shape.decode(response);
      // Decoders copy what they keep, except the one that gives the response itself.
      if (result !== response) response.fill(0);
      call.resolve(result);
    } catch (error) {
      call.reject(new CryptokiLossError('host-exited', 'the token host gave an answer that does not decode'));
      if (error instanceof ResponseError || error instanceof RangeError) this.#breakOff(error.message);
      else throw error;
    }
  }

  /** Wipes the answer out of the slab and frees the slot. */
  #release(slot: number, lengthBytes: number): void {
    const start = slotOffset(slot) + SLOT_HEADER_BYTES;
    this.#bytes.fill(0, start, start + lengthBytes);
    this.#free.give(slot);
  }

  #submitWaiting(size: SlotSize): void {
    const queue = this.#waiting[size];
    while (queue.length > 0) {
      const slot = this.#free.take(size);
      if (slot === undefined) return;
      const { call, request } = queue.shift() as WaitingCall;
      this.#waitingBytes -= request.length;
      this.#submit(call, slot, request);
      request.fill(0);
    }
  }

  #breakOff(what: string): void {
    this.lose('host-exited', `the token host broke the protocol of the slab: ${what}`);
    this.#whenBroken();
  }

  #watchDeadlines(): void {
    this.#deadlineTimer ??= setInterval(() => this.checkDeadlines(), DEADLINE_CHECK_MS).unref();
  }

  /** Rejects what is overdue, and fetches answers that were not announced. Runs every 50 ms while calls are in flight. */
  checkDeadlines(): void {
    const nowMs = this.#clock.monotonicMs();
    this.#door.wake();
    for (const [slot, call] of this.#inFlight.entries()) {
      if (call?.settled === false && call.deadlineAtMs <= nowMs) this.#overdue(call, slot, nowMs);
    }
    for (const size of ['small', 'large'] as const) this.#dropOverdueWaiting(size, nowMs);
    if (this.#inFlightCount > 0 || this.#waiting.small.length > 0 || this.#waiting.large.length > 0) return;
    clearInterval(this.#deadlineTimer);
    this.#deadlineTimer = undefined;
  }

  #overdue(call: PendingCall, slot: number, nowMs: number): void {
    call.settled = true;
    // If no thread has taken it yet, none will perform it: its caller may long have turned to another host.
    this.#words[slotOffset(slot) / 4 + 2] = OPERATIONS.cancelled;
    const ageMs = Math.round(nowMs - call.startedAtMs);
    call.reject(new CryptokiLossError('overdue', `${call.shape.functionName} did not return within ${ageMs} ms`));
    for (const listener of this.#overdueListeners) listener({ functionName: call.shape.functionName, ageMs });
  }

  #dropOverdueWaiting(size: SlotSize, nowMs: number): void {
    const queue = this.#waiting[size];
    if (!queue.some(({ call }) => call.deadlineAtMs <= nowMs)) return;
    this.#waiting[size] = queue.filter(({ call }) => call.deadlineAtMs > nowMs);
    for (const { call, request } of queue) {
      if (call.deadlineAtMs > nowMs) continue;
      this.#waitingBytes -= request.length;
      request.fill(0);
      call.settled = true;
      call.reject(new CryptokiLossError('overloaded', `${call.shape.functionName} found no free slot before its deadline`));
    }
  }
}

function failure(
  shape: CallShape<unknown>,
  status: number,
  functionNumber: number,
  returnValue: number,
  response: Uint8Array,
): CryptokiError {
  if (status === STATUS_RETURN_VALUE) {
    return new CryptokiError(returnValue, FUNCTION_NAMES[functionNumber] ?? `function ${functionNumber}`, returnValueName(returnValue));
  }
  const reason = new TextDecoder().decode(response);
  return new CryptokiError(returnValue, shape.functionName, `${returnValueName(returnValue)}: ${reason}`);
}

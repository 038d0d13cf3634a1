/** The link over a slab that the test plays the engine of: bounds, deadlines, and an engine that writes nonsense. */
import { expect, test } from 'vitest';
import type { Clock } from '../../../src/clock.ts';
import type { CallShape } from '../../../src/token/cryptoki-link.ts';
import { CryptokiLink } from '../../../src/token/cryptoki-link.ts';
import type { NativeDoor } from '../../../src/token/native.ts';
import { SLOTS, SLOT_HEADER_BYTES, slotOffset } from '../../../src/token/slab-slots.ts';

const GENERATION = 9;
const SLAB_BYTES = slotOffset(SLOTS - 1) + 1024 * 1024;

/** An engine that does nothing until the test says so. */
class PlayedDoor implements NativeDoor {
  readonly slab = new ArrayBuffer(SLAB_BYTES);
  readonly words: Uint32Array = new Uint32Array(this.slab);
  readonly submitted: number[] = [];
  readonly classes: number[] = [];
  #completed: Uint32Array = new Uint32Array(0);
  #callback: (count: number) => void = () => {};

  memory(): ArrayBuffer {
    return this.slab;
  }
  descriptors(): readonly [number, number, number] {
    return [0, 0, 0];
  }
  handedOver(): void {}
  startEngine(): void {}
  listen(completed: Uint32Array, callback: (count: number) => void): void {
    this.#completed = completed;
    this.#callback = callback;
  }
  submit(threadClass: number, slot: number, quietly: boolean): void {
    this.submitted.push(slot);
    this.classes.push(threadClass);
    this.quiet.push(quietly);
  }
  readonly quiet: boolean[] = [];
  rings = 0;
  ring(): void {
    this.rings++;
  }
  wakes = 0;
  wake(): void {
    this.wakes++;
  }
  sendPin(): void {}
  engineStopped(): boolean {
    return true;
  }
  close(): void {}

  payload(slot: number): Uint8Array {
    return new Uint8Array(this.slab, slotOffset(slot) + SLOT_HEADER_BYTES, 64);
  }
  /** Answers a request with status OK and `lengthBytes` of what the payload holds; `change` may spoil the header. */
  answer(slot: number, lengthBytes = 0, change: (header: Uint32Array) => void = () => {}): void {
    const header = this.words.subarray(slotOffset(slot) / 4, slotOffset(slot) / 4 + 8);
    header[3] = lengthBytes;
    header[4] = 0;
    change(header);
    this.announce(slot);
  }
  announce(slot: number): void {
    this.#completed[0] = slot;
    this.#callback(1);
  }
  announceBrokenRing(): void {
    this.#callback(SLOTS + 1);
  }
}

class MovedClock implements Clock {
  ms = 0;
  nowMs(): number {
    return this.ms;
  }
  monotonicMs(): number {
    return this.ms;
  }
}

const options = { threads: 'fast', deadlineMs: 1000 } as const;
const shape: CallShape<Uint8Array> = { operation: 'random', functionName: 'C_GenerateRandom', decode: (response) => response };

function played(): { door: PlayedDoor; clock: MovedClock; link: CryptokiLink; send: () => Promise<Uint8Array> } {
  const door = new PlayedDoor();
  const clock = new MovedClock();
  const link = new CryptokiLink(door, GENERATION, clock);
  return { door, clock, link, send: () => link.call(shape, options, (writer) => writer.u32(0xabcd)) };
}

test('a request is in its slot with generation, sequence and length, and is answered with what the slot holds', async () => {
  const { door, send } = played();
  const call = send();
  const slot = door.submitted[0]!;
  const word = slotOffset(slot) / 4;
  expect([...door.words.subarray(word, word + 4)]).toEqual([GENERATION, 1, 27, 4]);
  door.payload(slot).set([7, 8, 9]);
  door.answer(slot, 3);
  expect(await call).toEqual(Uint8Array.of(7, 8, 9));
  expect(door.payload(slot).every((byte) => byte === 0)).toBe(true);
});

test('a class without threads is served by the control thread', async () => {
  const { door, link, send } = played();
  void send().catch(() => {});
  link.setThreads({ fast: 1, anchor: 1, slow: 1 });
  void send().catch(() => {});
  expect(door.classes).toEqual([3, 0]);
  link.lose('closed', 'end of test');
});

test('the first call of a turn wakes a thread at once, all others of the turn are rung for together', async () => {
  const { door, link, send } = played();
  for (let call = 0; call < 3; call++) void send().catch(() => {});
  expect(door.quiet).toEqual([false, true, true]);
  expect(door.rings).toBe(0);
  await new Promise(setImmediate);
  expect(door.rings).toBe(1);
  void send().catch(() => {});
  expect(door.quiet.at(-1)).toBe(false);
  link.lose('closed', 'end of test');
});

test('an overdue call is rejected once; its slot is free again only when the engine answers, and the late answer is wiped', async () => {
  const { door, clock, link, send } = played();
  const reports: unknown[] = [];
  link.onOverdue((call) => reports.push(call));
  const call = send().catch((error: unknown) => error);
  clock.ms = 999;
  link.checkDeadlines();
  expect(reports).toEqual([]);
  clock.ms = 1001;
  link.checkDeadlines();
  link.checkDeadlines();
  expect(await call).toMatchObject({ reason: 'overdue' });
  expect(reports).toEqual([{ functionName: 'C_GenerateRandom', ageMs: 1001 }]);
  const slot = door.submitted[0]!;
  void send().catch(() => {});
  expect(door.submitted[1]).not.toBe(slot);
  door.payload(slot).set([1, 2, 3]);
  door.answer(slot, 3);
  expect(door.payload(slot).subarray(0, 3)).toEqual(new Uint8Array(3));
  void send().catch(() => {});
  expect(door.submitted[2]).toBe(slot);
  link.lose('closed', 'end of test');
});

test('an overdue call that no thread has taken yet is cancelled in its slot, so that none performs it later', async () => {
  const { door, clock, link, send } = played();
  const calls = [send(), send()];
  const operations = (): number[] => door.submitted.map((slot) => door.words[slotOffset(slot) / 4 + 2] as number);
  expect(operations()).not.toContain(0);
  clock.ms = 1000;
  link.checkDeadlines();
  for (const result of await Promise.allSettled(calls)) expect(result).toMatchObject({ reason: { reason: 'overdue' } });
  expect(operations()).toEqual([0, 0]);
});

test('an answer that was decoded into something else is wiped', async () => {
  const { door, link } = played();
  const seen: Uint8Array[] = [];
  const decode = (response: Uint8Array): number => {
    seen.push(response);
    return response[0] as number;
  };
  const call = link.call({ ...shape, decode }, options, () => {});
  door.payload(door.submitted[0]!).fill(5);
  door.answer(door.submitted[0]!, 3);
  expect(await call).toBe(5);
  expect(seen).toEqual([new Uint8Array(3)]);
});

test('answers that the engine did not announce are looked for with every check of deadlines', () => {
  const { door, link, send } = played();
  void send().catch(() => {});
  link.checkDeadlines();
  expect(door.wakes).toBe(1);
  link.lose('closed', 'end of test');
});

test('calls beyond the slots wait in turn, beyond the queue they are overloaded, and a deadline holds for waiting too', async () => {
  const { door, clock, link, send } = played();
  const outcomes: Promise<unknown>[] = [];
  for (let count = 0; count < 1016 + 4096; count++) outcomes.push(send().catch((error: unknown) => error));
  expect(door.submitted).toHaveLength(1016);
  await expect(send()).rejects.toMatchObject({ reason: 'overloaded' });
  door.answer(door.submitted[0]!);
  expect(await outcomes[0]).toHaveLength(0);
  expect(door.submitted).toHaveLength(1017);
  clock.ms = 1001;
  link.checkDeadlines();
  expect(await outcomes.at(-1)).toMatchObject({ reason: 'overloaded' });
  expect(await outcomes[1]).toMatchObject({ reason: 'overdue' });
});

test.each<[string, (door: PlayedDoor, slot: number) => void]>([
  ['another generation', (door, slot) => door.answer(slot, 0, (header) => header.set([GENERATION + 1], 0))],
  ['another sequence', (door, slot) => door.answer(slot, 0, (header) => header.set([77], 1))],
  ['a length beyond the slot', (door, slot) => door.answer(slot, 16 * 1024)],
  ['a slot that is not in flight', (door) => door.announce(5)],
  ['a slot that does not exist', (door) => door.announce(0xffff_ffff)],
  ['a broken ring', (door) => door.announceBrokenRing()],
])('an answer with %s ends the link and every call', async (_, spoil) => {
  const { door, link, send } = played();
  let broken = false;
  link.onBroken(() => {
    broken = true;
  });
  const calls = [send(), send()].map((call) => call.catch((error: unknown) => error));
  spoil(door, door.submitted[0]!);
  for (const error of await Promise.all(calls)) expect(error).toMatchObject({ name: 'CryptokiLossError', reason: 'host-exited' });
  expect(broken).toBe(true);
  await expect(send()).rejects.toMatchObject({ reason: 'host-exited' });
});

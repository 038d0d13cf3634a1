/** The addon itself: whatever JavaScript passes to it, it answers with a TypeError and never with undefined behaviour. */
import { execFileSync } from 'node:child_process';
import { createRequire } from 'node:module';
import { afterEach, expect, test } from 'vitest';
import type { NativeDoor } from '../../../src/token/native.ts';
import { createDoor, nativeBuildPath, openInProcessCryptoki } from '../../../src/token/native.ts';
import { SLOTS, SLOT_HEADER_BYTES, slotOffset } from '../../../src/token/slab-slots.ts';
import { NULL_MODULE, enterTestModule, fast, slow } from '../../support/cryptoki-doors.ts';
import { hasSoftHsm, provisionSoftHsm } from '../../support/softhsm.ts';

const doors: NativeDoor[] = [];
const open = (): NativeDoor => {
  const { door } = createDoor();
  doors.push(door);
  return door;
};
afterEach(() => {
  for (const door of doors.splice(0)) door.close();
});

const ODD: readonly unknown[] = [
  undefined,
  null,
  -1,
  1.5,
  Number.NaN,
  Infinity,
  2 ** 32,
  'text',
  {},
  [],
  Symbol('x'),
  () => {},
  3n,
  new Uint16Array(4),
  new DataView(new ArrayBuffer(8)),
];

test('methods of a door refuse every wrong argument with a TypeError', () => {
  const door = open() as unknown as Record<string, (...parameters: unknown[]) => unknown>;
  for (const odd of ODD) {
    expect(() => door['submit']!(odd, 0, false)).toThrow(TypeError);
    expect(() => door['submit']!(0, odd, false)).toThrow(TypeError);
    expect(() => door['sendPin']!(odd, new Uint8Array(4))).toThrow(TypeError);
    expect(() => door['sendPin']!(1, odd)).toThrow(TypeError);
    expect(() => door['listen']!(odd, () => {})).toThrow(TypeError);
    if (!Array.isArray(odd)) expect(() => door['startEngine']!(odd, [])).toThrow(TypeError);
    if (typeof odd !== 'function') expect(() => door['listen']!(new Uint32Array(1024), odd)).toThrow(TypeError);
  }
  expect(() => door['startEngine']!([7], ['x'])).toThrow(TypeError);
  expect(() => door['startEngine']!(['A\0B'], ['x'])).toThrow(TypeError);
  expect(() => door['submit']!(4, 0, false)).toThrow(TypeError);
  expect(() => door['submit']!(0, 1024, false)).toThrow(TypeError);
  expect(() => door['submit']!(0)).toThrow(TypeError);
  expect(() => door['submit']!(0, 0, 1)).toThrow(TypeError);
  expect(() => door['sendPin']!(1, new Uint8Array(1025))).toThrow(TypeError);
  expect(() => door['listen']!(new Uint32Array(16), () => {})).toThrow(TypeError);
});

test('methods refuse an object that is no door', () => {
  const door = open();
  for (const name of ['memory', 'descriptors', 'handedOver', 'engineStopped', 'wake', 'close'] as const) {
    for (const impostor of [{}, Object.create(Object.getPrototypeOf(door) as object), undefined, 7]) {
      expect(() => Reflect.apply(door[name], impostor, [])).toThrow(TypeError);
    }
  }
});

test('a door is made by new with a generation only', () => {
  const { Door } = createRequire(import.meta.url)(nativeBuildPath('pkcs11.node')) as { Door: new (generation: unknown) => NativeDoor };
  for (const odd of ODD) expect(() => new Door(odd)).toThrow(TypeError);
  expect(() => (Door as unknown as (generation: number) => void)(1)).toThrow(TypeError);
});

test('a closed door refuses work and can be closed again', () => {
  const door = open();
  door.listen(new Uint32Array(1024), () => {});
  door.close();
  door.close();
  expect(() => door.submit(0, 0, false)).toThrow(/closed/);
  expect(() => door.sendPin(1, new Uint8Array(1))).toThrow(/closed/);
  expect(() => door.startEngine([], [])).toThrow(/closed/);
});

test('the memory of a door is handed out once, and nothing stays in its slots after the door was closed', () => {
  const door = open();
  const slab = new Uint8Array(door.memory());
  expect(() => door.memory()).toThrow(/once/);
  for (const slot of [0, SLOTS - 1]) slab.fill(7, slotOffset(slot) + SLOT_HEADER_BYTES, slotOffset(slot) + SLOT_HEADER_BYTES + 5000);
  door.close();
  expect(slab.subarray(slotOffset(0)).every((byte) => byte === 0)).toBe(true);
  // A host that had not ended yet may have answered meanwhile.
  slab[slotOffset(1)] = 7;
  door.close();
  expect(slab[slotOffset(1)]).toBe(0);
});

test('a function that the library does not have is CKR_FUNCTION_NOT_SUPPORTED', async () => {
  const door = await openInProcessCryptoki({ environment: {} });
  await enterTestModule(door, NULL_MODULE);
  await expect(door.copyObject({ low: 1, high: 0 }, {}, [], slow)).rejects.toThrow(/C_CopyObject.*CKR_FUNCTION_NOT_SUPPORTED/);
  await door.close(1000);
});

test('doors beyond the limit of descriptors are errors, and the process goes on', () => {
  const native = new URL('../../../src/token/native.ts', import.meta.url).href;
  const script = `
    const { createDoor } = await import(${JSON.stringify(native)});
    const doors = [];
    let refused;
    while (refused === undefined) {
      try { const { door } = createDoor(); doors.push(door); door.listen(new Uint32Array(1024), () => {}); }
      catch (error) { refused = error.message; }
    }
    for (const door of doors) door.close();
    console.log(refused);`;
  const limited = ['-c', 'ulimit -n 100; exec "$0" --import tsx --input-type=module -e "$1"', process.execPath, script];
  expect(execFileSync('/bin/sh', limited, { encoding: 'utf8' })).toMatch(/RLIMIT_NOFILE|Too many open files/);
});

test('two doors in one process work side by side, and a library that cannot be opened is named', async () => {
  const [first, second] = await Promise.all([openInProcessCryptoki({ environment: {} }), openInProcessCryptoki({ environment: {} })]);
  await enterTestModule(first, NULL_MODULE);
  await expect(second.load({ path: '/no/such/module.so', deepBind: true, initialize: {} }, slow)).rejects.toThrow(/no\/such\/module\.so/);
  await enterTestModule(second, NULL_MODULE);
  await Promise.all([first.random(8, fast), second.random(8, fast)]);
  await Promise.all([first.close(1000), second.close(1000)]);
});

test('the environment of a door in this process reaches the module', async () => {
  const door = await openInProcessCryptoki({ environment: { NULL_MODULE_HANDLES: '3' } });
  await enterTestModule(door, NULL_MODULE);
  expect(await door.findObjects({}, [], slow)).toHaveLength(3);
  await door.close(1000);
});

test.each(['token-zeroed', 'token-appended'] as const)('an IV that the token makes (%s) comes first in the result', async (ivSource) => {
  const door = await openInProcessCryptoki({ environment: {} });
  await enterTestModule(door, NULL_MODULE);
  const mechanism = { name: 'AES_GCM', iv: new Uint8Array(12), aad: new Uint8Array(0), tagBits: 128, ivSource } as const;
  const sealed = await door.encrypt(mechanism, { low: 1, high: 0 }, Buffer.from('data'), fast);
  expect(Buffer.from(sealed)).toEqual(Buffer.concat([Buffer.alloc(12, 0xa5), Buffer.from('data'), Buffer.alloc(16)]));
  expect(() => door.decrypt(mechanism, { low: 1, high: 0 }, sealed, fast)).toThrow(TypeError);
  await door.close(1000);
});

test.skipIf(!hasSoftHsm())(
  'a library that another door of this process uses is refused, and is free again after that door closed',
  async () => {
    const token = provisionSoftHsm();
    const module = { path: token.module, deepBind: true, initialize: {} };
    const [first, second] = await Promise.all([openInProcessCryptoki(token), openInProcessCryptoki(token)]);
    await first.load(module, slow);
    await expect(second.load(module, slow)).rejects.toThrow(/CKR_CRYPTOKI_ALREADY_INITIALIZED/);
    await first.close(5000);
    await second.load(module, slow);
    await second.close(5000);
    token.remove();
  },
);

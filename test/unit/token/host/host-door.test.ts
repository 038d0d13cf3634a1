/** What happens when a token host dies, hangs or cannot be started: calls end in bounded time with a right error. */
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, test, vi } from 'vitest';
import type { Cryptoki } from '../../../../src/token/cryptoki.ts';
import { openHostCryptoki } from '../../../../src/token/host/host-door.ts';
import { createDoor, nativeBuildPath } from '../../../../src/token/native.ts';
import { SLOTS, slotOffset } from '../../../../src/token/slab-slots.ts';
import { NULL_MODULE, PLACEMENTS, SLOW_MODULE, enterTestModule, fast, slow } from '../../../support/cryptoki-doors.ts';

const opened: Cryptoki[] = [];
const keep = (door: Cryptoki): Cryptoki => {
  opened.push(door);
  return door;
};
afterEach(async () => {
  await Promise.all(opened.splice(0).map((door) => door.close(500)));
});

const slowEnvironment = (microseconds: number): Record<string, string> => ({
  SLOW_MODULE_TARGET: NULL_MODULE,
  SLOW_MODULE_US: String(microseconds),
});

test('a killed host rejects every call in flight and every later one as host-exited', async () => {
  const door = keep(await openHostCryptoki({ environment: slowEnvironment(5_000_000) }));
  await enterTestModule(door, SLOW_MODULE);
  const calls = Array.from({ length: 1500 }, () => door.random(16, fast).catch((error: unknown) => error));
  process.kill(door.hostPid!, 'SIGKILL');
  for (const error of await Promise.all(calls)) expect(error).toMatchObject({ name: 'CryptokiLossError', reason: 'host-exited' });
  expect((await door.closed).reason).toContain('SIGKILL');
  await expect(door.ping(fast)).rejects.toMatchObject({ reason: 'host-exited' });
});

test('a host ends when its door closes, also when the module hangs', async () => {
  const door = await openHostCryptoki({ environment: slowEnvironment(60_000_000) });
  await enterTestModule(door, SLOW_MODULE);
  const hanging = door.random(16, fast).catch((error: unknown) => error);
  const startedAt = performance.now();
  await door.close(200);
  expect(performance.now() - startedAt).toBeLessThan(1000);
  expect(await hanging).toMatchObject({ reason: 'closed' });
  await expect.poll(() => isRunning(door.hostPid!), { timeout: 3000 }).toBe(false);
});

/** False also for a process that ended and was not yet collected. */
function isRunning(pid: number): boolean {
  if (!existsSync(`/proc/${pid}/status`)) return false;
  return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
}

/** The files of a process that leaves no core dump belong to root. */
const isRoot = process.getuid?.() === 0;

test.skipIf(!isRoot)('a host has the environment that it was given and nothing else', async () => {
  vi.stubEnv('NODE_V8_COVERAGE', '/nowhere');
  const door = keep(await openHostCryptoki({ environment: { ONLY: 'this' } }));
  vi.unstubAllEnvs();
  await door.ping(fast);
  expect(readFileSync(`/proc/${door.hostPid}/environ`, 'utf8')).toBe('ONLY=this\0');
});

test.skipIf(!isRoot)('programs that the vendor library starts inherit neither slab nor doorbell nor PIN pipe', async () => {
  const door = keep(await openHostCryptoki({ environment: {} }));
  await door.ping(fast);
  const closedOnExec = 0o2000000;
  for (const fd of [3, 4, 5]) {
    const flags = /^flags:\s+(\d+)$/m.exec(readFileSync(`/proc/${door.hostPid}/fdinfo/${fd}`, 'utf8'))?.[1];
    expect(Number.parseInt(flags ?? '', 8) & closedOnExec).toBe(closedOnExec);
  }
});

test('a host leaves no core dump and gains no privileges', async () => {
  const door = keep(await openHostCryptoki({ environment: {} }));
  await door.ping(fast);
  expect(readFileSync(`/proc/${door.hostPid}/limits`, 'utf8')).toMatch(/Max core file size\s+0\s+0/);
  expect(readFileSync(`/proc/${door.hostPid}/status`, 'utf8')).toMatch(/NoNewPrivs:\s+1/);
});

test('a stopped host that was given up does not begin what waits in its slab when it goes on', async () => {
  const door = await openHostCryptoki({ environment: slowEnvironment(60_000_000) });
  await enterTestModule(door, SLOW_MODULE);
  const pid = door.hostPid!;
  process.kill(pid, 'SIGSTOP');
  const waiting = door.random(16, fast).catch((error: unknown) => error);
  const closed = door.close(30_000);
  expect(await waiting).toMatchObject({ reason: 'closed' });
  const startedAt = performance.now();
  process.kill(pid, 'SIGCONT');
  await closed;
  // A host in a call waits 10 seconds for it.
  expect(performance.now() - startedAt).toBeLessThan(5000);
});

// A sanitizer needs more address space than this leaves it.
test.skipIf(process.env['LD_PRELOAD'] !== undefined)(
  'more threads than the system allows are refused, and fewer can be asked for then',
  async () => {
    const directory = mkdtempSync(join(tmpdir(), 'hsm-kms-limit-'));
    const limited = join(directory, 'limited-host');
    writeFileSync(limited, `#!/bin/sh\nulimit -v 2500000\nexec ${nativeBuildPath('token-host')}\n`, { mode: 0o755 });
    const door = keep(await openHostCryptoki({ environment: {}, hostExecutable: limited }));
    await expect(enterTestModule(door, NULL_MODULE, { fast: 512, anchor: 1, slow: 1 })).rejects.toThrow(/no more threads/);
    await door.openSessions('1', { fast: 2, anchor: 1, slow: 1 }, slow);
    expect(await door.random(16, fast)).toHaveLength(16);
    rmSync(directory, { recursive: true });
  },
);

test('a host ends with the process that opened its door, however that ends', async () => {
  const script = `
    const { openHostCryptoki } = await import(${JSON.stringify(new URL('../../../../src/token/host/host-door.ts', import.meta.url).href)});
    const door = await openHostCryptoki({ environment: {} });
    console.log(door.hostPid);
    setInterval(() => {}, 1000);`;
  const worker = spawn(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const hostPid = Number(await new Promise((resolve) => worker.stdout.once('data', resolve)));
  expect(isRunning(hostPid)).toBe(true);
  worker.kill('SIGKILL');
  await expect.poll(() => isRunning(hostPid), { timeout: 3000 }).toBe(false);
});

test('a missing executable is an error that says how to build it', async () => {
  await expect(openHostCryptoki({ environment: {}, hostExecutable: '/no/such/token-host' })).rejects.toThrow(/build:native/);
});

test('an executable that is no token host ends the door', async () => {
  const door = keep(await openHostCryptoki({ environment: {}, hostExecutable: '/bin/false' }));
  await expect(door.ping(fast)).rejects.toMatchObject({ reason: 'host-exited' });
});

test.each(PLACEMENTS)('an overdue call ($placement) is rejected in time and reported once, and the door serves on', async ({ open }) => {
  const directory = mkdtempSync(join(tmpdir(), 'hsm-kms-slow-'));
  const hang = join(directory, 'hang');
  const door = keep(await open({ ...slowEnvironment(0), SLOW_MODULE_SWITCH: hang, SLOW_MODULE_SWITCH_US: '900000' }));
  const overdue: string[] = [];
  door.onOverdue((call) => overdue.push(call.functionName));
  await enterTestModule(door, SLOW_MODULE, { fast: 2, anchor: 1, slow: 1 });
  writeFileSync(hang, '');
  const startedAt = performance.now();
  await expect(door.random(16, { threads: 'fast', deadlineMs: 200 })).rejects.toMatchObject({
    name: 'CryptokiLossError',
    reason: 'overdue',
  });
  expect(performance.now() - startedAt).toBeLessThan(600);
  expect(overdue).toEqual(['C_GenerateRandom']);
  rmSync(directory, { recursive: true });
  // The other thread of the class is free.
  expect(await door.random(16, fast)).toHaveLength(16);
});

test.each(PLACEMENTS)('a thread in a call ($placement) does not let C_Finalize pull the module from under it', async ({ open }) => {
  const door = keep(await open(slowEnvironment(500_000)));
  await enterTestModule(door, SLOW_MODULE);
  const first = door.random(16, fast);
  const running = door.random(16, fast);
  // The one thread of the class has taken the second call when the first is answered.
  await first;
  await expect(door.finalize({ threads: 'slow', deadlineMs: 250 })).rejects.toThrow(/C_Finalize|still in a call/);
  expect(await running).toHaveLength(16);
});

test('a search pages through more objects than one answer describes', async () => {
  const door = keep(await openHostCryptoki({ environment: { NULL_MODULE_HANDLES: '120000' } }));
  await enterTestModule(door, NULL_MODULE);
  const found = await door.findObjects({}, ['LABEL', 'ID', 'SENSITIVE'], slow);
  expect(found).toHaveLength(120_000);
  expect(found.at(-1)).toEqual({ handle: { low: 120_000, high: 0 }, attributes: {} });
});

test('an object that was destroyed meanwhile is left out of a search; an error of the token is no such object', async () => {
  const objectHandleInvalid = '130';
  const deviceError = '48';
  const gone = keep(await openHostCryptoki({ environment: { NULL_MODULE_HANDLES: '3', NULL_MODULE_READ_RV: objectHandleInvalid } }));
  await enterTestModule(gone, NULL_MODULE);
  expect(await gone.findObjects({}, ['LABEL'], slow)).toEqual([]);
  const broken = keep(await openHostCryptoki({ environment: { NULL_MODULE_HANDLES: '3', NULL_MODULE_READ_RV: deviceError } }));
  await enterTestModule(broken, NULL_MODULE);
  await expect(broken.findObjects({}, ['LABEL'], slow)).rejects.toThrow(/CKR_DEVICE_ERROR/);
});

test('a search of more objects than an answer holds is refused', async () => {
  const door = keep(await openHostCryptoki({ environment: { NULL_MODULE_HANDLES: '200000' } }));
  await enterTestModule(door, NULL_MODULE);
  await expect(door.findObjects({}, [], slow)).rejects.toThrow(/more objects than one answer holds/);
});

test.each<[string, readonly [generation: number, lengthBytes: number]]>([
  ['another generation', [1, 0]],
  ['a length beyond its slot', [0, 16 * 1024]],
])('a host that is given a slot with %s ends without touching it', async (_, [generationOffset, lengthBytes]) => {
  const { door, generation } = createDoor();
  const words = new Uint32Array(door.memory());
  door.listen(new Uint32Array(SLOTS), () => {});
  const host = spawn(nativeBuildPath('token-host'), [], { env: {}, stdio: ['ignore', 'ignore', 'ignore', ...door.descriptors()] });
  const exited = new Promise((resolve) => host.once('exit', resolve));
  const ping = 1;
  const control = 3;
  words.set([generation + generationOffset, 1, ping, lengthBytes], slotOffset(0) / 4);
  door.submit(control, 0, false);
  expect(await exited).toBe(70);
  door.close();
});

/**
 * A token that is taken away under a running service, over SoftHSM in a token host: calls in flight end in bounded time with an honest
 * error, service returns by itself, no answer is wrong, and handles of an earlier life are refused.
 */
import { randomBytes } from 'node:crypto';
import { readdirSync, readFileSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { SecretBytes } from '../../src/secret-bytes.ts';
import { pinLatchKey } from '../../src/token/pin-latch.ts';
import { tokenMaterial } from '../../src/token/templates.ts';
import type { TokenObject } from '../../src/token/token.ts';
import {
  BLOCK,
  eventually,
  gcm,
  isRunning,
  openProvisioned,
  outcome,
  roundTrip,
  sessionKey,
  tokenConfig,
} from '../support/opened-token.ts';
import type { OpenedToken } from '../support/opened-token.ts';
import { provisionSoftHsm } from '../support/softhsm.ts';
import type { ProvisionedToken } from '../support/softhsm.ts';

const FAST_MS = 1_000;
const CONTROL = { threads: 'slow', deadlineMs: 5_000 } as const;

let provisioned: ProvisionedToken;
let opened: OpenedToken;

beforeEach(async () => {
  provisioned = provisionSoftHsm();
  opened = await openProvisioned(provisioned);
});
afterEach(async () => {
  await opened.token.close();
  provisioned.remove();
});

function door(): OpenedToken['doors'][number] {
  const last = opened.doors.at(-1);
  if (last === undefined) throw new Error('no door was opened');
  return last;
}

/** Root reads what chmod forbids, so the directory is renamed. */
function away(): void {
  renameSync(join(provisioned.directory, 'tokens'), join(provisioned.directory, 'away'));
}

function back(): void {
  renameSync(join(provisioned.directory, 'away'), join(provisioned.directory, 'tokens'));
}

/** A key in the token itself, found again by its CKA_ID in each life. */
async function storeKey(): Promise<() => Promise<TokenObject>> {
  const id = randomBytes(16);
  await opened.token.generateKey({ name: 'AES_KEY_GEN' }, tokenMaterial('encrypt', { id, label: 'kept' }));
  return async () => {
    const found = await opened.token.findObjects({ CLASS: 'SECRET_KEY', ID: id }, []);
    expect(found.length).toBe(1);
    return found[0]?.object as TokenObject;
  };
}

/** Many calls at once, and how each of them ended. */
function flood(key: TokenObject, count: number): Promise<string[]> {
  return Promise.all(Array.from({ length: count }, () => outcome(opened.token.encrypt(gcm(), key, BLOCK))));
}

describe('a host that is killed', () => {
  it('ends the calls in flight as unavailable or done, and a new host serves within a second', async () => {
    const find = await storeKey();
    const key = await find();
    const sealed = await opened.token.encrypt(gcm(), key, BLOCK);
    const inFlight = flood(key, 500);
    const startedMs = performance.now();
    process.kill(door().hostPid ?? 0, 'SIGKILL');
    expect(new Set(await inFlight)).toContain('unavailable');
    expect([...new Set(await inFlight)].every((end) => end === 'unavailable' || end === 'ok')).toBe(true);
    await opened.token.recovering(() => roundTrip(opened.token));
    expect(performance.now() - startedMs).toBeLessThan(FAST_MS + 1_000);
    expect(await outcome(opened.token.encrypt(gcm(), key, BLOCK))).toBe('handle');
    expect(await opened.token.decrypt(gcm(), await find(), sealed)).toEqual(BLOCK);
    expect(opened.doors.length).toBe(2);
  });

  it('is told to listeners once the new host serves, and counts as a new generation', async () => {
    const before = opened.token.epoch;
    const told: string[] = [];
    opened.token.onEpochChange(() => told.push(opened.token.health));
    process.kill(door().hostPid ?? 0, 'SIGKILL');
    await eventually(() => told.length > 0);
    await eventually(() => opened.token.health === 'ready');
    expect(told.length).toBe(1);
    expect(opened.token.epoch.generation).toBe(before.generation + 1);
  });
});

describe('sessions that are closed behind its back', () => {
  it('are opened again with a new login, for all callers together', async () => {
    const { object } = await sessionKey(opened.token);
    const { label } = provisioned;
    const slot = (await door().slots(CONTROL)).find((candidate) => candidate.label === label);
    await door().closeAllSessions(slot?.slotId ?? '', CONTROL);
    const logins = opened.logins.count;
    expect(await outcome(opened.token.encrypt(gcm(), object, BLOCK))).toBe('session');
    await Promise.all(Array.from({ length: 50 }, () => opened.token.recovering(() => roundTrip(opened.token))));
    expect(opened.logins.count).toBe(logins + 1);
    expect(opened.token.isCurrent(object)).toBe(false);
    expect(await outcome(opened.token.encrypt(gcm(), object, BLOCK))).toBe('handle');
    expect(opened.doors.length).toBe(1);
  });
});

describe('a library that is finalised behind its back', () => {
  it('is initialised again in the same host', async () => {
    const { object } = await sessionKey(opened.token);
    const { generation } = opened.token.epoch;
    await door().finalize(CONTROL);
    await opened.token.recovering(() => roundTrip(opened.token));
    expect(opened.token.isCurrent(object)).toBe(false);
    expect(opened.token.epoch.generation).toBeGreaterThan(generation);
    expect(opened.doors.length).toBe(1);
  });
});

describe('a token directory that goes away', () => {
  it('opens the circuit, refuses at once meanwhile, and serves the same keys after it is back', async () => {
    const find = await storeKey();
    const key = await find();
    const sealed = await opened.token.encrypt(gcm(), key, BLOCK);
    away();
    const work = async (): Promise<Uint8Array> => opened.token.decrypt(gcm(), await find(), sealed);
    const startedMs = performance.now();
    expect(['handle', 'unavailable', 'device']).toContain(
      await outcome(opened.token.recovering(() => opened.token.decrypt(gcm(), key, sealed))),
    );
    expect(performance.now() - startedMs).toBeLessThan(FAST_MS * 3);
    await eventually(() => opened.token.health === 'unavailable');
    const refusedMs = performance.now();
    expect(await outcome(opened.token.recovering(work))).toBe('unavailable');
    expect(performance.now() - refusedMs).toBeLessThan(100);
    back();
    await eventually(() => opened.token.health === 'ready');
    expect(await opened.token.recovering(work)).toEqual(BLOCK);
  });

  it('is put right by initialising the library again when it is back before anybody looked', async () => {
    const find = await storeKey();
    const key = await find();
    const sealed = await opened.token.encrypt(gcm(), key, BLOCK);
    away();
    expect(await outcome(opened.token.decrypt(gcm(), key, sealed))).toBe('handle');
    back();
    expect(await outcome(opened.token.decrypt(gcm(), key, sealed))).toBe('handle');
    let current = key;
    const restored = await opened.token.recovering(async () => {
      if (!opened.token.isCurrent(current)) current = await find();
      return opened.token.decrypt(gcm(), current, sealed);
    });
    expect(restored).toEqual(BLOCK);
    expect(opened.doors.length).toBe(1);
  });
});

/** Stops a process and waits until each of its threads has stopped: one on another core may run on for a moment. */
async function stop(pid: number): Promise<void> {
  process.kill(pid, 'SIGSTOP');
  const isStopped = (thread: string): boolean => / T /.test(readFileSync(`/proc/${pid}/task/${thread}/stat`, 'utf8'));
  await eventually(() => readdirSync(`/proc/${pid}/task`).every(isStopped));
}

describe('a host that hangs', () => {
  it('has its calls answered within the deadline and a second, and is replaced at once and killed after its grace period', async () => {
    const { object } = await sessionKey(opened.token);
    const stuck = door().hostPid ?? 0;
    await stop(stuck);
    const startedMs = performance.now();
    const ends = await flood(object, 100);
    expect(performance.now() - startedMs).toBeLessThan(FAST_MS + 1_000);
    expect(new Set(ends)).toEqual(new Set(['overdue']));
    await eventually(() => opened.token.health === 'ready', 2_000);
    expect(door().hostPid).not.toBe(stuck);
    expect(isRunning(stuck)).toBe(true);
    await roundTrip(opened.token);
    await eventually(() => !isRunning(stuck), 3_000);
  });

  it('answers work that may be run again within the deadline and a second, from the new host', async () => {
    await stop(door().hostPid ?? 0);
    const startedMs = performance.now();
    expect(await outcome(opened.token.recovering(() => opened.token.random(16)))).toBe('ok');
    expect(performance.now() - startedMs).toBeLessThan(FAST_MS + 1_000);
  });
});

describe('a bad ciphertext', () => {
  it('is blamed on the input, not on the token', async () => {
    const { object } = await sessionKey(opened.token);
    const sealed = Uint8Array.from(await opened.token.encrypt(gcm(), object, BLOCK));
    sealed[0] = (sealed[0] ?? 0) ^ 1;
    expect(await outcome(opened.token.decrypt(gcm(), object, sealed))).toBe('unclear');
    const before = opened.token.epoch;
    const ends = await Promise.all(
      Array.from({ length: 200 }, () => outcome(opened.token.recovering(() => opened.token.decrypt(gcm(), object, sealed)))),
    );
    expect(new Set(ends)).toEqual(new Set(['input']));
    expect(opened.token.epoch).toEqual(before);
    expect(opened.token.health).toBe('ready');
  });
});

describe('a PIN that has become wrong', () => {
  it('is offered once, then never again, by this process or the next, until the latch is cleared', async () => {
    opened.logins.pin = SecretBytes.fromText('not the right one');
    const offered = opened.logins.count;
    process.kill(door().hostPid ?? 0, 'SIGKILL');
    await eventually(() => opened.token.health === 'unavailable');
    // Time for several attempts of the circuit.
    await eventually(() => opened.doors.length >= 2);
    const pause = new Promise((resolve) => {
      setTimeout(resolve, 1_500);
    });
    await pause;
    expect(opened.logins.count).toBe(offered + 1);
    expect(await outcome(opened.token.recovering(() => roundTrip(opened.token)))).toBe('unavailable');

    const next = openProvisioned(provisioned);
    await expect(next).rejects.toMatchObject({ kind: 'pin' });

    opened.logins.pin = provisioned.pin;
    opened.latch.clear(pinLatchKey(tokenConfig(provisioned)));
    await eventually(() => opened.token.health === 'ready');
    await roundTrip(opened.token);
  });
});

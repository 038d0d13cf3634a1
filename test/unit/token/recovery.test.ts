import { beforeEach, describe, expect, it } from 'vitest';
import { Recovery } from '../../../src/token/recovery.ts';
import { FakeDevice, ckr } from '../../support/fake-cryptoki.ts';
import type { FakeCryptoki } from '../../support/fake-cryptoki.ts';
import { fakeParts, settle } from '../../support/fake-token-parts.ts';
import type { FakeParts } from '../../support/fake-token-parts.ts';

const DEVICE_ERROR = ckr(0x30, 'C_Encrypt');

let device: FakeDevice;
let parts: FakeParts;
let recovery: Recovery;

beforeEach(async () => {
  device = new FakeDevice();
  parts = fakeParts(device);
  recovery = await Recovery.start(parts);
});

function door(): FakeCryptoki {
  return device.doors.at(-1) as FakeCryptoki;
}

describe('the ladder', () => {
  it('stops at the first rung after which the known-good operation passes', async () => {
    await recovery.recover('look');
    expect(door().count('reopenSessions')).toBe(0);
    door().loseSessions();
    await recovery.recover('look');
    expect(door().count('finalize')).toBe(0);
    expect(recovery.epoch).toEqual({ generation: 1, login: 2 });
    door().loseLibrary();
    await recovery.recover('look');
    expect(device.doors.length).toBe(1);
    expect(recovery.epoch.generation).toBe(2);
    expect(recovery.health).toBe('ready');
  });

  it('takes a new host when nothing in the old one helps', async () => {
    device.fail('reopenSessions', DEVICE_ERROR, 100);
    device.fail('finalize', DEVICE_ERROR);
    device.fail('slots', DEVICE_ERROR);
    await recovery.recover('look');
    expect(device.doors.length).toBe(2);
    expect(recovery.cryptoki).toBe(device.doors[1]);
  });

  it('believes the known-good operation, not the success of the calls', async () => {
    const { slot } = device;
    device.slot = { ...slot, tokenPresent: false };
    await expect(recovery.recover('look')).rejects.toMatchObject({
      kind: 'unavailable',
      message: expect.stringContaining('no token with the label "fake"') as string,
    });
    expect(device.doors[0]?.count('finalize')).toBe(1);
    expect(recovery.health).toBe('unavailable');
  });

  it('is climbed once for all who ask at the same time', async () => {
    door().loseSessions();
    await Promise.all(Array.from({ length: 20 }, () => recovery.recover('login')));
    expect(device.loginsOffered).toBe(2);
    expect(recovery.epoch.login).toBe(2);
  });

  it('has no door while handles are stale, and tells listeners once it has one again', async () => {
    const told: unknown[] = [];
    recovery.onEpochChange(() => told.push(recovery.cryptoki));
    const climb = recovery.recover('login');
    await Promise.resolve();
    expect(recovery.cryptoki).toBeUndefined();
    expect(recovery.health).toBe('recovering');
    await climb;
    expect(told).toEqual([door()]);
  });

  it('drains the queues before a login makes handles stale', async () => {
    await recovery.recover('login');
    const methods = door().calls.map((call) => call.method);
    const reopened = methods.lastIndexOf('reopenSessions');
    expect(methods.slice(0, reopened).filter((method) => method === 'ping').length).toBe(3);
  });

  it('makes the canary anew with the anchor session, and checks it', async () => {
    await recovery.recover('login');
    expect(door().objects.length).toBe(1);
    await recovery.connection.check();
  });
});

describe('a host with an overdue call', () => {
  it('is replaced at once, ended after the grace period, and abandoned then', async () => {
    const old = door();
    old.passDeadline();
    await settle();
    expect(device.doors.length).toBe(2);
    expect(recovery.cryptoki).toBe(device.doors[1]);
    expect(old.closedWithGraceMs).toBeUndefined();
    await parts.clock.pass(4_999);
    expect(old.closedWithGraceMs).toBeUndefined();
    await parts.clock.pass(1);
    expect(old.closedWithGraceMs).toBe(0);
    expect(recovery.cryptoki).toBe(device.doors[1]);
  });

  it('is ended before its grace period is over when somebody must know that it does nothing any more', async () => {
    const old = door();
    old.passDeadline();
    await settle();
    await recovery.endReplacedHosts();
    expect(old.closedWithGraceMs).toBe(0);
    expect(recovery.cryptoki).toBe(device.doors[1]);
    expect(recovery.health).toBe('ready');
    await parts.clock.pass(5_000);
    expect(device.doors.length).toBe(2);
  });

  it('does not hold up a climb that waits for it', async () => {
    device.fail('reopenSessions', 'hangs');
    const climb = recovery.recover('sessions');
    await settle();
    door().passDeadline();
    await climb;
    expect(device.doors.length).toBe(2);
    expect(recovery.health).toBe('ready');
  });

  it('in this process keeps serving with its other threads', async () => {
    parts = fakeParts(device, { isolation: 'none' });
    recovery = await Recovery.start(parts);
    const { epoch } = recovery;
    door().passDeadline();
    await settle();
    expect(recovery.health).toBe('ready');
    expect(recovery.epoch).toEqual(epoch);
  });

  it('in this process is loaded again, and out of service while it cannot be', async () => {
    parts = fakeParts(device, { isolation: 'none' });
    recovery = await Recovery.start(parts);
    const stuck = door();
    device.fail('slots', DEVICE_ERROR);
    device.fail('finalize', ckr(0x6, 'C_Finalize'));
    device.fail('load', ckr(0x191, 'C_Initialize'));
    device.fail('reopenSessions', DEVICE_ERROR, 2);
    stuck.passDeadline();
    await settle();
    expect(stuck.closedWithGraceMs).toBe(5_000);
    expect(recovery.health).toBe('unavailable');
    await parts.clock.pass(250);
    expect(recovery.health).toBe('ready');
  });
});

describe('the circuit', () => {
  beforeEach(async () => {
    parts = fakeParts(device, { graceMs: 0 });
    recovery = await Recovery.start(parts);
    device.fail('load', DEVICE_ERROR);
    door().die();
    await settle();
    await parts.clock.pass(0);
  });

  it('opens when the ladder did not help, and refuses at once', async () => {
    expect(recovery.health).toBe('unavailable');
    expect(recovery.cryptoki).toBeUndefined();
    await expect(recovery.recover('look')).rejects.toMatchObject({ kind: 'unavailable' });
    await expect(recovery.ready()).rejects.toMatchObject({
      kind: 'unavailable',
      message: expect.stringContaining('CKR_DEVICE_ERROR') as string,
    });
  });

  it('tries with growing pauses up to ten seconds, and closes by itself', async () => {
    device.fail('load', DEVICE_ERROR, 8);
    const pausesMs: number[] = [];
    for (let attempt = 0; attempt < 8; attempt++) {
      pausesMs.push(parts.clock.delaysMs[0] as number);
      await parts.clock.pass(pausesMs.at(-1) as number);
      await parts.clock.pass(0);
    }
    expect(recovery.health).toBe('unavailable');
    expect(pausesMs).toEqual([250, 500, 1_000, 2_000, 4_000, 8_000, 10_000, 10_000]);
    await parts.clock.pass(10_000);
    expect(recovery.health).toBe('ready');
    await recovery.connection.check();
  });

  it('stops trying when the token is closed', async () => {
    await recovery.close();
    const opened = device.doors.length;
    await parts.clock.pass(60_000);
    expect(device.doors.length).toBe(opened);
  });
});

describe('new hosts', () => {
  it('are limited to six in a minute; then the circuit pauses', async () => {
    for (let kill = 0; kill < 6; kill++) {
      door().die();
      await settle();
      expect(recovery.health).toBe('ready');
    }
    door().die();
    await settle();
    expect(recovery.health).toBe('unavailable');
    await parts.clock.pass(250);
    expect(recovery.health).toBe('ready');
  });

  it('do not come forth beyond that, and the last one is ended nevertheless', async () => {
    for (let hang = 0; hang < 7; hang++) {
      door().passDeadline();
      await settle();
    }
    expect(recovery.health).toBe('unavailable');
    await recovery.endReplacedHosts();
    expect(device.doors.map(({ closedWithGraceMs }) => closedWithGraceMs)).toEqual(Array.from({ length: 7 }, () => 0));
  });
});

describe('a wrong PIN', () => {
  it('is offered once, latched before anything else, and not offered by any further attempt', async () => {
    device.pin = 'changed';
    const offered = device.loginsOffered;
    door().die();
    await settle();
    expect(device.loginsOffered).toBe(offered + 1);
    expect([...parts.pinLatch.reasons.values()]).toEqual(['C_Login returned CKR_PIN_INCORRECT']);
    for (let attempt = 0; attempt < 10; attempt++) await parts.clock.pass(10_000);
    expect(device.loginsOffered).toBe(offered + 1);
    await expect(Recovery.start(parts)).rejects.toMatchObject({ kind: 'pin' });
    expect(device.loginsOffered).toBe(offered + 1);
  });

  it('is offered again after an operator has cleared the latch, and service returns by itself', async () => {
    device.pin = 'changed';
    door().die();
    await settle();
    device.pin = '1234';
    parts.pinLatch.reasons.clear();
    await parts.clock.pass(10_000);
    expect(recovery.health).toBe('ready');
  });

  it('is not offered to a token that says its PIN is locked', async () => {
    device.slot = { ...device.slot, flags: device.slot.flags | 0x40000 };
    const offered = device.loginsOffered;
    door().die();
    await settle();
    expect(recovery.health).toBe('unavailable');
    expect(device.loginsOffered).toBe(offered);
    expect(parts.pinLatch.reasons.size).toBe(0);
  });

  it('leaves no PIN behind in memory, right or wrong', async () => {
    device.pin = 'changed';
    door().die();
    await settle();
    expect(parts.pins.length).toBe(2);
    for (const pin of parts.pins) expect(pin.expose((bytes) => bytes.every((byte) => byte === 0))).toBe(true);
  });
});

describe('closing', () => {
  it('waits for what is queued, ends every host, and refuses afterwards', async () => {
    const old = door();
    old.passDeadline();
    await settle();
    await recovery.close();
    expect(device.doors.map((each) => each.closedWithGraceMs)).toEqual([0, 1_000]);
    expect(recovery.health).toBe('unavailable');
    await expect(recovery.recover('look')).rejects.toMatchObject({ kind: 'unavailable', message: 'token fake is closed' });
  });
});

import { beforeEach, describe, expect, it } from 'vitest';
import { Recovery } from '../../../src/token/recovery.ts';
import { Rerun } from '../../../src/token/rerun.ts';
import { TokenError } from '../../../src/token/token-error.ts';
import type { TokenErrorKind } from '../../../src/token/token-error.ts';
import { FakeDevice, ckr } from '../../support/fake-cryptoki.ts';
import type { FakeCryptoki } from '../../support/fake-cryptoki.ts';
import { fakeParts, settle } from '../../support/fake-token-parts.ts';
import type { FakeParts } from '../../support/fake-token-parts.ts';

let device: FakeDevice;
let parts: FakeParts;
let recovery: Recovery;
let rerun: Rerun;

beforeEach(async () => {
  device = new FakeDevice();
  parts = fakeParts(device);
  recovery = await Recovery.start(parts);
  rerun = new Rerun(recovery, parts);
});

function door(): FakeCryptoki {
  return device.doors.at(-1) as FakeCryptoki;
}

/** Work that fails with these kinds in turn, then succeeds. */
function work(...kinds: readonly TokenErrorKind[]): { run: () => Promise<string>; runs: () => number } {
  let runs = 0;
  const run = (): Promise<string> => {
    const kind = kinds[runs++];
    return kind === undefined
      ? Promise.resolve('done')
      : Promise.reject(new TokenError(kind, `failed: ${kind}`, { returnValue: 0x30, functionName: 'C_Encrypt' }));
  };
  return { run, runs: () => runs };
}

describe('work that fails', () => {
  it.each(['input', 'unsupported', 'refused', 'capacity', 'pin', 'weaker-key'] as const)(
    'is not run again when the token says no: %s',
    async (kind) => {
      const { run, runs } = work(kind);
      await expect(rerun.recovering(run)).rejects.toMatchObject({ kind });
      expect(runs()).toBe(1);
      expect(door().count('reopenSessions')).toBe(0);
    },
  );

  it.each(['session', 'login', 'device', 'handle'] as const)('is run again after a recovery: %s', async (kind) => {
    const { run, runs } = work(kind);
    expect(await rerun.recovering(run)).toBe('done');
    expect(runs()).toBe(2);
  });

  it('is run three times at most', async () => {
    const { run, runs } = work('device', 'session', 'device', 'device');
    await expect(rerun.recovering(run)).rejects.toMatchObject({ kind: 'device' });
    expect(runs()).toBe(3);
  });

  it('passes on what is no failure of the token', async () => {
    await expect(rerun.recovering(() => Promise.reject(new RangeError('mine')))).rejects.toBeInstanceOf(RangeError);
  });

  it('is not run again for a caller who has gone', async () => {
    const { run, runs } = work('device');
    await expect(rerun.recovering(run, AbortSignal.abort())).rejects.toMatchObject({ kind: 'overdue' });
    expect(runs()).toBe(1);
  });
});

describe('an unclear error', () => {
  it('is the input when a known-good operation passes', async () => {
    const { run, runs } = work('unclear');
    await expect(rerun.recovering(run)).rejects.toMatchObject({ kind: 'input', returnValue: 0x30 });
    expect(runs()).toBe(1);
  });

  it('is the token when a known-good operation fails too', async () => {
    device.fail('encrypt', ckr(0x30, 'C_Encrypt'));
    const { run, runs } = work('unclear');
    expect(await rerun.recovering(run)).toBe('done');
    expect(runs()).toBe(2);
  });

  it('is the token when a known-good operation gives a wrong answer', async () => {
    door().loseSessions();
    const { run } = work('unclear');
    expect(await rerun.recovering(run)).toBe('done');
    expect(recovery.epoch.login).toBe(2);
  });

  it('shares its known-good operation with others that ask meanwhile', async () => {
    const before = door().count('encrypt');
    await Promise.allSettled(Array.from({ length: 100 }, () => rerun.recovering(work('unclear').run)));
    expect(door().count('encrypt') - before).toBeLessThanOrEqual(2);
  });
});

describe('a handle that is not valid', () => {
  it('of an earlier epoch costs no recovery', async () => {
    let runs = 0;
    const stale = (): Promise<string> =>
      runs++ === 0 ? Promise.reject(new TokenError('handle', 'an earlier epoch')) : Promise.resolve('done');
    expect(await rerun.recovering(stale)).toBe('done');
    expect(door().count('reopenSessions')).toBe(0);
  });

  it('of a token that is well makes everybody find handles again once a minute at most', async () => {
    const { login } = recovery.epoch;
    expect(await rerun.recovering(work('handle').run)).toBe('done');
    expect(recovery.epoch.login).toBe(login + 1);
    await expect(rerun.recovering(work('handle').run)).rejects.toMatchObject({ kind: 'handle' });
    expect(recovery.epoch.login).toBe(login + 1);
    await parts.clock.pass(60_000);
    expect(await rerun.recovering(work('handle').run)).toBe('done');
  });
});

function hangs(): Promise<string> {
  door().passDeadline();
  return Promise.reject(new TokenError('overdue', 'hung'));
}

describe('an overdue call', () => {
  it('gets a new host and a second run when both fit into a second', async () => {
    let runs = 0;
    const hanging = (): Promise<string> => (runs++ > 0 ? Promise.resolve('done') : hangs());
    expect(await rerun.recovering(hanging)).toBe('done');
    expect(device.doors.length).toBe(2);
  });

  it('is answered after 900 ms when the new host does not come', async () => {
    device.fail('load', 'hangs');
    const answer = rerun.recovering(hangs).catch((error: unknown) => (error as TokenError).message);
    await settle();
    expect(parts.clock.delaysMs).toContain(900);
    await parts.clock.pass(900);
    expect(await answer).toBe('hung');
  });
});

describe('while the token is away', () => {
  it('waits for a recovery no longer than a fast call may take', async () => {
    device.fail('load', 'hangs');
    door().die();
    await settle();
    const answer = rerun.recovering(work('unavailable').run).catch((error: unknown) => (error as TokenError).kind);
    await settle();
    await parts.clock.pass(2_000);
    expect(await answer).toBe('unavailable');
  });

  it('refuses at once when the circuit is open', async () => {
    device.fail('load', ckr(0x30, 'C_Initialize'));
    door().die();
    await settle();
    await expect(rerun.recovering(work('unavailable').run)).rejects.toMatchObject({
      kind: 'unavailable',
      message: expect.stringContaining('out of service') as string,
    });
  });
});

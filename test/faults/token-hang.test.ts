/** A vendor library that stops returning, in a token host and inside this process: a slow module in front of SoftHSM sleeps on demand. */
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { TokenConfig } from '../../src/config/config.ts';
import type { Template } from '../../src/token/mechanism.ts';
import type { TokenObject } from '../../src/token/token.ts';
import { SLOW_MODULE } from '../support/cryptoki-doors.ts';
import { BLOCK, eventually, gcm, openProvisioned, outcome, roundTrip, sessionKey } from '../support/opened-token.ts';
import type { OpenedToken } from '../support/opened-token.ts';
import { provisionSoftHsm } from '../support/softhsm.ts';
import type { ProvisionedToken } from '../support/softhsm.ts';

const HANG_MS = 4_000;
const FAST_MS = 300;
const RSA_PUBLIC: Template = { TOKEN: false, MODULUS_BITS: 4_096, PUBLIC_EXPONENT: Uint8Array.of(1, 0, 1), ENCRYPT: true };
const RSA_PRIVATE: Template = { TOKEN: false, PRIVATE: true, SENSITIVE: true, EXTRACTABLE: false, DECRYPT: true };

let provisioned: ProvisionedToken;
let opened: OpenedToken;
let key: TokenObject;
let hangSwitch: string;

async function open(isolation: TokenConfig['isolation'], graceMs: number): Promise<void> {
  const environment = {
    ...provisioned.environment,
    SLOW_MODULE_TARGET: provisioned.module,
    SLOW_MODULE_SWITCH: hangSwitch,
    SLOW_MODULE_SWITCH_US: `${HANG_MS * 1_000}`,
  };
  const deadlinesMs = { fast: FAST_MS, slow: 1_000, keyGeneration: 60_000, start: 20_000 };
  const start = (): Promise<OpenedToken> =>
    openProvisioned({ ...provisioned, module: SLOW_MODULE, environment }, { isolation, deadlinesMs, graceMs });
  // Inside this process the library stays initialised until the threads of the test before have returned from it.
  await eventually(async () => {
    const attempt = start();
    if ((await outcome(attempt)) !== 'ok') return false;
    opened = await attempt;
    return true;
  });
  key = (await sessionKey(opened.token)).object;
}

beforeEach(() => {
  provisioned = provisionSoftHsm();
  hangSwitch = join(provisioned.directory, 'hang');
});
afterEach(async () => {
  rmSync(hangSwitch, { force: true });
  await opened.token.close();
  provisioned.remove();
});

/** Encryptions that all hang, started while the switch is on and before it goes off. */
async function hang(count: number): Promise<Promise<string>[]> {
  writeFileSync(hangSwitch, '');
  const calls = Array.from({ length: count }, () => outcome(opened.token.encrypt(gcm(), key, BLOCK)));
  await new Promise((resolve) => {
    setTimeout(resolve, FAST_MS / 3);
  });
  rmSync(hangSwitch);
  return calls;
}

describe('a call that hangs in a token host', () => {
  it('is answered in time, while a call on another thread of the old host finishes and new work is on a new host', async () => {
    await open('process', 10_000);
    const generation = opened.token.generateKeyPair({ name: 'RSA_PKCS_KEY_PAIR_GEN' }, RSA_PUBLIC, RSA_PRIVATE, ['MODULUS']);
    const startedMs = performance.now();
    const [stuck] = await hang(1);
    expect(await stuck).toBe('overdue');
    expect(performance.now() - startedMs).toBeLessThan(FAST_MS + 1_000);
    await eventually(() => opened.token.health === 'ready');
    expect(opened.doors.length).toBe(2);
    await roundTrip(opened.token);
    const pair = await generation;
    expect(pair.publicKey.attributes.MODULUS?.length).toBe(512);
    expect(opened.token.isCurrent(pair.privateKey.object)).toBe(false);
  });
});

describe('a call that hangs inside this process', () => {
  it('leaves the other threads serving', async () => {
    await open('none', 200);
    const { epoch } = opened.token;
    const [stuck] = await hang(1);
    expect(await stuck).toBe('overdue');
    await eventually(() => opened.token.health === 'ready');
    expect(await opened.token.decrypt(gcm(), key, await opened.token.encrypt(gcm(), key, BLOCK))).toEqual(BLOCK);
    expect(opened.token.epoch).toEqual(epoch);
  });

  it('on every thread opens the circuit, and the token serves again once the library returns', async () => {
    await open('none', 200);
    const calls = await hang(2);
    expect(await Promise.all(calls)).toEqual(['overdue', 'overdue']);
    await eventually(() => opened.token.health === 'unavailable');
    const startedMs = performance.now();
    expect(await outcome(opened.token.recovering(() => opened.token.random(16)))).toBe('unavailable');
    expect(performance.now() - startedMs).toBeLessThan(100);
    await eventually(() => opened.token.health === 'ready', 30_000);
    await roundTrip(opened.token);
  });
});

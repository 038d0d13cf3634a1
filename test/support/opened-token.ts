/** A real token behind the `Token` interface, for contract and fault tests: configuration, a PIN that can be made wrong, the doors that were opened. */
import { join } from 'node:path';
import type { TokenConfig } from '../../src/config/config.ts';
import { silentLog } from '../../src/log.ts';
import { SecretBytes } from '../../src/secret-bytes.ts';
import type { Cryptoki } from '../../src/token/cryptoki.ts';
import { openConfiguredCryptoki, openToken } from '../../src/token/open-token.ts';
import { FilePinLatch } from '../../src/token/pin-latch.ts';
import type { Mechanism } from '../../src/token/mechanism.ts';
import type { ObjectNames } from '../../src/token/templates.ts';
import { epochKey } from '../../src/token/templates.ts';
import type { DescribedObject, Token } from '../../src/token/token.ts';
import { TokenError } from '../../src/token/token-error.ts';
import type { TokenErrorKind } from '../../src/token/token-error.ts';
import type { ProvisionedToken } from './softhsm.ts';

/** The configuration of a provisioned token, with short deadlines. */
export function tokenConfig(token: ProvisionedToken, changes: Partial<TokenConfig> = {}): TokenConfig {
  return {
    name: 'test',
    profile: 'softhsm',
    module: token.module,
    functionList: 'C',
    initialize: { nullArguments: false, osLocking: true, reserved: token.reserved },
    environment: token.environment,
    label: token.label,
    serial: undefined,
    pin: { kind: 'prompt' },
    isolation: 'process',
    threads: { fast: 2, anchor: 1, slow: 1 },
    deadlinesMs: { fast: 1_000, slow: 5_000, keyGeneration: 60_000, start: 20_000 },
    graceMs: 1_000,
    epochKeysMax: 1_024,
    deepBind: true,
    gcmIvSource: 'measure',
    omitAttributes: [],
    ...changes,
  };
}

/** A fresh copy of a secret, as whoever wipes it must be given. */
export function copyOf(secret: SecretBytes): () => Promise<SecretBytes> {
  return () => Promise.resolve(secret.expose((bytes) => new SecretBytes(Uint8Array.from(bytes))));
}

export interface OpenedToken {
  readonly token: Token;
  readonly latch: FilePinLatch;
  /** Every door that the token has opened, the last one is in use. */
  readonly doors: readonly Cryptoki[];
  /** PINs offered so far are counted; `pin` may be replaced by a wrong one. */
  readonly logins: { pin: SecretBytes; count: number };
}

/** Opens the token for real and keeps what a test has to reach behind it. */
export async function openProvisioned(provisioned: ProvisionedToken, changes: Partial<TokenConfig> = {}): Promise<OpenedToken> {
  const doors: Cryptoki[] = [];
  const logins = { pin: provisioned.pin, count: 0 };
  const latch = new FilePinLatch(join(provisioned.directory, 'pin-latch'));
  const token = await openToken(tokenConfig(provisioned, changes), {
    log: silentLog,
    pin: () => {
      logins.count++;
      return copyOf(logins.pin)();
    },
    pinLatch: latch,
    openCryptoki: async (config) => {
      const door = await openConfiguredCryptoki(config);
      doors.push(door);
      return door;
    },
  });
  return { token, latch, doors, logins };
}

export const BLOCK: Uint8Array = new Uint8Array(16).fill(3);

/** AES-GCM with an IV that is fixed: for tests only. */
export function gcm(iv: Uint8Array = new Uint8Array(12).fill(9)): Mechanism {
  return { name: 'AES_GCM', iv, aad: new Uint8Array(), tagBits: 128, ivSource: 'supplied' };
}

/** A session key that encrypts. */
export function sessionKey(token: Token, names: ObjectNames = { id: new Uint8Array(16), label: 'test' }): Promise<DescribedObject> {
  return token.generateKey({ name: 'AES_KEY_GEN' }, epochKey(names.label, []));
}

/** A round trip with a key of its own, as work that may be run again. */
export async function roundTrip(token: Token): Promise<void> {
  const { object } = await sessionKey(token);
  const sealed = await token.encrypt(gcm(), object, BLOCK);
  const opened = await token.decrypt(gcm(), object, sealed);
  if (!Buffer.from(opened).equals(BLOCK)) throw new Error('the token gave a wrong answer');
  await token.destroyObject(object);
}

/** How a call ended: its kind of error, or `ok`. */
export async function outcome(call: Promise<unknown>): Promise<TokenErrorKind | 'ok'> {
  try {
    await call;
    return 'ok';
  } catch (error) {
    if (error instanceof TokenError) return error.kind;
    throw error;
  }
}

/** Polls until `condition` holds. Fails after `withinMs`. */
export async function eventually(condition: () => boolean | Promise<boolean>, withinMs = 15_000): Promise<void> {
  const startedMs = performance.now();
  while (!(await condition())) {
    if (performance.now() - startedMs > withinMs) throw new Error(`this did not come true within ${withinMs} ms`);
    await new Promise((resolve) => {
      setTimeout(resolve, 10);
    });
  }
}

/** True while a process with this id exists and is not a zombie that waits to be collected. */
export function isRunning(pid: number | undefined): boolean {
  if (pid === undefined) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

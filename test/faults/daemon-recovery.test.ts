/**
 * The service over SoftHSM while its token is taken away in every way a test can: in-flight calls end in bounded time with a
 * right error, service returns by itself, no answer is wrong, nothing is lost.
 */
import { randomBytes } from 'node:crypto';
import { rename } from 'node:fs/promises';
import { join } from 'node:path';
import { CreateKeyCommand, DecryptCommand, EncryptCommand, KMSClient } from '@aws-sdk/client-kms';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { startDaemon, type RunningDaemon } from '../support/daemon.ts';

const ANSWER_MS_MAX = 12_000;
const RETURN_MS_MAX = 30_000;
const HONEST_ERRORS = new Set(['KeyUnavailableException', 'DependencyTimeoutException', 'KMSInternalException']);

let daemon: RunningDaemon;
let client: KMSClient;
let keyId: string;

beforeEach(async () => {
  daemon = await startDaemon({ store: 'softhsm', auth: 'sigv4' });
  client = new KMSClient({ endpoint: daemon.endpoint, region: 'us-east-1', credentials: daemon.credentials, maxAttempts: 1 });
  keyId = (await client.send(new CreateKeyCommand({}))).KeyMetadata?.KeyId ?? '';
});
afterEach(async () => {
  client.destroy();
  await daemon.stop();
});

function hostPid(): number {
  const [pid] = daemon.hostPids();
  if (pid === undefined) throw new Error('the daemon has no token host');
  return pid;
}

interface Outcome {
  readonly ok: boolean;
  readonly error: string | undefined;
  readonly tookMs: number;
}

/** One encrypt and decrypt round trip; a wrong plaintext fails the test on the spot. */
async function roundTrip(): Promise<Outcome> {
  const started = performance.now();
  const plaintext = randomBytes(32);
  try {
    const { CiphertextBlob } = await client.send(new EncryptCommand({ KeyId: keyId, Plaintext: plaintext }));
    const opened = await client.send(new DecryptCommand({ CiphertextBlob }));
    if (!plaintext.equals(Buffer.from(opened.Plaintext ?? []))) throw new Error('wrong plaintext');
    return { ok: true, error: undefined, tookMs: performance.now() - started };
  } catch (error) {
    if ((error as Error).message === 'wrong plaintext') throw error;
    return { ok: false, error: (error as Error).name, tookMs: performance.now() - started };
  }
}

/** Keeps `width` round trips going until `until` says so; resolves to all outcomes. */
async function traffic(width: number, until: () => boolean): Promise<readonly Outcome[]> {
  const outcomes: Outcome[] = [];
  const loop = async (): Promise<void> => {
    while (!until()) outcomes.push(await roundTrip());
  };
  await Promise.all(Array.from({ length: width }, loop));
  return outcomes;
}

/** Runs traffic, does `harm`, waits until service is back (bounded), and checks what every caller was told. */
async function expectServiceReturns(harm: () => Promise<void>): Promise<void> {
  const before = randomBytes(40);
  const kept = await client.send(new EncryptCommand({ KeyId: keyId, Plaintext: before }));
  let done = false;
  const outcomes = traffic(8, () => done);
  await harm();
  const deadline = performance.now() + RETURN_MS_MAX;
  let consecutive = 0;
  while (consecutive < 10 && performance.now() < deadline) consecutive = (await roundTrip()).ok ? consecutive + 1 : 0;
  done = true;
  const all = await outcomes;
  expect(consecutive, 'service did not return').toBe(10);
  expect(all.length).toBeGreaterThan(0);
  for (const outcome of all) {
    expect(outcome.tookMs).toBeLessThan(ANSWER_MS_MAX * 2);
    if (!outcome.ok) expect(HONEST_ERRORS, outcome.error).toContain(outcome.error);
  }
  const opened = await client.send(new DecryptCommand({ CiphertextBlob: kept.CiphertextBlob }));
  expect(Buffer.from(opened.Plaintext ?? [])).toEqual(before);
}

describe('the service over a token that fails', () => {
  it('survives kill -9 of the token host', async () => {
    await expectServiceReturns(async () => {
      const killed = hostPid();
      process.kill(killed, 'SIGKILL');
      await expect.poll(() => daemon.hostPids().some((pid) => pid !== killed), { timeout: RETURN_MS_MAX }).toBe(true);
    });
  });

  it('answers in bounded time when the token host is stopped, and serves from a fresh one', async () => {
    await expectServiceReturns(async () => {
      const stopped = hostPid();
      process.kill(stopped, 'SIGSTOP');
      await expect.poll(() => daemon.hostPids().some((pid) => pid !== stopped), { timeout: RETURN_MS_MAX }).toBe(true);
      await expect.poll(() => daemon.hostPids(), { timeout: RETURN_MS_MAX }).not.toContain(stopped);
    });
  });

  it('returns when the token directory was away for a while', async () => {
    const directory = join(daemon.dataDirectory, 'softhsm/tokens');
    await expectServiceReturns(async () => {
      await rename(directory, `${directory}.away`);
      const started = performance.now();
      while (performance.now() - started < 1_500) await roundTrip();
      await rename(`${directory}.away`, directory);
    });
  });
});

import { randomBytes } from 'node:crypto';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { emptyPassword } from '../../../src/tpm/authorization.ts';
import { createPrimary, createSealed, getProperty, load, pcrRead, startAuthSession, unseal } from '../../../src/tpm/commands.ts';
import { TpmConnection } from '../../../src/tpm/connection.ts';
import { sealSecret, unsealSecret } from '../../../src/tpm/sealing.ts';
import { Session } from '../../../src/tpm/session.ts';
import { entityOfHandle } from '../../../src/tpm/structures.ts';
import { TpmError } from '../../../src/tpm/tpm-error.ts';
import { SecretBytes } from '../../../src/secret-bytes.ts';
import { propertyRuns } from '../../support/property-runs.ts';
import { scriptedTpm } from '../../support/scripted-tpm.ts';

const retry = '80010000000a00000922';
const done = '80010000000a00000000';
const property = '80010000001b000000000100000006000000010000010549424d00';
const uint32 = (value: number): string => value.toString(16).padStart(8, '0');

const salt = (): SecretBytes => new SecretBytes(new Uint8Array(randomBytes(32)));
const session = (): Session => new Session(0x0200_0000, salt(), { caller: new Uint8Array(32), tpm: new Uint8Array(32) }, randomBytes);

describe('a command that the TPM asks to have again', () => {
  test('is sent again as it was, after waits that grow, and gives its result', async () => {
    const tpm = scriptedTpm(retry, '80010000000a0000090a', '80010000000a00000908', property);
    const waits: number[] = [];
    const connection = new TpmConnection(tpm, async (delayMs) => void waits.push(delayMs));
    expect(await connection.run(getProperty(0x105))).toBe(0x4942_4d00);
    expect(waits).toEqual([20, 40, 80]);
    expect(new Set(tpm.commands).size).toBe(1);
  });

  test('is given up after eight times', async () => {
    const tpm = scriptedTpm(...Array.from({ length: 20 }, () => retry));
    const connection = new TpmConnection(tpm, async () => {});
    await expect(connection.run(getProperty(0x105))).rejects.toMatchObject({ kind: 'refused', responseCode: 'TPM_RC_RETRY' });
    expect(tpm.commands).toHaveLength(9);
  });
});

test.each([
  ['bytes after its end', `${property}00`.replace('0000001b', '0000001c')],
  ['another capability', property.replace('00000006', '00000005')],
  ['more properties than were asked for', property.replace('0000000100000105', '0000000200000105')],
  ['the tag of an answer with sessions', property.replace('8001', '8002')],
  ['an end too early', '80010000000b0000000000'],
])('an answer with %s is malformed', async (_, answer) => {
  await expect(new TpmConnection(scriptedTpm(answer)).run(getProperty(0x105))).rejects.toMatchObject({ kind: 'malformed' });
});

test('an answer without the authorisation that was asked for is malformed, and not taken', async () => {
  const connection = new TpmConnection(scriptedTpm(done));
  await expect(connection.run(createPrimary, emptyPassword)).rejects.toMatchObject({ kind: 'malformed' });
});

test('whatever answers in place of a TPM, the error is one of the client, and no secret comes out', async () => {
  const item = entityOfHandle(0x8000_0000);
  const created = { publicArea: new Uint8Array(78), privateArea: new Uint8Array(158) };
  const secret = SecretBytes.fromText('secret');
  const sealed = { purpose: 'root key', primaryName: new Uint8Array(34), pcrs: new Map([[7, new Uint8Array(32)]]), ...created };
  const uses: readonly ((connection: TpmConnection) => Promise<unknown>)[] = [
    (connection) => connection.run(unseal(item), session().authorizing('response')),
    (connection) => connection.run(load(item, created), session().authorizing('none')),
    (connection) => connection.run(createSealed(item, secret, undefined), session().authorizing('command')),
    (connection) => sealSecret(connection, secret, { purpose: 'root key', pcrs: [7] }),
    (connection) => unsealSecret(connection, sealed, 'root key'),
  ];
  const body = fc.uint8Array({ maxLength: 300 });
  const answer = fc
    .record({ tag: fc.constantFrom('8001', '8002'), code: fc.constantFrom(0, 0, 0, 0x99d), body })
    .map(({ tag, code, body }) => {
      return tag + uint32(body.length + 10) + uint32(code) + Buffer.from(body).toString('hex');
    });
  await fc.assert(
    fc.asyncProperty(fc.constantFrom(...uses), fc.array(answer, { minLength: 12, maxLength: 12 }), async (use, answers) => {
      const outcome = await use(new TpmConnection(scriptedTpm(...answers), async () => {})).catch((error: unknown) => error);
      expect(outcome).toBeInstanceOf(TpmError);
    }),
    propertyRuns({ quick: 500, full: 20_000 }),
  );
});

test('an answer that was valid and has one byte changed is taken whole or refused, never read past its end', async () => {
  const answers = {
    read: `800100000060000000000000001400000001000b03810000000000020020${'00'.repeat(32)}0020${'00'.repeat(32)}`,
    start: `80010000003000000000030000000020${'c4'.repeat(32)}`,
  };
  const start = startAuthSession(entityOfHandle(0x4000_0007), { type: 'hmac', nonce: new Uint8Array(32), encryptedSalt: new Uint8Array() });
  const one = fc.record({ which: fc.constantFrom('read', 'start'), at: fc.nat(), to: fc.nat(255), cut: fc.nat(20) });
  await fc.assert(
    fc.asyncProperty(one, async ({ which, at, to, cut }) => {
      const bytes = Buffer.from(which === 'read' ? answers.read : answers.start, 'hex');
      // The header is the transport's to check.
      bytes[10 + (at % (bytes.length - 10))] = to;
      const changed = bytes.subarray(0, bytes.length - Math.min(cut, bytes.length - 10)).toString('hex');
      const connection = new TpmConnection(scriptedTpm(changed));
      const run: Promise<unknown> = which === 'read' ? connection.run(pcrRead([0, 7])) : connection.run(start);
      const error = await run.then(
        () => undefined,
        (reason: unknown) => reason,
      );
      if (error !== undefined) expect(error).toMatchObject({ kind: 'malformed' });
      expect(cut === 0 || error !== undefined).toBe(true);
    }),
    propertyRuns({ quick: 300, full: 20_000 }),
  );
});

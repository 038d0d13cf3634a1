/** The TPM client on a real TPM (swtpm), checked against tpm2-tools and with a probe on the bus. */
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { SecretBytes } from '../../src/secret-bytes.ts';
import { withTpm } from '../../src/tpm/connection.ts';
import { decodeSealedSecret, encodeSealedSecret, type SealedSecret } from '../../src/tpm/sealed-secret.ts';
import { readPcrs, sealSecret, secretBytesMax, unsealSecret } from '../../src/tpm/sealing.ts';
import { describeTpm } from '../../src/tpm/tpm-description.ts';
import type { TpmAddress } from '../../src/tpm/transport.ts';
import { startSwtpm, type Swtpm, swtpmMissing } from '../support/swtpm.ts';
import { codeOf, openTpmBus } from '../support/tpm-bus.ts';
import { openTpmDevice } from '../support/tpm-device.ts';

const deadlineMs = 20_000;
const purpose = 'root key';
const commandUnseal = 0x15e;
const commandCreate = 0x153;

const seal = (address: TpmAddress, secret: Buffer, pcrs: readonly number[] = [7]): Promise<SealedSecret> =>
  withTpm(address, deadlineMs, (connection) => sealSecret(connection, new SecretBytes(Buffer.from(secret)), { purpose, pcrs }));
const unseal = async (address: TpmAddress, sealed: SealedSecret, expected = purpose, timeMs = deadlineMs): Promise<string> => {
  const secret = await withTpm(address, timeMs, (connection) => unsealSecret(connection, sealed, expected));
  return secret.expose((bytes) => Buffer.from(bytes).toString('hex'));
};
const extendedBy = (pcr: number): string => `${pcr}:sha256=${randomBytes(32).toString('hex')}`;

if (swtpmMissing !== undefined) process.stderr.write(`tests on a TPM are skipped: ${swtpmMissing}\n`);

describe.skipIf(swtpmMissing !== undefined)('a secret sealed to a TPM', () => {
  let tpm: Swtpm;
  beforeAll(async () => {
    tpm = await startSwtpm();
  });
  afterAll(() => tpm.stop());

  test.each([
    ['PCR 7', [7]],
    ['more PCRs than one answer of the TPM holds', Array.from({ length: 24 }, (_, pcr) => pcr)],
    ['no PCR', []],
  ])('opens again, from its file form and after a restart, over %s', async (_, pcrs) => {
    const secret = randomBytes(32);
    const file = encodeSealedSecret(await seal(tpm.address, secret, pcrs));
    expect(await unseal(tpm.address, decodeSealedSecret(file))).toBe(secret.toString('hex'));
    await tpm.restart();
    expect(await unseal(tpm.address, decodeSealedSecret(file))).toBe(secret.toString('hex'));
  });

  test('may be as long as is promised, and one byte more is refused before the TPM is asked', async () => {
    const secret = randomBytes(secretBytesMax);
    expect(await unseal(tpm.address, await seal(tpm.address, secret))).toBe(secret.toString('hex'));
    await expect(seal(tpm.address, randomBytes(secretBytesMax + 1))).rejects.toThrow('cannot be sealed');
  });

  test('leaves nothing in the TPM', async () => {
    for (let round = 0; round < 4; round += 1) await unseal(tpm.address, await seal(tpm.address, randomBytes(32)));
    for (const kind of ['handles-transient', 'handles-loaded-session', 'handles-persistent'])
      expect(tpm.tool('tpm2_getcap', kind).toString()).toBe('');
  });

  test('is opened by tpm2-tools too, which shows that every structure is as specified', async () => {
    const secret = randomBytes(32);
    const { publicArea, privateArea } = await seal(tpm.address, secret);
    const folder = mkdtempSync(join(tmpdir(), 'hsm-kms-tpm-tools-'));
    const file = (name: string): string => join(folder, name);
    try {
      for (const [name, area] of Object.entries({ public: publicArea, private: privateArea }))
        writeFileSync(file(name), Buffer.concat([Buffer.from([area.length >> 8, area.length & 0xff]), area]));
      const attributes = 'fixedtpm|fixedparent|sensitivedataorigin|userwithauth|noda|restricted|decrypt';
      tpm.tool('tpm2_createprimary', '-Q', '-C', 'o', '-g', 'sha256', '-G', 'ecc256:aes128cfb', '-a', attributes, '-c', file('primary'));
      tpm.tool('tpm2_flushcontext', '-t');
      tpm.tool('tpm2_load', '-Q', '-C', file('primary'), '-u', file('public'), '-r', file('private'), '-c', file('sealed'));
      tpm.tool('tpm2_flushcontext', '-t');
      const opened = tpm.tool('tpm2_unseal', '-c', file('sealed'), '-p', 'pcr:sha256:7');
      expect(opened.subarray(0, secret.length).equals(secret)).toBe(true);
    } finally {
      tpm.tool('tpm2_flushcontext', '-t');
      rmSync(folder, { recursive: true });
    }
  });

  test('is refused after a change of the boot chain, and the refusal names the PCRs that differ and no other', async () => {
    const sealed = await seal(tpm.address, randomBytes(32), [0, 4, 7, 14]);
    tpm.tool('tpm2_pcrextend', extendedBy(4));
    await expect(unseal(tpm.address, sealed)).rejects.toMatchObject({
      kind: 'pcrs-changed',
      message: expect.stringContaining('PCR 4 (boot loader). '),
    });
    tpm.tool('tpm2_pcrextend', extendedBy(14), extendedBy(5));
    await expect(unseal(tpm.address, sealed)).rejects.toThrow('PCR 4 (boot loader), 14 (shim keys). ');
    await tpm.restart();
    expect(await unseal(tpm.address, sealed)).toHaveLength(64);
  });

  test('is kept back by the TPM itself, whatever the file says of its PCRs', async () => {
    const secret = randomBytes(32);
    const sealed = await seal(tpm.address, secret);
    tpm.tool('tpm2_pcrextend', extendedBy(7));
    const now = await withTpm(tpm.address, deadlineMs, (connection) => readPcrs(connection, [7]));
    await expect(unseal(tpm.address, { ...sealed, pcrs: now })).rejects.toMatchObject({ responseCode: 'TPM_RC_POLICY_FAIL' });
    await expect(unseal(tpm.address, { ...sealed, pcrs: new Map() })).rejects.toMatchObject({ kind: 'refused' });
    await tpm.restart();
  });

  test('is refused by another TPM, and by the same one after it was cleared', async () => {
    const other = await startSwtpm();
    try {
      const sealed = await seal(other.address, randomBytes(32));
      await expect(unseal(tpm.address, sealed)).rejects.toMatchObject({ kind: 'other-tpm' });
      other.tool('tpm2_clear');
      await expect(unseal(other.address, sealed)).rejects.toMatchObject({ kind: 'other-tpm' });
    } finally {
      await other.stop();
    }
  });

  test('is not taken for a secret of another kind, not even when its file says so', async () => {
    const sealed = await seal(tpm.address, randomBytes(32));
    await expect(unseal(tpm.address, sealed, 'PIN')).rejects.toThrow('holds a root key, not a PIN');
    await expect(unseal(tpm.address, { ...sealed, purpose: 'PIN' }, 'PIN')).rejects.toThrow('the sealed file was exchanged');
  });

  test('is refused when its private area was altered, with the word that the file is damaged', async () => {
    const sealed = await seal(tpm.address, randomBytes(32));
    const privateArea = sealed.privateArea.slice();
    privateArea[40] = (privateArea[40] ?? 0) ^ 1;
    await expect(unseal(tpm.address, { ...sealed, privateArea })).rejects.toThrow('The sealed file was altered');
  });

  test('opens in a TPM that is locked after wrong passwords, and cannot lock it', async () => {
    const sealed = await seal(tpm.address, randomBytes(32));
    const folder = mkdtempSync(join(tmpdir(), 'hsm-kms-tpm-lock-'));
    const file = (name: string): string => join(folder, name);
    try {
      tpm.tool('tpm2_dictionarylockout', '--setup-parameters', '--max-tries=2', '--recovery-time=1000', '--lockout-recovery-time=1000');
      tpm.tool('tpm2_createprimary', '-Q', '-C', 'o', '-p', 'right', '-c', file('guarded'));
      tpm.tool('tpm2_flushcontext', '-t');
      const wrong = (): Buffer => tpm.tool('tpm2_create', '-Q', '-C', file('guarded'), '-P', 'wrong', '-u', file('u'), '-r', file('r'));
      for (let attempt = 0; attempt < 3; attempt += 1) {
        expect(wrong).toThrow();
        tpm.tool('tpm2_flushcontext', '-t');
      }
      expect(tpm.tool('tpm2_getcap', 'properties-variable').toString()).toMatch(/inLockout:\s+1/);
      expect(await unseal(tpm.address, sealed)).toHaveLength(64);
    } finally {
      tpm.tool('tpm2_dictionarylockout', '--clear-lockout');
      rmSync(folder, { recursive: true });
    }
  });

  test('is refused with the name of the reason where the owner hierarchy has a password', async () => {
    tpm.tool('tpm2_changeauth', '-c', 'owner', 'secret');
    try {
      await expect(seal(tpm.address, randomBytes(32))).rejects.toThrow(/TPM_RC_BAD_AUTH.*owner hierarchy has a password/);
    } finally {
      tpm.tool('tpm2_changeauth', '-c', 'owner', '-p', 'secret');
    }
  });

  test('is not sealed to a bank of PCRs that the TPM does not have', async () => {
    const poor = await startSwtpm();
    try {
      poor.tool('tpm2_pcrallocate', 'sha1:all+sha256:none');
      await poor.restart();
      await expect(seal(poor.address, randomBytes(32))).rejects.toThrow('no SHA-256 value of PCR 7');
    } finally {
      await poor.stop();
    }
  });

  test('passes through a device as over TCP', async () => {
    const secret = randomBytes(32);
    const device = await openTpmDevice(tpm.address.port);
    try {
      const sealed = await seal(device.address, secret);
      expect(await unseal(device.address, sealed)).toBe(secret.toString('hex'));
    } finally {
      device.close();
    }
  });

  test('the TPM says who made it', async () => {
    expect(await describeTpm(tpm.address, deadlineMs)).toMatch(/^IBM, firmware \d+\.\d+$/);
  });

  describe('with a probe on the bus', () => {
    test('crosses it only encrypted, when it is sealed and when it is opened', async () => {
      const bus = await openTpmBus(tpm.address);
      const secret = randomBytes(32);
      try {
        const sealed = await seal(bus.address, secret);
        expect(await unseal(bus.address, sealed)).toBe(secret.toString('hex'));
        const passed = Buffer.concat(bus.recorded);
        expect(bus.recorded.map(codeOf)).toEqual(expect.arrayContaining([commandCreate, commandUnseal]));
        // The probe works: what is not secret is found.
        expect(passed.includes(Buffer.from(sealed.privateArea))).toBe(true);
        for (let at = 0; at + 8 <= secret.length; at += 1) expect(passed.includes(secret.subarray(at, at + 8))).toBe(false);
      } finally {
        await bus.close();
      }
    });

    test.each(['command', 'response'] as const)('an altered %s of Unseal is noticed', async (altered) => {
      const bus = await openTpmBus(tpm.address);
      try {
        const sealed = await seal(bus.address, randomBytes(32));
        let unsealing = false;
        bus.tamper = (message, direction) => {
          if (direction === 'command') unsealing = codeOf(message) === commandUnseal;
          // The last byte of a command is of its HMAC; byte 20 of a response is of the encrypted secret.
          const at = direction === 'command' ? message.length - 1 : 20;
          if (unsealing && direction === altered) message[at] = (message[at] ?? 0) ^ 1;
          return message;
        };
        const expected =
          altered === 'response'
            ? { kind: 'tampered' }
            : { responseCode: 'TPM_RC_BAD_AUTH', message: expect.stringContaining('alters messages') };
        await expect(unseal(bus.address, sealed)).rejects.toMatchObject(expected);
        bus.tamper = (message) => message;
        expect(await unseal(bus.address, sealed)).toHaveLength(64);
      } finally {
        await bus.close();
      }
    });
  });

  describe('in bounded time', () => {
    test('a TPM that hangs is an error, and serves again when it is back', async () => {
      const sealed = await seal(tpm.address, randomBytes(32));
      process.kill(tpm.pid, 'SIGSTOP');
      const began = performance.now();
      await expect(unseal(tpm.address, sealed, purpose, 500)).rejects.toMatchObject({
        kind: 'overdue',
        message: expect.stringContaining('500 ms'),
      });
      expect(performance.now() - began).toBeLessThan(3_000);
      process.kill(tpm.pid, 'SIGCONT');
      expect(await unseal(tpm.address, sealed)).toHaveLength(64);
    });

    test('a TPM that dies in the middle of a command is an error at once', async () => {
      const bus = await openTpmBus(tpm.address);
      const sealed = await seal(bus.address, randomBytes(32));
      let restarted: Promise<void> | undefined;
      bus.tamper = (message, direction) => {
        if (direction !== 'command' || codeOf(message) !== commandUnseal) return message;
        restarted = tpm.restart();
        return undefined;
      };
      await expect(unseal(bus.address, sealed)).rejects.toMatchObject({ kind: 'unreachable' });
      await restarted;
      expect(await unseal(tpm.address, sealed)).toHaveLength(64);
      await bus.close();
    });

    test('no TPM at all is an error that names the address', async () => {
      const gone = await startSwtpm();
      await gone.stop();
      await expect(seal(gone.address, randomBytes(32))).rejects.toMatchObject({
        kind: 'unreachable',
        message: expect.stringContaining(`127.0.0.1:${gone.address.port}`),
      });
    });
  });
});

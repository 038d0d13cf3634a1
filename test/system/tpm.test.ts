/** A daemon whose software keys hang on a TPM (swtpm): what it does when the TPM, the boot chain or the machine changes. */
import { randomBytes } from 'node:crypto';
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { CreateKeyCommand, DecryptCommand, EncryptCommand, KMSClient } from '@aws-sdk/client-kms';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parse, stringify } from 'yaml';
import { type ConfigText, type RunningDaemon, startDaemon } from '../support/daemon.ts';
import { startSwtpm, type Swtpm, swtpmMissing } from '../support/swtpm.ts';

const plaintext = new Uint8Array(randomBytes(24));
const clientOf = ({ endpoint, credentials }: RunningDaemon): KMSClient =>
  new KMSClient({ endpoint, region: 'us-east-1', credentials, maxAttempts: 1 });

const rootKeyOn = ({ address: { host, port } }: Swtpm, pcrs: readonly number[] = [7]): object => ({
  tpm: { file: 'root-key.tpm', tcp: `${host}:${port}`, pcrs },
});

if (swtpmMissing !== undefined) process.stderr.write(`tests on a TPM are skipped: ${swtpmMissing}\n`);

describe.skipIf(swtpmMissing !== undefined).sequential('a daemon with its root key sealed to a TPM', () => {
  let tpm: Swtpm;
  let daemon: RunningDaemon;
  let ciphertext: Uint8Array;
  const at = (name: string): string => join(daemon.dataDirectory, name);
  const reconfigure = (rootKey: object): void => {
    const config = parse(readFileSync(at('config.yaml'), 'utf8')) as ConfigText;
    writeFileSync(at('config.yaml'), stringify({ ...config, keyStores: [{ kind: 'software', name: 'software', rootKey }] }));
  };
  const decrypts = async (): Promise<void> => {
    const client = clientOf(daemon);
    const { Plaintext } = await client.send(new DecryptCommand({ CiphertextBlob: ciphertext }));
    client.destroy();
    expect(Plaintext).toEqual(plaintext);
  };

  beforeAll(async () => {
    tpm = await startSwtpm();
    daemon = await startDaemon({
      store: 'software',
      auth: 'sigv4',
      configure: (config) => {
        config.keyStores = [{ kind: 'software', name: 'software', rootKey: rootKeyOn(tpm) }];
      },
    });
    const client = clientOf(daemon);
    const { KeyMetadata } = await client.send(new CreateKeyCommand({}));
    await client.send(new CreateKeyCommand({ KeySpec: 'ECC_NIST_P256', KeyUsage: 'SIGN_VERIFY' }));
    const { CiphertextBlob } = await client.send(new EncryptCommand({ KeyId: KeyMetadata?.KeyId, Plaintext: plaintext }));
    ciphertext = CiphertextBlob ?? new Uint8Array();
    client.destroy();
  });
  afterAll(async () => {
    await daemon?.stop();
    await tpm?.stop();
  });

  test('makes it at its first start, and opens its keys after it, and the machine, were started anew', async () => {
    expect(existsSync(at('root.key'))).toBe(false);
    await tpm.restart();
    await daemon.restart('kill');
    await decrypts();
  });

  test('has doctor say which TPM opens it', async () => {
    const examined = await daemon.cli('doctor');
    expect(examined.stdout).toMatch(/^ok {4}root key of software: the TPM 127\.0\.0\.1:\d+ \(IBM, firmware .*\) opens .*root-key\.tpm/m);
  });

  test('is backed up only when asked for, to a new file that only its owner reads', async () => {
    expect(await daemon.cli('root-key', 'backup', at('backup.key'))).toMatchObject({ code: 0, stdout: '' });
    expect(statSync(at('backup.key'))).toMatchObject({ size: 32 });
    expect(statSync(at('backup.key')).mode & 0o777).toBe(0o600);
    const again = await daemon.cli('root-key', 'backup', at('backup.key'));
    expect(again).toMatchObject({ code: 1, stderr: expect.stringContaining('is there already; nothing was written') });
  });

  test('does not start after a change of the boot chain, and says which PCR changed', async () => {
    await daemon.end();
    tpm.tool('tpm2_pcrextend', `7:sha256=${randomBytes(32).toString('hex')}`);
    await expect(daemon.start()).rejects.toThrow(/PCR 7 \(Secure Boot state\)/);
    const examined = await daemon.cli('doctor');
    expect(examined.code).toBe(1);
    expect(examined.stdout).toMatch(/^FAIL {2}root key of software: .*PCR 7/m);
  });

  test('starts again when its backup was sealed to the new boot chain', async () => {
    const resealed = await daemon.cli('root-key', 'reseal', '--from', at('backup.key'));
    expect(resealed).toMatchObject({ code: 0, stderr: expect.stringContaining('it opens all 2 materials of the store') });
    await daemon.start();
    await decrypts();
  });

  test('does not start with another TPM, until the backup is sealed to that', async () => {
    await daemon.end();
    await tpm.stop();
    tpm = await startSwtpm();
    reconfigure(rootKeyOn(tpm));
    await expect(daemon.start()).rejects.toThrow(/sealed by another TPM/);
    const foreign = at('foreign.key');
    writeFileSync(foreign, randomBytes(32), { mode: 0o600 });
    const before = readFileSync(at('root-key.tpm'));
    expect(await daemon.cli('root-key', 'reseal', '--from', foreign)).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('the root key is another one'),
    });
    expect(readFileSync(at('root-key.tpm')).equals(before)).toBe(true);
    expect(await daemon.cli('root-key', 'reseal', '--from', at('backup.key'))).toMatchObject({ code: 0 });
    await daemon.start();
    await decrypts();
  });

  test('is sealed to other PCRs in one step while it opens', async () => {
    await daemon.end();
    reconfigure(rootKeyOn(tpm, [0, 4, 7]));
    await expect(daemon.start()).rejects.toThrow('is sealed to PCR 7, and the configuration says 0, 4, 7');
    expect(await daemon.cli('root-key', 'reseal')).toMatchObject({ code: 0 });
    await daemon.start();
    await decrypts();
  });

  test('does not start without its TPM, and never with a new root key', async () => {
    await daemon.end();
    await tpm.stop();
    await expect(daemon.start()).rejects.toThrow(/no TPM answers at/);
    await expect(daemon.start()).rejects.toThrow(/ECONNREFUSED/);
  });
});

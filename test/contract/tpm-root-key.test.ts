/** The root key of a software store sealed to a TPM: made once, opened at each start, refused in words that help. */
import { randomBytes } from 'node:crypto';
import { chmodSync, mkdtempSync, readFileSync, readdirSync, rmSync, statSync } from 'node:fs';
import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { openRootKey, resealRootKey, tpmRootKey, type TpmRootKeyPlace } from '../../src/keystore/software/tpm-root-key.ts';
import { replacePrivateFile } from '../../src/keystore/software/private-file.ts';
import { SecretBytes } from '../../src/secret-bytes.ts';
import { withTpm } from '../../src/tpm/connection.ts';
import { encodeSealedSecret } from '../../src/tpm/sealed-secret.ts';
import { sealSecret } from '../../src/tpm/sealing.ts';
import { startSwtpm, type Swtpm, swtpmMissing } from '../support/swtpm.ts';

const hexOf = async (rootKey: Promise<SecretBytes>): Promise<string> =>
  (await rootKey).expose((bytes) => Buffer.from(bytes).toString('hex'));

describe.skipIf(swtpmMissing !== undefined)('a root key that is sealed to a TPM', () => {
  let tpm: Swtpm;
  let folder: string;
  let place: TpmRootKeyPlace;
  beforeAll(async () => {
    tpm = await startSwtpm();
  });
  afterAll(() => tpm.stop());
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'hsm-kms-tpm-root-key-'));
    place = { file: join(folder, 'root-key.tpm'), address: tpm.address, pcrs: [7] };
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  test('is made at the first start when asked for, is nowhere in its file, and is the same later', async () => {
    const made = await hexOf(tpmRootKey(place, 'create'));
    expect(made).toMatch(/^[0-9a-f]{64}$/);
    expect(statSync(place.file).mode & 0o777).toBe(0o600);
    expect(readdirSync(folder)).toEqual(['root-key.tpm']);
    expect(readFileSync(place.file).toString('hex')).not.toContain(made.slice(0, 16));
    expect(await hexOf(tpmRootKey(place, 'refuse'))).toBe(made);
  });

  test('is the same for services that start at the same time', async () => {
    const keys = await Promise.all(Array.from({ length: 4 }, () => hexOf(tpmRootKey(place, 'create'))));
    expect(new Set(keys).size).toBe(1);
    expect(readdirSync(folder)).toEqual(['root-key.tpm']);
  });

  test('is not made anew where keys are sealed under one', async () => {
    await expect(tpmRootKey(place, 'refuse')).rejects.toThrow(/does not exist.*root-key reseal --from BACKUP/);
    expect(readdirSync(folder)).toEqual([]);
  });

  test('leaves no file when it cannot be sealed', async () => {
    const nowhere = { ...place, address: { kind: 'tcp', host: '127.0.0.1', port: 1 } as const };
    await expect(tpmRootKey(nowhere, 'create')).rejects.toMatchObject({ kind: 'unavailable' });
    expect(readdirSync(folder)).toEqual([]);
  });

  test('is refused after a change of the boot chain, with the PCR and the way back', async () => {
    await hexOf(tpmRootKey(place, 'create'));
    tpm.tool('tpm2_pcrextend', `7:sha256=${randomBytes(32).toString('hex')}`);
    await expect(tpmRootKey(place, 'create')).rejects.toMatchObject({
      kind: 'refused',
      message: expect.stringMatching(/root-key\.tpm.*PCR 7 \(Secure Boot state\).*root-key reseal --from BACKUP/),
    });
    await tpm.restart();
  });

  test('is refused while the configuration says other PCRs, and can be sealed to those', async () => {
    const made = await hexOf(tpmRootKey(place, 'create'));
    const stricter = { ...place, pcrs: [0, 7] };
    await expect(tpmRootKey(stricter, 'refuse')).rejects.toThrow('is sealed to PCR 7, and the configuration says 0, 7');
    await expect(tpmRootKey({ ...place, pcrs: [] }, 'refuse')).rejects.toThrow('and the configuration says none');
    await resealRootKey(stricter, await openRootKey(stricter, { pcrsMustMatch: false }));
    expect(await hexOf(tpmRootKey(stricter, 'refuse'))).toBe(made);
    expect(readdirSync(folder)).toEqual(['root-key.tpm']);
  });

  test('must have 32 bytes', async () => {
    const secret = SecretBytes.fromText('too short');
    const sealed = await withTpm(tpm.address, 10_000, (connection) => sealSecret(connection, secret, { purpose: 'root key', pcrs: [7] }));
    await replacePrivateFile(place.file, encodeSealedSecret(sealed));
    await expect(tpmRootKey(place, 'create')).rejects.toThrow('holds 9 bytes instead of 32');
  });

  test('is refused when others could exchange its file, or when it is no sealed file', async () => {
    await hexOf(tpmRootKey(place, 'create'));
    chmodSync(place.file, 0o640);
    await expect(tpmRootKey(place, 'create')).rejects.toThrow('chmod 600');
    await replacePrivateFile(place.file, randomBytes(32));
    await expect(tpmRootKey(place, 'create')).rejects.toMatchObject({
      kind: 'refused',
      message: expect.stringContaining('holds nothing that hsm-kms sealed'),
    });
  });

  test('is given up in time when the TPM hangs', async () => {
    const hanging = createServer(() => {}).listen(0, '127.0.0.1');
    await once(hanging, 'listening');
    const { port } = hanging.address() as AddressInfo;
    await expect(tpmRootKey({ ...place, address: { kind: 'tcp', host: '127.0.0.1', port } }, 'create', 300)).rejects.toMatchObject({
      kind: 'timeout',
    });
    hanging.close();
  });
});

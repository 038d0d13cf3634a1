/** `hsm-kms keys export-public` beside a running daemon: the same bytes that the API returns, and what it says where there are none. */
import { createPublicKey } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { CreateAliasCommand, CreateKeyCommand, GetPublicKeyCommand, KMSClient } from '@aws-sdk/client-kms';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startDaemon, type RunningDaemon } from '../support/daemon.ts';

let daemon: RunningDaemon;
let pair: { readonly id: string; readonly arn: string; readonly publicKey: Buffer };
let symmetricId: string;

beforeAll(async () => {
  daemon = await startDaemon({ store: 'software', auth: 'sigv4' });
  const client = new KMSClient({ endpoint: daemon.endpoint, region: 'us-east-1', credentials: daemon.credentials, maxAttempts: 1 });
  const { KeyMetadata } = await client.send(new CreateKeyCommand({ KeySpec: 'ECC_NIST_P256', KeyUsage: 'SIGN_VERIFY' }));
  await client.send(new CreateAliasCommand({ AliasName: 'alias/pair', TargetKeyId: KeyMetadata?.KeyId }));
  const { PublicKey } = await client.send(new GetPublicKeyCommand({ KeyId: KeyMetadata?.KeyId }));
  pair = { id: KeyMetadata?.KeyId ?? '', arn: KeyMetadata?.Arn ?? '', publicKey: Buffer.from(PublicKey ?? []) };
  symmetricId = (await client.send(new CreateKeyCommand({}))).KeyMetadata?.KeyId ?? '';
  client.destroy();
}, 120_000);
afterAll(() => daemon?.stop());

describe('keys export-public', () => {
  it('writes the public key that GetPublicKey returns as PEM, by id, ARN and alias', async () => {
    const pem = createPublicKey({ key: pair.publicKey, format: 'der', type: 'spki' }).export({ format: 'pem', type: 'spki' });
    for (const name of [pair.id, pair.arn, 'alias/pair'])
      expect(await daemon.cli('keys', 'export-public', name)).toEqual({ code: 0, stdout: pem, stderr: '' });
  });

  it('writes DER into a new file, and never over one', async () => {
    const file = join(daemon.dataDirectory, 'pair.der');
    expect((await daemon.cli('keys', 'export-public', pair.id, '--format', 'der', '--out', file)).code).toBe(0);
    expect(readFileSync(file)).toEqual(pair.publicKey);
    const again = await daemon.cli('keys', 'export-public', pair.id, '--out', file);
    expect(again).toMatchObject({ code: 1, stdout: '' });
    expect(again.stderr).toContain('exists; it is not overwritten');
    expect(readFileSync(file)).toEqual(pair.publicKey);
  });

  it('says of a symmetric key that it has no public key, and of an unknown name that it is not known', async () => {
    expect((await daemon.cli('keys', 'export-public', symmetricId)).stderr).toContain('of spec SYMMETRIC_DEFAULT has no public key');
    expect((await daemon.cli('keys', 'export-public', 'alias/nobody')).stderr).toContain("no key 'alias/nobody' is known here");
  });
});

/** The AWS CLI of Debian against the daemon over SoftHSM: the README's round trip of a file, and the errors a person meets. */
import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startDaemon, type RunningDaemon } from '../support/daemon.ts';

const run = promisify(execFile);
const AWS_CLI = '/usr/bin/aws';

describe('the AWS CLI over SoftHSM', () => {
  let daemon: RunningDaemon;
  let folder: string;

  beforeAll(async () => {
    daemon = await startDaemon({ store: 'softhsm', auth: 'sigv4' });
    folder = await mkdtemp(join(tmpdir(), 'hsm-kms-cli-'));
  });
  afterAll(async () => {
    await daemon.stop();
    await rm(folder, { recursive: true, force: true });
  });

  function environment(): NodeJS.ProcessEnv {
    return {
      PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
      HOME: folder,
      AWS_ACCESS_KEY_ID: daemon.credentials.accessKeyId,
      AWS_SECRET_ACCESS_KEY: daemon.credentials.secretAccessKey,
      AWS_DEFAULT_REGION: 'us-east-1',
      AWS_MAX_ATTEMPTS: '1',
    };
  }

  /** Runs `aws kms ...` and resolves to what it printed. */
  async function kms(...words: string[]): Promise<string> {
    const { stdout } = await run(AWS_CLI, ['--endpoint-url', daemon.endpoint, 'kms', ...words], { env: environment(), cwd: folder });
    return stdout.trim();
  }

  async function kmsError(...words: string[]): Promise<string> {
    const failure = await kms(...words).then(
      () => undefined,
      (error: unknown) => error as { stderr: string },
    );
    expect(failure, `aws kms ${words.join(' ')} was expected to fail`).toBeDefined();
    return failure?.stderr ?? '';
  }

  it('encrypts a file under an alias and decrypts it to the same bytes, as the README shows', async () => {
    const secret = randomBytes(1_000).toString('base64');
    await writeFile(join(folder, 'SecretFile.txt'), secret);
    const keyId = await kms('create-key', '--output', 'text', '--query', 'KeyMetadata.KeyId');
    await kms('create-alias', '--alias-name', 'alias/mykey', '--target-key-id', keyId);
    const script = [
      `${AWS_CLI} --endpoint-url ${daemon.endpoint} kms encrypt --key-id alias/mykey --plaintext fileb://SecretFile.txt --output text --query CiphertextBlob | base64 --decode > SecretFileEncrypted`,
      `${AWS_CLI} --endpoint-url ${daemon.endpoint} kms decrypt --ciphertext-blob fileb://SecretFileEncrypted --output text --query Plaintext | base64 --decode > SecretFileDecrypted`,
    ].join('\n');
    await run('bash', ['-euo', 'pipefail', '-c', script], { env: environment(), cwd: folder });
    expect(await readFile(join(folder, 'SecretFileDecrypted'), 'utf8')).toBe(secret);
    const encrypted = await readFile(join(folder, 'SecretFileEncrypted'));
    expect(encrypted.includes(Buffer.from(secret.slice(0, 32)))).toBe(false);
  });

  it('says which alias is not found, with its ARN', async () => {
    const stderr = await kmsError('encrypt', '--key-id', 'alias/nowhere', '--plaintext', 'fileb:///etc/hostname');
    expect(stderr).toContain('(NotFoundException)');
    expect(stderr).toContain(`Alias arn:aws:kms:us-east-1:${daemon.credentials.account}:alias/nowhere is not found.`);
  });

  it('refuses an altered ciphertext with InvalidCiphertextException', async () => {
    const keyId = await kms('create-key', '--output', 'text', '--query', 'KeyMetadata.KeyId');
    await writeFile(join(folder, 'plain'), 'attack at dawn');
    const blob = Buffer.from(
      await kms('encrypt', '--key-id', keyId, '--plaintext', 'fileb://plain', '--output', 'text', '--query', 'CiphertextBlob'),
      'base64',
    );
    const last = blob.length - 1;
    blob[last] = (blob[last] ?? 0) ^ 1;
    await writeFile(join(folder, 'altered'), blob);
    expect(await kmsError('decrypt', '--ciphertext-blob', 'fileb://altered')).toContain('InvalidCiphertextException');
  });

  it('walks a key through disable, enable, schedule and cancel deletion, and tags', async () => {
    const keyId = await kms(
      'create-key',
      '--description',
      'walk',
      '--tags',
      'TagKey=team,TagValue=blue',
      '--output',
      'text',
      '--query',
      'KeyMetadata.KeyId',
    );
    const state = () => kms('describe-key', '--key-id', keyId, '--output', 'text', '--query', 'KeyMetadata.KeyState');
    await kms('disable-key', '--key-id', keyId);
    expect(await state()).toBe('Disabled');
    expect(await kmsError('generate-data-key', '--key-id', keyId, '--key-spec', 'AES_256')).toContain(`key/${keyId} is disabled.`);
    await kms('enable-key', '--key-id', keyId);
    expect(await state()).toBe('Enabled');
    await kms('schedule-key-deletion', '--key-id', keyId, '--pending-window-in-days', '7');
    expect(await state()).toBe('PendingDeletion');
    await kms('cancel-key-deletion', '--key-id', keyId);
    expect(await state()).toBe('Disabled');
    await kms('tag-resource', '--key-id', keyId, '--tags', 'TagKey=cost,TagValue=42');
    await kms('untag-resource', '--key-id', keyId, '--tag-keys', 'team');
    expect(JSON.parse(await kms('list-resource-tags', '--key-id', keyId, '--query', 'Tags'))).toEqual([{ TagKey: 'cost', TagValue: '42' }]);
  });
});

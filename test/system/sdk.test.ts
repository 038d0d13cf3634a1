/**
 * The newest AWS SDK for JavaScript through every operation that this service has, over each key store. The SDK is the judge
 * of the wire format: it parses what we answer and raises the exception classes of the model.
 */
import { randomBytes } from 'node:crypto';
import {
  CancelKeyDeletionCommand,
  CreateAliasCommand,
  CreateKeyCommand,
  DecryptCommand,
  DeleteAliasCommand,
  DescribeKeyCommand,
  DisableKeyCommand,
  EnableKeyCommand,
  EncryptCommand,
  GenerateDataKeyCommand,
  GenerateDataKeyWithoutPlaintextCommand,
  GenerateRandomCommand,
  KMSClient,
  ListAliasesCommand,
  ListKeysCommand,
  ListResourceTagsCommand,
  ReEncryptCommand,
  ScheduleKeyDeletionCommand,
  TagResourceCommand,
  UntagResourceCommand,
  UpdateAliasCommand,
  UpdateKeyDescriptionCommand,
} from '@aws-sdk/client-kms';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startDaemon, type RunningDaemon } from '../support/daemon.ts';

describe.each(['softhsm', 'softhsm-wrapped', 'softhsm-direct', 'nss', 'software'] as const)('the AWS SDK over %s', (store) => {
  let daemon: RunningDaemon;
  let client: KMSClient;

  beforeAll(async () => {
    daemon = await startDaemon({ store, auth: 'sigv4' });
    client = new KMSClient({ endpoint: daemon.endpoint, region: 'eu-central-1', credentials: daemon.credentials, maxAttempts: 1 });
  });
  afterAll(async () => {
    client.destroy();
    await daemon.stop();
  });

  async function createKey(): Promise<{ keyId: string; arn: string }> {
    const { KeyMetadata } = await client.send(new CreateKeyCommand({}));
    return { keyId: KeyMetadata?.KeyId ?? '', arn: KeyMetadata?.Arn ?? '' };
  }

  it('creates a key and describes it as AWS KMS does', async () => {
    const created = await client.send(new CreateKeyCommand({ Description: 'orders', Tags: [{ TagKey: 'team', TagValue: 'red' }] }));
    const metadata = created.KeyMetadata;
    expect(metadata).toMatchObject({
      AWSAccountId: daemon.credentials.account,
      CustomerMasterKeySpec: 'SYMMETRIC_DEFAULT',
      Description: 'orders',
      Enabled: true,
      EncryptionAlgorithms: ['SYMMETRIC_DEFAULT'],
      KeyManager: 'CUSTOMER',
      KeySpec: 'SYMMETRIC_DEFAULT',
      KeyState: 'Enabled',
      KeyUsage: 'ENCRYPT_DECRYPT',
      MultiRegion: false,
      Origin: 'AWS_KMS',
    });
    expect(metadata?.KeyId).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    expect(metadata?.Arn).toBe(`arn:aws:kms:eu-central-1:${daemon.credentials.account}:key/${metadata?.KeyId}`);
    expect(metadata?.CurrentKeyMaterialId).toMatch(/^[0-9a-f]{64}$/);
    expect(metadata?.CreationDate).toBeInstanceOf(Date);
    const described = await client.send(new DescribeKeyCommand({ KeyId: metadata?.Arn }));
    expect(described.KeyMetadata).toEqual(metadata);
    expect((described.KeyMetadata as { ProtectionLevel?: string }).ProtectionLevel ?? (store === 'software' ? 'SOFTWARE' : 'HSM')).toBe(
      store === 'software' ? 'SOFTWARE' : 'HSM',
    );
  });

  it('round-trips plaintexts of 1 to 4,096 bytes with an encryption context, and names the material', async () => {
    const { keyId, arn } = await createKey();
    const context = { tenant: 'blue', größe: '☃', purpose: 'test' };
    for (const lengthBytes of [1, 31, 32, 1_024, 4_096]) {
      const plaintext = randomBytes(lengthBytes);
      const encrypted = await client.send(new EncryptCommand({ KeyId: keyId, Plaintext: plaintext, EncryptionContext: context }));
      expect(encrypted).toMatchObject({ KeyId: arn, EncryptionAlgorithm: 'SYMMETRIC_DEFAULT' });
      expect(encrypted.CiphertextBlob?.length ?? Infinity).toBeLessThanOrEqual(6_144);
      const decrypted = await client.send(
        new DecryptCommand({
          CiphertextBlob: encrypted.CiphertextBlob,
          EncryptionContext: { purpose: 'test', größe: '☃', tenant: 'blue' },
        }),
      );
      expect(Buffer.from(decrypted.Plaintext ?? [])).toEqual(plaintext);
      expect(decrypted).toMatchObject({ KeyId: arn, EncryptionAlgorithm: 'SYMMETRIC_DEFAULT' });
      expect(decrypted.KeyMaterialId).toMatch(/^[0-9a-f]{64}$/);
    }
  });

  it('refuses a wrong encryption context and an altered ciphertext with InvalidCiphertextException and no message', async () => {
    const { keyId } = await createKey();
    const { CiphertextBlob } = await client.send(
      new EncryptCommand({ KeyId: keyId, Plaintext: randomBytes(32), EncryptionContext: { a: 'bc' } }),
    );
    await expect(client.send(new DecryptCommand({ CiphertextBlob, EncryptionContext: { ab: 'c' } }))).rejects.toMatchObject({
      name: 'InvalidCiphertextException',
      $metadata: { httpStatusCode: 400 },
    });
    const altered = Buffer.from(CiphertextBlob ?? []);
    altered[altered.length - 20] = (altered[altered.length - 20] ?? 0) ^ 0x80;
    await expect(client.send(new DecryptCommand({ CiphertextBlob: altered, EncryptionContext: { a: 'bc' } }))).rejects.toMatchObject({
      name: 'InvalidCiphertextException',
    });
  });

  it('makes data keys whose plaintext is what Decrypt returns', async () => {
    const { keyId, arn } = await createKey();
    const dataKey = await client.send(new GenerateDataKeyCommand({ KeyId: keyId, KeySpec: 'AES_256', EncryptionContext: { volume: '7' } }));
    expect(dataKey.Plaintext?.length).toBe(32);
    expect(dataKey.KeyId).toBe(arn);
    const opened = await client.send(new DecryptCommand({ CiphertextBlob: dataKey.CiphertextBlob, EncryptionContext: { volume: '7' } }));
    expect(opened.Plaintext).toEqual(dataKey.Plaintext);
    expect(opened.KeyMaterialId).toBe(dataKey.KeyMaterialId);
    const blind = await client.send(new GenerateDataKeyWithoutPlaintextCommand({ KeyId: keyId, NumberOfBytes: 64 }));
    const blindOpened = await client.send(new DecryptCommand({ CiphertextBlob: blind.CiphertextBlob }));
    expect(blindOpened.Plaintext?.length).toBe(64);
    await expect(client.send(new GenerateDataKeyCommand({ KeyId: keyId }))).rejects.toMatchObject({ name: 'ValidationException' });
  });

  it('re-encrypts from one key to another without showing the plaintext', async () => {
    const [from, to] = [await createKey(), await createKey()];
    const plaintext = randomBytes(100);
    const { CiphertextBlob } = await client.send(
      new EncryptCommand({ KeyId: from.keyId, Plaintext: plaintext, EncryptionContext: { v: '1' } }),
    );
    const again = await client.send(
      new ReEncryptCommand({
        CiphertextBlob,
        SourceEncryptionContext: { v: '1' },
        DestinationKeyId: to.arn,
        DestinationEncryptionContext: { v: '2' },
      }),
    );
    expect(again).toMatchObject({ SourceKeyId: from.arn, KeyId: to.arn });
    const opened = await client.send(
      new DecryptCommand({ KeyId: to.keyId, CiphertextBlob: again.CiphertextBlob, EncryptionContext: { v: '2' } }),
    );
    expect(Buffer.from(opened.Plaintext ?? [])).toEqual(plaintext);
    await expect(
      client.send(new DecryptCommand({ KeyId: from.keyId, CiphertextBlob: again.CiphertextBlob, EncryptionContext: { v: '2' } })),
    ).rejects.toMatchObject({ name: 'IncorrectKeyException' });
  });

  it('answers GenerateRandom with fresh bytes of the length asked for', async () => {
    const [first, second] = [
      await client.send(new GenerateRandomCommand({ NumberOfBytes: 1_024 })),
      await client.send(new GenerateRandomCommand({ NumberOfBytes: 1_024 })),
    ];
    expect(first.Plaintext?.length).toBe(1_024);
    expect(first.Plaintext).not.toEqual(second.Plaintext);
  });

  it('keeps aliases: creates, lists, repoints, deletes, and encrypts through them', async () => {
    const [one, two] = [await createKey(), await createKey()];
    const name = `alias/sdk-${randomBytes(4).toString('hex')}`;
    await client.send(new CreateAliasCommand({ AliasName: name, TargetKeyId: one.keyId }));
    await expect(client.send(new CreateAliasCommand({ AliasName: name, TargetKeyId: two.keyId }))).rejects.toMatchObject({
      name: 'AlreadyExistsException',
    });
    const blob = await client.send(new EncryptCommand({ KeyId: name, Plaintext: Buffer.from('x') }));
    expect(blob.KeyId).toBe(one.arn);
    await client.send(new UpdateAliasCommand({ AliasName: name, TargetKeyId: two.keyId }));
    const listed = await client.send(new ListAliasesCommand({ KeyId: two.keyId }));
    expect(listed.Aliases?.map((alias) => [alias.AliasName, alias.TargetKeyId])).toEqual([[name, two.keyId]]);
    await client.send(new DeleteAliasCommand({ AliasName: name }));
    await expect(client.send(new EncryptCommand({ KeyId: name, Plaintext: Buffer.from('x') }))).rejects.toMatchObject({
      name: 'NotFoundException',
    });
  });

  it('pages through keys without losing or repeating one', async () => {
    const made = new Set<string>();
    for (let index = 0; index < 5; index += 1) made.add((await createKey()).keyId);
    const seen: string[] = [];
    let marker: string | undefined;
    do {
      const page = await client.send(new ListKeysCommand({ Limit: 2, Marker: marker }));
      seen.push(...(page.Keys ?? []).map((key) => key.KeyId ?? ''));
      expect(page.NextMarker !== undefined).toBe(page.Truncated);
      marker = page.NextMarker;
    } while (marker !== undefined);
    expect(new Set(seen).size).toBe(seen.length);
    for (const keyId of made) expect(seen).toContain(keyId);
  });

  it('honours key states, descriptions, tags and deletion windows', async () => {
    const { keyId, arn } = await createKey();
    await client.send(new UpdateKeyDescriptionCommand({ KeyId: keyId, Description: 'new words' }));
    await client.send(
      new TagResourceCommand({
        KeyId: keyId,
        Tags: [
          { TagKey: 'a', TagValue: '1' },
          { TagKey: 'b', TagValue: '' },
        ],
      }),
    );
    await client.send(new UntagResourceCommand({ KeyId: keyId, TagKeys: ['a', 'absent'] }));
    expect((await client.send(new ListResourceTagsCommand({ KeyId: keyId }))).Tags).toEqual([{ TagKey: 'b', TagValue: '' }]);
    const { CiphertextBlob } = await client.send(new EncryptCommand({ KeyId: keyId, Plaintext: Buffer.from('kept') }));
    await client.send(new DisableKeyCommand({ KeyId: keyId }));
    await expect(client.send(new DecryptCommand({ CiphertextBlob }))).rejects.toMatchObject({
      name: 'DisabledException',
      message: `${arn} is disabled.`,
    });
    await client.send(new EnableKeyCommand({ KeyId: keyId }));
    const scheduled = await client.send(new ScheduleKeyDeletionCommand({ KeyId: keyId, PendingWindowInDays: 7 }));
    expect(scheduled).toMatchObject({ KeyId: arn, KeyState: 'PendingDeletion', PendingWindowInDays: 7 });
    await expect(client.send(new DecryptCommand({ CiphertextBlob }))).rejects.toMatchObject({ name: 'KMSInvalidStateException' });
    expect((await client.send(new CancelKeyDeletionCommand({ KeyId: keyId }))).KeyId).toBe(arn);
    await client.send(new EnableKeyCommand({ KeyId: keyId }));
    const opened = await client.send(new DecryptCommand({ CiphertextBlob }));
    expect(Buffer.from(opened.Plaintext ?? []).toString()).toBe('kept');
    const { KeyMetadata } = await client.send(new DescribeKeyCommand({ KeyId: keyId }));
    expect(KeyMetadata?.Description).toBe('new words');
  });

  it('answers a dry run of what would succeed with DryRunOperationException', async () => {
    const { keyId } = await createKey();
    await expect(client.send(new EncryptCommand({ KeyId: keyId, Plaintext: Buffer.from('x'), DryRun: true }))).rejects.toMatchObject({
      name: 'DryRunOperationException',
      message: 'The request would have succeeded, but the DryRun option is set.',
    });
  });

  it('keeps keys and ciphertexts over a restart and over kill -9', async () => {
    const { keyId } = await createKey();
    const plaintext = randomBytes(64);
    const { CiphertextBlob } = await client.send(new EncryptCommand({ KeyId: keyId, Plaintext: plaintext }));
    for (const end of ['stop', 'kill'] as const) {
      await daemon.restart(end);
      client.destroy();
      client = new KMSClient({ endpoint: daemon.endpoint, region: 'eu-central-1', credentials: daemon.credentials, maxAttempts: 1 });
      const opened = await client.send(new DecryptCommand({ CiphertextBlob }));
      expect(Buffer.from(opened.Plaintext ?? [])).toEqual(plaintext);
    }
  });
});

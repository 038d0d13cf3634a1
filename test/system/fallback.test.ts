/** A token beside a software store: what the token cannot hold goes there only where the configuration says so, and says SOFTWARE. */
import { CreateKeyCommand, EncryptCommand, DecryptCommand, KMSClient, SignCommand, VerifyCommand } from '@aws-sdk/client-kms';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startDaemon, type ConfigText, type RunningDaemon } from '../support/daemon.ts';

/** Two Regions on one token; the first may fall back to a software store whose root key the token keeps. */
function withFallback(config: ConfigText): void {
  const [token] = config.tokens as [{ name: string }];
  const [{ name: keyStore }] = config.keyStores as [{ name: string }];
  config.keyStores.push({ kind: 'software', name: 'soft', rootKey: { token: token.name } });
  config.regions = [
    { region: 'us-east-1', keyStore, fallback: 'unsupported', fallbackKeyStore: 'soft' },
    { region: 'eu-west-1', keyStore },
  ];
}

function hardwareOnly(config: ConfigText): void {
  withFallback(config);
  config['hardwareOnly'] = true;
}

describe('a SoftHSM token with a software fallback', () => {
  let daemon: RunningDaemon;
  let clients: Record<'us-east-1' | 'eu-west-1', KMSClient>;

  beforeAll(async () => {
    daemon = await startDaemon({ store: 'softhsm', auth: 'sigv4', configure: withFallback });
    const clientOf = (region: string): KMSClient =>
      new KMSClient({ endpoint: daemon.endpoint, region, credentials: daemon.credentials, maxAttempts: 1 });
    clients = { 'us-east-1': clientOf('us-east-1'), 'eu-west-1': clientOf('eu-west-1') };
  });
  afterAll(async () => {
    for (const client of Object.values(clients)) client.destroy();
    await daemon.stop();
  });

  /** As an operator sees it; the SDK drops the member of DescribeKey that is not of the model. */
  async function protectionOf(keyId: string | undefined): Promise<unknown> {
    const { stdout } = await daemon.cli('keys', 'show', keyId ?? '', '--json');
    return (JSON.parse(stdout) as [{ protection: string }])[0].protection;
  }

  const signing = { KeySpec: 'ML_DSA_65', KeyUsage: 'SIGN_VERIFY' } as const;

  it('keeps what the token can hold in the token', async () => {
    const { KeyMetadata } = await clients['us-east-1'].send(new CreateKeyCommand({}));
    expect(KeyMetadata?.KeyState).toBe('Enabled');
    expect(await protectionOf(KeyMetadata?.KeyId)).toBe('HSM');
  });

  it('serves the other specs in software, says so everywhere, and after a restart too', async () => {
    const client = clients['us-east-1'];
    const { KeyMetadata } = await client.send(new CreateKeyCommand(signing));
    expect(KeyMetadata?.KeySpec).toBe('ML_DSA_65');
    await daemon.restart('kill');
    const use = { KeyId: KeyMetadata?.KeyId, Message: Buffer.from('message'), SigningAlgorithm: 'ML_DSA_SHAKE_256' } as const;
    const { Signature } = await client.send(new SignCommand(use));
    expect((await client.send(new VerifyCommand({ ...use, Signature }))).SignatureValid).toBe(true);
    expect(await protectionOf(use.KeyId)).toBe('SOFTWARE');
    const { stdout } = await daemon.cli('keys', 'list');
    expect(stdout).toMatch(new RegExp(`${use.KeyId}.*SOFTWARE`));
  });

  it('refuses them in a Region without a fallback, with the reason', async () => {
    const refused = clients['eu-west-1'].send(new CreateKeyCommand(signing));
    await expect(refused).rejects.toMatchObject({
      name: 'UnsupportedOperationException',
      message: expect.stringContaining('ML_DSA_65') as string,
    });
  });

  it('uses keys of both stores side by side', async () => {
    const client = clients['eu-west-1'];
    const { KeyMetadata } = await client.send(new CreateKeyCommand({}));
    const { CiphertextBlob } = await client.send(new EncryptCommand({ KeyId: KeyMetadata?.KeyId, Plaintext: Buffer.from('both') }));
    expect(Buffer.from((await client.send(new DecryptCommand({ CiphertextBlob }))).Plaintext ?? []).toString()).toBe('both');
  });
});

describe('hardwareOnly', () => {
  it('does not start with a software store', async () => {
    await expect(startDaemon({ store: 'softhsm', auth: 'sigv4', configure: hardwareOnly })).rejects.toThrow(
      'hardwareOnly: forbids keys in software',
    );
  });
});

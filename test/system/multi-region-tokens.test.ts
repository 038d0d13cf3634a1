/** Multi-Region keys through the AWS SDK: a daemon of two Regions on two SoftHSM tokens, which an operator has led through the ceremony. */
import {
  CreateKeyCommand,
  DecryptCommand,
  DescribeKeyCommand,
  EncryptCommand,
  KMSClient,
  ReplicateKeyCommand,
  RotateKeyOnDemandCommand,
  ScheduleKeyDeletionCommand,
  SignCommand,
  UpdatePrimaryRegionCommand,
  VerifyCommand,
} from '@aws-sdk/client-kms';
import type { CreateKeyCommandInput, KeyMetadata } from '@aws-sdk/client-kms';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse, stringify } from 'yaml';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { startDaemon, type ConfigText, type RunningDaemon } from '../support/daemon.ts';
import { provisionSoftHsm } from '../support/softhsm.ts';

const [home, far] = ['eu-central-1', 'us-east-1'] as const;
const names = ['eu', 'us'] as const;
const [first, second] = names.map((name) => provisionSoftHsm(name));
const provisioned = [first, second].filter((token) => token !== undefined);
const clients = new Map<string, KMSClient>();
let daemon: RunningDaemon;

const clientOf = (region: string): KMSClient => {
  const client =
    clients.get(region) ?? new KMSClient({ endpoint: daemon.endpoint, region, credentials: daemon.credentials, maxAttempts: 1 });
  clients.set(region, client);
  return client;
};
const describeIn = async (region: string, KeyId: string): Promise<KeyMetadata | undefined> =>
  (await clientOf(region).send(new DescribeKeyCommand({ KeyId }))).KeyMetadata;
const enabledIn = (region: string, KeyId: string): Promise<void> =>
  vi.waitFor(async () => expect(await describeIn(region, KeyId)).toMatchObject({ KeyState: 'Enabled' }), { timeout: 10_000 });

function pinFiles(folder: string): void {
  for (const { label, pin, soPin } of provisioned) {
    pin.expose((bytes) => writeFileSync(join(folder, `${label}-pin`), bytes, { mode: 0o600 }));
    soPin.expose((bytes) => writeFileSync(join(folder, `${label}-so-pin`), bytes, { mode: 0o600 }));
  }
}

function twoTokens(config: ConfigText, folder: string): void {
  pinFiles(folder);
  config.tokens = provisioned.map(({ label, environment }) => ({
    name: label,
    profile: 'softhsm',
    label,
    pin: { file: join(folder, `${label}-pin`) },
    environment,
  }));
  config.keyStores = names.map((name) => ({ kind: 'pkcs11', name, token: name }));
  config.regions = [
    { region: home, keyStore: 'eu' },
    { region: far, keyStore: 'us' },
  ];
  config['anyRegion'] = false;
}

/** What the operators do: lead both tokens through the ceremony, and set the pins. */
async function ceremony(): Promise<void> {
  const files = names.map((name) => join(daemon.dataDirectory, `${name}-so-pin`));
  const { code, stdout, stderr } = await daemon.cli('token', 'transport', '--json', '--so-pin-file', ...files);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  const { fingerprint } = JSON.parse(stdout) as { fingerprint: string };
  const file = join(daemon.dataDirectory, 'config.yaml');
  const config = parse(readFileSync(file, 'utf8')) as ConfigText;
  for (const store of config.keyStores) {
    const others = names.filter((name) => name !== store['name']);
    store['transport'] = { pins: others.map((keyStore) => ({ keyStore, fingerprint })) };
  }
  writeFileSync(file, stringify(config));
  await daemon.restart('stop');
}

async function replicated(input: CreateKeyCommandInput = {}): Promise<string> {
  const { KeyMetadata } = await clientOf(home).send(new CreateKeyCommand({ ...input, MultiRegion: true }));
  const KeyId = KeyMetadata?.KeyId ?? '';
  await clientOf(home).send(new ReplicateKeyCommand({ KeyId, ReplicaRegion: far }));
  await enabledIn(far, KeyId);
  return KeyId;
}

async function opens(KeyId: string, from: string, to: string): Promise<void> {
  const Plaintext = Buffer.from(`from ${from}`);
  const { CiphertextBlob } = await clientOf(from).send(new EncryptCommand({ KeyId, Plaintext }));
  const opened = await clientOf(to).send(new DecryptCommand({ CiphertextBlob }));
  expect(Buffer.from(opened.Plaintext ?? [])).toEqual(Plaintext);
}

beforeAll(async () => {
  daemon = await startDaemon({ store: 'software', auth: 'sigv4', configure: twoTokens });
});
afterAll(async () => {
  for (const client of clients.values()) client.destroy();
  await daemon?.stop();
  for (const token of provisioned) token.remove();
});

test('no multi-Region key is made before the ceremony, and the refusal says what to do', async () => {
  const creation = clientOf(home).send(new CreateKeyCommand({ MultiRegion: true }));
  await expect(creation).rejects.toMatchObject({
    name: 'UnsupportedOperationException',
    message: expect.stringContaining('hsm-kms token transport') as string,
  });
  await ceremony();
});

test('ciphertexts of either token open in the other, after a rotation and after the primary has moved', async () => {
  const KeyId = await replicated();
  await opens(KeyId, home, far);
  await opens(KeyId, far, home);
  const { CiphertextBlob: old } = await clientOf(home).send(new EncryptCommand({ KeyId, Plaintext: Buffer.from('old') }));
  await clientOf(home).send(new RotateKeyOnDemandCommand({ KeyId }));
  expect((await describeIn(far, KeyId))?.CurrentKeyMaterialId).toBe((await describeIn(home, KeyId))?.CurrentKeyMaterialId);
  await opens(KeyId, home, far);
  await clientOf(home).send(new UpdatePrimaryRegionCommand({ KeyId, PrimaryRegion: far }));
  await enabledIn(far, KeyId);
  await enabledIn(home, KeyId);
  await clientOf(far).send(new RotateKeyOnDemandCommand({ KeyId }));
  await opens(KeyId, far, home);
  await daemon.restart('kill');
  const { Plaintext } = await clientOf(far).send(new DecryptCommand({ CiphertextBlob: old }));
  expect(Buffer.from(Plaintext ?? []).toString()).toBe('old');
  expect(await clientOf(home).send(new ScheduleKeyDeletionCommand({ KeyId }))).toMatchObject({ KeyState: 'PendingDeletion' });
  await opens(KeyId, far, far);
});

test.each([
  ['ECC_NIST_P256', 'ECDSA_SHA_256'],
  ['RSA_2048', 'RSASSA_PSS_SHA_256'],
] as const)('what %s signs in one token is verified in the other, whose signatures are as good', async (KeySpec, SigningAlgorithm) => {
  const KeyId = await replicated({ KeySpec, KeyUsage: 'SIGN_VERIFY' });
  const Message = Buffer.from('message');
  for (const [from, to] of [
    [home, far],
    [far, home],
  ] as const) {
    const { Signature } = await clientOf(from).send(new SignCommand({ KeyId, Message, SigningAlgorithm }));
    const verified = await clientOf(to).send(new VerifyCommand({ KeyId, Message, SigningAlgorithm, Signature }));
    expect(verified.SignatureValid).toBe(true);
  }
});

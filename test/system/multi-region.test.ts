/** Multi-Region keys through the AWS SDK: a daemon of two Regions on two software key stores that an operator has pinned to each other. */
import {
  CreateKeyCommand,
  DecryptCommand,
  DescribeKeyCommand,
  EncryptCommand,
  KMSClient,
  ReplicateKeyCommand,
  RotateKeyOnDemandCommand,
  ScheduleKeyDeletionCommand,
  UpdatePrimaryRegionCommand,
} from '@aws-sdk/client-kms';
import type { KeyMetadata } from '@aws-sdk/client-kms';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { parse, stringify } from 'yaml';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { startDaemon, type ConfigText, type RunningDaemon } from '../support/daemon.ts';

const [home, far] = ['eu-central-1', 'us-east-1'] as const;
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

function twoStores(config: ConfigText): void {
  config.keyStores = ['eu', 'us'].map((name) => ({ kind: 'software', name, rootKey: { file: `${name}.key` } }));
  config.regions = [
    { region: home, keyStore: 'eu' },
    { region: far, keyStore: 'us' },
  ];
  config['anyRegion'] = false;
}

/** What the operator does: compare the fingerprints and set the pins. */
async function pinEachOther(): Promise<void> {
  const { stdout } = await daemon.cli('keys', 'transport', '--json');
  const keys = JSON.parse(stdout) as { keyStore: string; fingerprint: string }[];
  const file = join(daemon.dataDirectory, 'config.yaml');
  const config = parse(readFileSync(file, 'utf8')) as ConfigText;
  for (const store of config.keyStores) {
    store['transport'] = {
      pins: keys.filter(({ keyStore }) => keyStore !== store['name']).map(({ keyStore, fingerprint }) => ({ keyStore, fingerprint })),
    };
  }
  writeFileSync(file, stringify(config));
  await daemon.restart('stop');
}

beforeAll(async () => {
  daemon = await startDaemon({ store: 'software', auth: 'sigv4', configure: twoStores });
});
afterAll(async () => {
  for (const client of clients.values()) client.destroy();
  await daemon?.stop();
});

test('a key is replicated only once the stores are pinned, and outlives a crash right after', async () => {
  const { KeyMetadata: key } = await clientOf(home).send(new CreateKeyCommand({ MultiRegion: true }));
  const KeyId = key?.KeyId ?? '';
  const replicate = new ReplicateKeyCommand({ KeyId, ReplicaRegion: far });
  await expect(clientOf(home).send(replicate)).rejects.toMatchObject({ name: 'UnsupportedOperationException' });
  await pinEachOther();
  const { CiphertextBlob } = await clientOf(home).send(new EncryptCommand({ KeyId, Plaintext: Buffer.from('across') }));
  const { ReplicaKeyMetadata: replica } = await clientOf(home).send(replicate);
  expect(replica).toMatchObject({ KeyState: 'Creating', Enabled: false });
  await daemon.restart('kill');
  expect(await describeIn(far, KeyId)).toMatchObject({ KeyState: 'Enabled', MultiRegionConfiguration: { MultiRegionKeyType: 'REPLICA' } });
  const { Plaintext } = await clientOf(far).send(new DecryptCommand({ CiphertextBlob }));
  expect(Buffer.from(Plaintext ?? []).toString()).toBe('across');

  await clientOf(home).send(new RotateKeyOnDemandCommand({ KeyId }));
  expect((await describeIn(far, KeyId))?.CurrentKeyMaterialId).toBe((await describeIn(home, KeyId))?.CurrentKeyMaterialId);
  await clientOf(home).send(new UpdatePrimaryRegionCommand({ KeyId, PrimaryRegion: far }));
  await vi.waitFor(async () => expect(await describeIn(far, KeyId)).toMatchObject({ KeyState: 'Enabled' }), { timeout: 10_000 });
  expect(await describeIn(far, KeyId)).toMatchObject({ MultiRegionConfiguration: { MultiRegionKeyType: 'PRIMARY' } });
  const scheduled = await clientOf(far).send(new ScheduleKeyDeletionCommand({ KeyId }));
  expect(scheduled).toMatchObject({ KeyState: 'PendingReplicaDeletion', PendingWindowInDays: 30 });
  await vi.waitFor(async () => expect(await describeIn(home, KeyId)).toMatchObject({ KeyState: 'Enabled' }), { timeout: 10_000 });
  const ofReplica = await clientOf(home).send(new ScheduleKeyDeletionCommand({ KeyId }));
  expect(ofReplica).toMatchObject({ KeyState: 'PendingDeletion' });
});

test('a replication that a crash interrupts has happened with all materials, or not at all', { timeout: 300_000 }, async () => {
  const { KeyMetadata: key } = await clientOf(home).send(new CreateKeyCommand({ MultiRegion: true }));
  const KeyId = key?.KeyId ?? '';
  const made: (Uint8Array | undefined)[] = [];
  for (let material = 0; material < 8; material += 1) {
    if (material > 0) await clientOf(home).send(new RotateKeyOnDemandCommand({ KeyId }));
    made.push((await clientOf(home).send(new EncryptCommand({ KeyId, Plaintext: Buffer.from('kept') }))).CiphertextBlob);
  }
  const replicate = (): Promise<unknown> => clientOf(home).send(new ReplicateKeyCommand({ KeyId, ReplicaRegion: far }));
  for (const afterMs of [2, 8, 15, 25, 40]) {
    const asked = replicate().catch((error: unknown) => error);
    await setTimeout(afterMs);
    await daemon.restart('kill');
    await asked;
    const replica = await describeIn(far, KeyId).catch((error: { name: string }) => error.name);
    if (replica !== 'NotFoundException') break;
  }
  await replicate().catch((error: unknown) => expect(error).toMatchObject({ name: 'AlreadyExistsException' }));
  await vi.waitFor(async () => expect(await describeIn(far, KeyId)).toMatchObject({ KeyState: 'Enabled' }), { timeout: 10_000 });
  for (const CiphertextBlob of made) {
    const { Plaintext } = await clientOf(far).send(new DecryptCommand({ CiphertextBlob }));
    expect(Buffer.from(Plaintext ?? []).toString()).toBe('kept');
  }
});

test('keys transport shows what it can, and says of each other store why not', async () => {
  const file = join(daemon.dataDirectory, 'config.yaml');
  const text = readFileSync(file, 'utf8');
  const config = parse(text) as ConfigText;
  writeFileSync(join(daemon.dataDirectory, 'broken.key'), 'no root key', { mode: 0o600 });
  config.tokens = [{ name: 'main', module: '/nowhere/module.so', label: 'kms', pin: { env: 'NO_PIN' } }];
  config.keyStores.push({ kind: 'software', name: 'broken', rootKey: { file: 'broken.key' } });
  config.keyStores.push({ kind: 'software', name: 'sealed', rootKey: { token: 'main' } });
  try {
    writeFileSync(file, stringify(config));
    const { code, stdout, stderr } = await daemon.cli('keys', 'transport', '--json');
    expect([code, (JSON.parse(stdout) as { keyStore: string }[]).map(({ keyStore }) => keyStore)]).toEqual([0, ['eu', 'us']]);
    expect(stderr).toMatch(/the transport key of broken is not shown: .+/);
    expect(stderr).toMatch(/the transport key of sealed is not shown: its root key is in a token/);
  } finally {
    writeFileSync(file, text);
  }
});

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

/** Every operation of the API by clients of three makers and years, counted against the model that each came with. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { apiOperations } from '../../src/api/model.ts';
import { configureCluster, newCluster } from '../support/cluster.ts';
import { startDaemon, type ConfigText, type RunningDaemon } from '../support/daemon.ts';
import { storyOperations, tellStory } from '../support/every-operation.ts';
import { boto3Client, cliClient, sdkClient } from '../support/kms-clients.ts';
import type { ClientSettings, KmsClient } from '../support/kms-clients.ts';

const cluster = newCluster();

/** Two Regions, and a cluster for the account of the daemon's access key. */
function twoRegions(config: ConfigText, folder: string): void {
  const [{ keyStore }] = config.regions as [{ keyStore: string }];
  config.regions = ['us-east-1', 'eu-west-1'].map((region) => ({ region, keyStore }));
  configureCluster(config, folder, cluster, 'us-east-1');
}

const clients: readonly [name: string, operations: number, open: (settings: ClientSettings) => KmsClient | Promise<KmsClient>][] = [
  ['the AWS SDK for JavaScript', 56, sdkClient],
  ['boto3 of Debian', 50, boto3Client],
  ['the AWS CLI of Debian', 50, cliClient],
];

/** The same over one token; what it cannot hold goes to a software store. */
function twoRegionsOfToken(config: ConfigText, folder: string): void {
  const [store] = config.keyStores as [{ name: string; import?: string }];
  const [{ name: token }] = config.tokens as [{ name: string }];
  store.import = 'via-software';
  config.keyStores.push({ kind: 'software', name: 'soft', rootKey: { token } });
  twoRegions(config, folder);
  config.regions = config.regions.map((region) => ({ ...region, fallback: 'unsupported', fallbackKeyStore: 'soft' }));
}

describe('every operation', () => {
  let daemon: RunningDaemon;

  beforeAll(async () => {
    daemon = await startDaemon({ store: 'software', auth: 'sigv4', configure: twoRegions });
  });
  afterAll(async () => {
    await daemon.stop();
  });

  it('is in the story', () => {
    expect(storyOperations.toSorted()).toEqual([...apiOperations.keys()].toSorted());
  });

  it.each(clients)('is performed by %s, as far as it knows them', async (_name, operations, open) => {
    const { account, ...credentials } = daemon.credentials;
    const client = await open({ endpoint: daemon.endpoint, region: 'us-east-1', ...credentials });
    try {
      const told = await tellStory(client, { account, region: 'us-east-1', replicaRegion: 'eu-west-1', cluster });
      expect(told.toSorted()).toEqual(client.operations.toSorted());
      expect(told).toHaveLength(operations);
    } finally {
      client.close();
    }
  });
});

describe('every operation over a token', () => {
  let daemon: RunningDaemon;

  beforeAll(async () => {
    daemon = await startDaemon({ store: 'softhsm', auth: 'sigv4', configure: twoRegionsOfToken });
  });
  afterAll(async () => {
    await daemon.stop();
  });

  it('is performed by the AWS SDK for JavaScript, with its keys in the token', async () => {
    const { account, ...credentials } = daemon.credentials;
    const client = sdkClient({ endpoint: daemon.endpoint, region: 'us-east-1', ...credentials });
    try {
      const told = await tellStory(client, { account, region: 'us-east-1', replicaRegion: 'eu-west-1', cluster });
      expect(told.toSorted()).toEqual(storyOperations.toSorted());
    } finally {
      client.close();
    }
    const { stdout } = await daemon.cli('keys', 'list', '--json');
    const keys = JSON.parse(stdout) as readonly { protection: string; multiRegion?: boolean }[];
    expect(keys.filter(({ protection }) => protection === 'HSM').length).toBeGreaterThan(keys.length / 2);
  });
});

/**
 * Grants, custom key stores and last uses through the newest AWS SDK for JavaScript, and over restarts: what was answered is still so, and
 * no secret of a custom key store is in a file or the log.
 */
import { randomBytes } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  ConnectCustomKeyStoreCommand,
  CreateCustomKeyStoreCommand,
  CreateGrantCommand,
  CreateKeyCommand,
  DecryptCommand,
  DeleteCustomKeyStoreCommand,
  DescribeCustomKeyStoresCommand,
  DescribeKeyCommand,
  DisconnectCustomKeyStoreCommand,
  EncryptCommand,
  GetKeyLastUsageCommand,
  KMSClient,
  ListGrantsCommand,
  ListRetirableGrantsCommand,
  paginateListGrants,
  RetireGrantCommand,
  RevokeGrantCommand,
} from '@aws-sdk/client-kms';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { configureCluster, newCluster } from '../support/cluster.ts';
import { startDaemon, type RunningDaemon } from '../support/daemon.ts';
import type { CreateKeyCommandInput, CustomKeyStoresListEntry } from '@aws-sdk/client-kms';

const region = 'eu-central-1';
const cluster = newCluster();
const { clusterId, password, trustAnchor } = cluster;

describe('the AWS SDK over a daemon that is restarted', () => {
  let daemon: RunningDaemon;
  let client: KMSClient;
  let bob: string;

  beforeAll(async () => {
    daemon = await startDaemon({
      store: 'software',
      auth: 'sigv4',
      configure: (config, folder) => configureCluster(config, folder, cluster, region),
    });
    client = new KMSClient({ endpoint: daemon.endpoint, region, credentials: daemon.credentials, maxAttempts: 1 });
    bob = `arn:aws:iam::${daemon.credentials.account}:user/bob`;
  });
  afterAll(async () => {
    client.destroy();
    await daemon.stop();
  });

  async function createKey(input: CreateKeyCommandInput = {}): Promise<string> {
    const { KeyMetadata } = await client.send(new CreateKeyCommand(input));
    return KeyMetadata?.Arn ?? '';
  }

  async function customKeyStore(CustomKeyStoreId: string | undefined): Promise<CustomKeyStoresListEntry | undefined> {
    return (await client.send(new DescribeCustomKeyStoresCommand({ CustomKeyStoreId }))).CustomKeyStores?.[0];
  }

  async function waitForState(CustomKeyStoreId: string | undefined, state: string): Promise<void> {
    await vi.waitFor(async () => expect((await customKeyStore(CustomKeyStoreId))?.ConnectionState).toBe(state), { timeout: 10_000 });
  }

  it('keeps grants, and takes their tokens, after a crash', async () => {
    const KeyId = await createKey();
    const input = { KeyId, GranteePrincipal: bob, RetiringPrincipal: bob, Operations: ['Encrypt' as const], Name: 'jobs' };
    const first = await client.send(new CreateGrantCommand(input));
    await daemon.restart('kill');
    const again = await client.send(new CreateGrantCommand(input));
    expect(again.GrantId).toBe(first.GrantId);
    const GrantTokens = [first.GrantToken ?? '', again.GrantToken ?? ''];
    await client.send(new EncryptCommand({ KeyId, Plaintext: randomBytes(8), GrantTokens }));
    const retirable = await client.send(new ListRetirableGrantsCommand({ RetiringPrincipal: bob }));
    expect(retirable.Grants?.map(({ GrantId }) => GrantId)).toEqual([first.GrantId]);
    await client.send(new RetireGrantCommand({ GrantToken: first.GrantToken }));
    await expect(client.send(new DescribeKeyCommand({ KeyId, GrantTokens }))).rejects.toMatchObject({ name: 'InvalidGrantTokenException' });
    await expect(client.send(new RevokeGrantCommand({ KeyId, GrantId: first.GrantId }))).rejects.toMatchObject({
      name: 'NotFoundException',
    });
  });

  it('lists 120 grants page by page, each once', async () => {
    const KeyId = await createKey();
    const grant = { KeyId, GranteePrincipal: bob, Operations: ['Decrypt' as const] };
    const made = await Promise.all(Array.from({ length: 120 }, () => client.send(new CreateGrantCommand(grant))));
    const listed: (string | undefined)[] = [];
    for await (const page of paginateListGrants({ client, pageSize: 50 }, { KeyId })) {
      listed.push(...(page.Grants ?? []).map(({ GrantId }) => GrantId));
    }
    expect(listed.length).toBe(120);
    expect(new Set(listed)).toEqual(new Set(made.map(({ GrantId }) => GrantId)));
    const dry = new RevokeGrantCommand({ KeyId, GrantId: listed[0], DryRun: true });
    await expect(client.send(dry)).rejects.toMatchObject({ name: 'DryRunOperationException' });
    expect((await client.send(new ListGrantsCommand({ KeyId, GrantId: listed[0] }))).Grants).toHaveLength(1);
  });

  it('remembers the last use of a key after an orderly end', async () => {
    const KeyId = await createKey();
    expect((await client.send(new GetKeyLastUsageCommand({ KeyId }))).KeyLastUsage).toEqual({});
    const used = await client.send(new EncryptCommand({ KeyId, Plaintext: randomBytes(8) }));
    const expected = { Operation: 'Encrypt', KmsRequestId: used.$metadata.requestId };
    expect((await client.send(new GetKeyLastUsageCommand({ KeyId }))).KeyLastUsage).toMatchObject(expected);
    await daemon.restart('stop');
    const told = await client.send(new GetKeyLastUsageCommand({ KeyId }));
    expect(told.KeyLastUsage).toMatchObject(expected);
    expect(told.KeyLastUsage?.Timestamp?.getTime()).toBeGreaterThanOrEqual(told.TrackingStartDate?.getTime() ?? Infinity);
    expect(KeyId).toContain(told.KeyId);
  });

  it('keeps a custom key store connected, and its keys in use, after a crash; its password is nowhere', async () => {
    const create = {
      CustomKeyStoreName: 'hsm',
      CloudHsmClusterId: clusterId,
      TrustAnchorCertificate: trustAnchor,
      KeyStorePassword: password,
    };
    const { CustomKeyStoreId } = await client.send(new CreateCustomKeyStoreCommand(create));
    const place = { Origin: 'AWS_CLOUDHSM', CustomKeyStoreId } as const;
    await expect(createKey(place)).rejects.toMatchObject({ name: 'CustomKeyStoreInvalidStateException' });
    await client.send(new ConnectCustomKeyStoreCommand({ CustomKeyStoreId }));
    await waitForState(CustomKeyStoreId, 'CONNECTED');
    const KeyId = await createKey(place);
    const { KeyMetadata } = await client.send(new DescribeKeyCommand({ KeyId }));
    expect(KeyMetadata).toMatchObject({ Origin: 'AWS_CLOUDHSM', CustomKeyStoreId, CloudHsmClusterId: clusterId, KeyState: 'Enabled' });
    const { CiphertextBlob } = await client.send(new EncryptCommand({ KeyId, Plaintext: Buffer.from('hello') }));
    await daemon.restart('kill');
    const { Plaintext } = await client.send(new DecryptCommand({ CiphertextBlob }));
    expect(Buffer.from(Plaintext ?? []).toString()).toBe('hello');
    await client.send(new DisconnectCustomKeyStoreCommand({ CustomKeyStoreId }));
    await waitForState(CustomKeyStoreId, 'DISCONNECTED');
    await expect(client.send(new DecryptCommand({ CiphertextBlob }))).rejects.toMatchObject({ name: 'KMSInvalidStateException' });
    expect((await client.send(new DescribeKeyCommand({ KeyId }))).KeyMetadata?.KeyState).toBe('Unavailable');
    await expect(client.send(new DeleteCustomKeyStoreCommand({ CustomKeyStoreId }))).rejects.toMatchObject({
      name: 'CustomKeyStoreHasCMKsException',
    });
    expect(filesWith(daemon.dataDirectory, password)).toEqual(['kmsuser']);
    expect(filesWith(daemon.dataDirectory, CustomKeyStoreId ?? '').length).toBeGreaterThan(0);
    expect(daemon.log()).not.toContain(password);
  });

  it('says why a custom key store cannot be connected', async () => {
    const proxy = {
      CustomKeyStoreName: 'external',
      CustomKeyStoreType: 'EXTERNAL_KEY_STORE',
      XksProxyUriEndpoint: 'https://proxy.example.com',
      XksProxyUriPath: '/kms/xks/v1',
      XksProxyAuthenticationCredential: { AccessKeyId: 'ABCDEFGHIJKLMNOPQRST', RawSecretAccessKey: randomBytes(40).toString('base64') },
    } as const;
    const open = new CreateCustomKeyStoreCommand({ ...proxy, XksProxyConnectivity: 'PUBLIC_ENDPOINT' });
    await expect(client.send(open)).rejects.toMatchObject({ name: 'XksProxyUriUnreachableException' });
    const XksProxyVpcEndpointServiceName = 'com.amazonaws.vpce.eu-central-1.vpce-svc-0123456789abcdef0';
    const inVpc = { ...proxy, XksProxyConnectivity: 'VPC_ENDPOINT_SERVICE', XksProxyVpcEndpointServiceName } as const;
    const { CustomKeyStoreId } = await client.send(new CreateCustomKeyStoreCommand(inVpc));
    await client.send(new ConnectCustomKeyStoreCommand({ CustomKeyStoreId }));
    await waitForState(CustomKeyStoreId, 'FAILED');
    expect((await customKeyStore(CustomKeyStoreId))?.ConnectionErrorCode).toBe('XKS_PROXY_NOT_REACHABLE');
    expect(filesWith(daemon.dataDirectory, proxy.XksProxyAuthenticationCredential.RawSecretAccessKey)).toEqual([]);
  });
});

/** Names of the files of a folder, of any depth, that hold the text. */
function filesWith(folder: string, text: string): readonly string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && readFileSync(join(entry.parentPath, entry.name)).includes(text))
    .map((entry) => entry.name);
}

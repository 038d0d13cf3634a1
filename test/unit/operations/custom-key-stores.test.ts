/** Custom key stores: what a request may say, and the states of a connection. */
import { describe, expect, test } from 'vitest';
import { KeyStoreError } from '../../../src/keystore/keystore.ts';
import { sweepConnections } from '../../../src/operations/custom-key-stores/connecting.ts';
import {
  ANCHOR,
  cluster,
  clusterId,
  holdProbes,
  openCustomKeyStoreFixture,
  PASSWORD,
  proxy,
  relatedId,
  unrelatedId,
} from '../../support/custom-key-store-fixture.ts';
import { account, refusal } from '../../support/kms-fixture.ts';

describe('CreateCustomKeyStore', () => {
  test('registers a cluster of the configuration, disconnected; its password is kept nowhere as it is', async () => {
    const { perform, store, clock } = openCustomKeyStoreFixture();
    const { CustomKeyStoreId } = await perform('CreateCustomKeyStore', cluster);
    expect(CustomKeyStoreId).toMatch(/^cks-[0-9a-f]{17}$/);
    expect(await perform('DescribeCustomKeyStores')).toEqual({
      CustomKeyStores: [
        {
          CustomKeyStoreId,
          CustomKeyStoreName: 'hsm',
          CloudHsmClusterId: clusterId,
          TrustAnchorCertificate: ANCHOR,
          ConnectionState: 'DISCONNECTED',
          CreationDate: new Date(clock.nowMs()),
          CustomKeyStoreType: 'AWS_CLOUDHSM',
        },
      ],
      Truncated: false,
    });
    const kept = JSON.stringify([...store.allItems('custom-key-store')]);
    expect(kept).toContain(CustomKeyStoreId);
    expect(kept).not.toContain(PASSWORD);
  });

  test('registers an external key manager behind a VPC endpoint service; its secret is not kept', async () => {
    const { perform, store } = openCustomKeyStoreFixture();
    const { CustomKeyStoreId } = await perform('CreateCustomKeyStore', proxy);
    const { CustomKeyStores } = await perform('DescribeCustomKeyStores', { CustomKeyStoreName: 'external' });
    expect(CustomKeyStores).toMatchObject([
      {
        CustomKeyStoreId,
        CustomKeyStoreType: 'EXTERNAL_KEY_STORE',
        XksProxyConfiguration: {
          AccessKeyId: 'ABCDEFGHIJKLMNOPQRST',
          Connectivity: 'VPC_ENDPOINT_SERVICE',
          UriEndpoint: 'https://proxy.example.com',
          UriPath: '/kms/xks/v1',
          VpcEndpointServiceName: proxy.XksProxyVpcEndpointServiceName,
          VpcEndpointServiceOwner: account,
        },
      },
    ]);
    expect(JSON.stringify([...store.allItems('custom-key-store')])).not.toContain('x'.repeat(43));
  });

  test('reaches no public endpoint, and says so', async () => {
    const { perform } = openCustomKeyStoreFixture();
    const { XksProxyVpcEndpointServiceName: _none, ...input } = { ...proxy, XksProxyConnectivity: 'PUBLIC_ENDPOINT' };
    await expect(perform('CreateCustomKeyStore', input)).rejects.toMatchObject({ code: 'XksProxyUriUnreachableException' });
    expect((await perform('DescribeCustomKeyStores')).CustomKeyStores).toEqual([]);
  });

  test.each([
    ['no cluster', { ...cluster, CloudHsmClusterId: undefined }, 'ValidationException'],
    ['no password', { ...cluster, KeyStorePassword: undefined }, 'ValidationException'],
    ['no trust anchor', { ...cluster, TrustAnchorCertificate: undefined }, 'ValidationException'],
    ['a cluster and a proxy', { ...cluster, XksProxyUriPath: '/kms/xks/v1' }, 'ValidationException'],
    ['a proxy without credential', { ...proxy, XksProxyAuthenticationCredential: undefined }, 'ValidationException'],
    ['a proxy and a password', { ...proxy, KeyStorePassword: PASSWORD }, 'ValidationException'],
    ['a VPC without its service', { ...proxy, XksProxyVpcEndpointServiceName: undefined }, 'ValidationException'],
    ['a public endpoint with a service', { ...proxy, XksProxyConnectivity: 'PUBLIC_ENDPOINT' }, 'ValidationException'],
    ['a short password', { ...cluster, KeyStorePassword: 'short' }, 'ValidationException'],
    ['an unknown cluster', { ...cluster, CloudHsmClusterId: 'cluster-zzzzzzzzzzz' }, 'CloudHsmClusterNotFoundException'],
    ['another trust anchor', { ...cluster, TrustAnchorCertificate: 'another' }, 'IncorrectTrustAnchorException'],
  ])('refuses %s', async (_name, input, code) => {
    const { perform } = openCustomKeyStoreFixture();
    const refused = await perform('CreateCustomKeyStore', input).catch((error: unknown) => error);
    expect(refused).toMatchObject({ code });
    expect((refused as Error).message).not.toContain('short');
  });

  test('refuses a cluster of another account or Region, and one whose key store is away or holds no symmetric keys', async () => {
    const { perform, keyStore } = openCustomKeyStoreFixture();
    const notFound = { code: 'CloudHsmClusterNotFoundException' };
    await expect(perform('CreateCustomKeyStore', cluster, { account: '999988887777' })).rejects.toMatchObject(notFound);
    await expect(perform('CreateCustomKeyStore', cluster, { region: 'us-east-1' })).rejects.toMatchObject(notFound);
    keyStore.state = 'unavailable';
    await expect(perform('CreateCustomKeyStore', cluster)).rejects.toMatchObject({ code: 'CloudHsmClusterNotActiveException' });
    keyStore.state = 'ready';
    const description = keyStore.describe();
    keyStore.describe = () => ({ ...description, suite: undefined });
    await expect(perform('CreateCustomKeyStore', cluster)).rejects.toMatchObject({ code: 'CloudHsmClusterInvalidConfigurationException' });
  });

  test('refuses what another custom key store of the account has, and the eleventh', async () => {
    const { perform } = openCustomKeyStoreFixture();
    await perform('CreateCustomKeyStore', cluster);
    await perform('CreateCustomKeyStore', proxy);
    const again = (changes: object): Promise<unknown> => perform('CreateCustomKeyStore', { ...proxy, CustomKeyStoreName: 'b', ...changes });
    const vpc = 'com.amazonaws.vpce.eu-central-1.vpce-svc-1123456789abcdef0';
    await expect(perform('CreateCustomKeyStore', { ...cluster, CustomKeyStoreName: 'b' })).rejects.toMatchObject({
      code: 'CloudHsmClusterInUseException',
    });
    await expect(again({ CustomKeyStoreName: 'hsm' })).rejects.toMatchObject({ code: 'CustomKeyStoreNameInUseException' });
    await expect(again({})).rejects.toMatchObject({ code: 'XksProxyUriInUseException' });
    await expect(again({ XksProxyUriPath: '/b/kms/xks/v1' })).rejects.toMatchObject({ code: 'XksProxyUriEndpointInUseException' });
    await expect(again({ XksProxyUriEndpoint: 'https://b.example.com' })).rejects.toMatchObject({
      code: 'XksProxyVpcEndpointServiceInUseException',
    });
    for (let made = 2; made < 10; made += 1) {
      const XksProxyVpcEndpointServiceName = `${vpc}${made}`;
      await again({ CustomKeyStoreName: `b${made}`, XksProxyUriEndpoint: `https://b${made}.example.com`, XksProxyVpcEndpointServiceName });
    }
    await expect(again({ XksProxyUriEndpoint: 'https://b.example.com', XksProxyVpcEndpointServiceName: vpc })).rejects.toMatchObject({
      code: 'LimitExceededException',
    });
    const first = await perform('DescribeCustomKeyStores', { Limit: 7 });
    const second = await perform('DescribeCustomKeyStores', { Limit: 7, Marker: first.NextMarker });
    expect([first.CustomKeyStores.length, first.Truncated, second.CustomKeyStores.length, second.Truncated]).toEqual([7, true, 3, false]);
    expect((await perform('DescribeCustomKeyStores', {}, { account: '999988887777' })).CustomKeyStores).toEqual([]);
  });

  test('of two requests for one name at the same time one comes through', async () => {
    const { perform } = openCustomKeyStoreFixture();
    const outcomes = await Promise.allSettled([perform('CreateCustomKeyStore', cluster), perform('CreateCustomKeyStore', cluster)]);
    expect(outcomes.map(({ status }) => status).toSorted()).toEqual(['fulfilled', 'rejected']);
  });
});

describe('DescribeCustomKeyStores', () => {
  test('refuses an id or name that there is not, and both at once', async () => {
    const { perform } = openCustomKeyStoreFixture();
    const notFound = refusal('CustomKeyStoreNotFoundException', 'Custom key store cks-1 does not exist.');
    await expect(perform('DescribeCustomKeyStores', { CustomKeyStoreId: 'cks-1' })).rejects.toMatchObject(notFound);
    await expect(perform('DescribeCustomKeyStores', { CustomKeyStoreName: 'cks-1' })).rejects.toMatchObject(notFound);
    const both = perform('DescribeCustomKeyStores', { CustomKeyStoreId: 'cks-1', CustomKeyStoreName: 'cks-1' });
    await expect(both).rejects.toMatchObject({ code: 'ValidationException' });
  });
});

describe('a connection', () => {
  test('is CONNECTING when the request is answered, and CONNECTED once the key store has shown that it works', async () => {
    const { perform, keyStore, settled } = openCustomKeyStoreFixture();
    const { CustomKeyStoreId } = await perform('CreateCustomKeyStore', cluster);
    const { begun, proceed } = holdProbes(keyStore);
    expect(await perform('ConnectCustomKeyStore', { CustomKeyStoreId })).toEqual({});
    expect((await perform('DescribeCustomKeyStores')).CustomKeyStores[0].ConnectionState).toBe('CONNECTING');
    expect(await perform('ConnectCustomKeyStore', { CustomKeyStoreId })).toEqual({});
    await begun;
    proceed();
    expect(await settled(CustomKeyStoreId)).toMatchObject({ ConnectionState: 'CONNECTED' });
    expect(await perform('ConnectCustomKeyStore', { CustomKeyStoreId })).toEqual({});
  });

  test.each([
    [new KeyStoreError('unavailable', 'away'), 'INSUFFICIENT_CLOUDHSM_HSMS'],
    [new KeyStoreError('timeout', 'slow'), 'NETWORK_ERRORS'],
    [new Error('bug'), 'INTERNAL_ERROR'],
  ])('that fails (%s) says why, and is disconnected before it is tried again', async (error, code) => {
    const { perform, keyStore, settled } = openCustomKeyStoreFixture();
    const { CustomKeyStoreId } = await perform('CreateCustomKeyStore', cluster);
    const probe = keyStore.probe.bind(keyStore);
    keyStore.probe = async () => Promise.reject(error);
    await perform('ConnectCustomKeyStore', { CustomKeyStoreId });
    expect(await settled(CustomKeyStoreId)).toMatchObject({ ConnectionState: 'FAILED', ConnectionErrorCode: code });
    const refused = { code: 'CustomKeyStoreInvalidStateException' };
    await expect(perform('ConnectCustomKeyStore', { CustomKeyStoreId })).rejects.toMatchObject(refused);
    await expect(perform('DeleteCustomKeyStore', { CustomKeyStoreId })).rejects.toMatchObject(refused);
    await expect(perform('UpdateCustomKeyStore', { CustomKeyStoreId, NewCustomKeyStoreName: 'b' })).rejects.toMatchObject(refused);
    await perform('DisconnectCustomKeyStore', { CustomKeyStoreId });
    const disconnected = await settled(CustomKeyStoreId);
    expect([disconnected.ConnectionState, 'ConnectionErrorCode' in disconnected]).toEqual(['DISCONNECTED', false]);
    keyStore.probe = probe;
    await perform('ConnectCustomKeyStore', { CustomKeyStoreId });
    expect(await settled(CustomKeyStoreId)).toMatchObject({ ConnectionState: 'CONNECTED' });
  });

  test('with a wrong password fails until the password is updated', async () => {
    const { perform, settled } = openCustomKeyStoreFixture();
    const { CustomKeyStoreId } = await perform('CreateCustomKeyStore', { ...cluster, KeyStorePassword: 'another one' });
    await perform('ConnectCustomKeyStore', { CustomKeyStoreId });
    expect(await settled(CustomKeyStoreId)).toMatchObject({ ConnectionState: 'FAILED', ConnectionErrorCode: 'INVALID_CREDENTIALS' });
    await perform('DisconnectCustomKeyStore', { CustomKeyStoreId });
    await settled(CustomKeyStoreId);
    await perform('UpdateCustomKeyStore', { CustomKeyStoreId, KeyStorePassword: PASSWORD });
    await perform('ConnectCustomKeyStore', { CustomKeyStoreId });
    expect(await settled(CustomKeyStoreId)).toMatchObject({ ConnectionState: 'CONNECTED' });
  });

  test('of an external key store fails, because no proxy is reached', async () => {
    const { perform, settled } = openCustomKeyStoreFixture();
    const { CustomKeyStoreId } = await perform('CreateCustomKeyStore', proxy);
    await perform('ConnectCustomKeyStore', { CustomKeyStoreId });
    expect(await settled(CustomKeyStoreId)).toMatchObject({ ConnectionState: 'FAILED', ConnectionErrorCode: 'XKS_PROXY_NOT_REACHABLE' });
  });

  test('that a restart interrupted is finished by the sweeps, in both directions', async () => {
    const { perform, parts, store, connected, settled } = openCustomKeyStoreFixture();
    const CustomKeyStoreId = await connected();
    for (const [under, after] of [
      ['DISCONNECTING', 'DISCONNECTED'],
      ['CONNECTING', 'CONNECTED'],
    ] as const) {
      const [item] = store.allItems('custom-key-store');
      const value = { ...(item!.value as object), version: item!.version + 1, connection: { state: under } };
      await store.commit([{ kind: 'put-item', record: { ...item!, version: item!.version + 1, value }, replacesVersion: item!.version }]);
      expect((await perform('DescribeCustomKeyStores')).CustomKeyStores[0].ConnectionState).toBe(under);
      await sweepConnections(parts);
      expect(await settled(CustomKeyStoreId)).toMatchObject({ ConnectionState: after });
    }
  });

  test('that finishes after it was broken off changes nothing', async () => {
    const { perform, keyStore, settled } = openCustomKeyStoreFixture();
    const { CustomKeyStoreId } = await perform('CreateCustomKeyStore', cluster);
    const { begun, proceed } = holdProbes(keyStore);
    await perform('ConnectCustomKeyStore', { CustomKeyStoreId });
    await begun;
    await perform('DisconnectCustomKeyStore', { CustomKeyStoreId });
    await settled(CustomKeyStoreId);
    proceed();
    await new Promise((resolve) => setImmediate(resolve));
    expect(await settled(CustomKeyStoreId)).toMatchObject({ ConnectionState: 'DISCONNECTED' });
    await expect(perform('DisconnectCustomKeyStore', { CustomKeyStoreId })).rejects.toMatchObject({
      code: 'CustomKeyStoreInvalidStateException',
    });
  });
});

describe('UpdateCustomKeyStore', () => {
  test('changes the name while connected, everything else while disconnected, and the cluster only for a related one', async () => {
    const { perform, connected, settled } = openCustomKeyStoreFixture();
    const CustomKeyStoreId = await connected();
    await perform('UpdateCustomKeyStore', { CustomKeyStoreId, NewCustomKeyStoreName: 'renamed' });
    const wrongState = { code: 'CustomKeyStoreInvalidStateException' };
    for (const change of [{ KeyStorePassword: PASSWORD }, { CloudHsmClusterId: relatedId }]) {
      await expect(perform('UpdateCustomKeyStore', { CustomKeyStoreId, ...change })).rejects.toMatchObject(wrongState);
    }
    await perform('DisconnectCustomKeyStore', { CustomKeyStoreId });
    await settled(CustomKeyStoreId);
    await expect(perform('UpdateCustomKeyStore', { CustomKeyStoreId, CloudHsmClusterId: unrelatedId })).rejects.toMatchObject({
      code: 'CloudHsmClusterNotRelatedException',
    });
    await expect(perform('UpdateCustomKeyStore', { CustomKeyStoreId, XksProxyUriPath: '/kms/xks/v1' })).rejects.toMatchObject({
      code: 'ValidationException',
    });
    expect(await perform('UpdateCustomKeyStore', { CustomKeyStoreId, CloudHsmClusterId: relatedId })).toEqual({});
    expect(await settled(CustomKeyStoreId)).toMatchObject({ CustomKeyStoreName: 'renamed', CloudHsmClusterId: relatedId });
  });

  test('moves a proxy; a public endpoint is not reached', async () => {
    const { perform, settled } = openCustomKeyStoreFixture();
    const { CustomKeyStoreId } = await perform('CreateCustomKeyStore', proxy);
    await perform('UpdateCustomKeyStore', {
      CustomKeyStoreId,
      XksProxyUriPath: '/b/kms/xks/v1',
      XksProxyVpcEndpointServiceOwner: '999988887777',
    });
    expect(await settled(CustomKeyStoreId)).toMatchObject({
      XksProxyConfiguration: {
        UriPath: '/b/kms/xks/v1',
        UriEndpoint: 'https://proxy.example.com',
        VpcEndpointServiceOwner: '999988887777',
      },
    });
    const change = (input: object): Promise<unknown> => perform('UpdateCustomKeyStore', { CustomKeyStoreId, ...input });
    await expect(change({ XksProxyConnectivity: 'PUBLIC_ENDPOINT' })).rejects.toMatchObject({ code: 'ValidationException' });
    await expect(change({ XksProxyConnectivity: 'PUBLIC_ENDPOINT', XksProxyUriEndpoint: 'https://b.example.com' })).rejects.toMatchObject({
      code: 'XksProxyUriUnreachableException',
    });
    await expect(change({ KeyStorePassword: PASSWORD })).rejects.toMatchObject({ code: 'ValidationException' });
  });
});

/** Chapters of custom key stores. */
import { randomBytes } from 'node:crypto';
import { expect } from 'vitest';
import { refusalOf, settled } from './chapter.ts';
import type { Ask, Chapter, Made } from './chapter.ts';
import type { Members } from '../kms-clients.ts';

export const customKeyStores: readonly Chapter[] = [
  [
    'CreateCustomKeyStore',
    async (ask, made, { cluster }) => {
      const CustomKeyStoreName = `every-${Buffer.from(randomBytes(4)).toString('hex')}`;
      const input = {
        CustomKeyStoreName,
        CloudHsmClusterId: cluster.clusterId,
        TrustAnchorCertificate: cluster.trustAnchor,
        KeyStorePassword: cluster.password,
      };
      made['storeId'] = (await ask('CreateCustomKeyStore', input))['CustomKeyStoreId'];
    },
  ],
  [
    'DescribeCustomKeyStores',
    async (ask, made) => {
      expect(await connectionState(ask, made)).toBe('DISCONNECTED');
    },
  ],
  [
    'UpdateCustomKeyStore',
    async (ask, made) => {
      await ask('UpdateCustomKeyStore', {
        CustomKeyStoreId: made['storeId'],
        NewCustomKeyStoreName: `renamed-${made['storeId'] as string}`,
      });
    },
  ],
  [
    'ConnectCustomKeyStore',
    async (ask, made) => {
      await ask('ConnectCustomKeyStore', { CustomKeyStoreId: made['storeId'] });
      await settled(async () => expect(await connectionState(ask, made)).toBe('CONNECTED'));
    },
  ],
  [
    'DisconnectCustomKeyStore',
    async (ask, made) => {
      await ask('DisconnectCustomKeyStore', { CustomKeyStoreId: made['storeId'] });
      await settled(async () => expect(await connectionState(ask, made)).toBe('DISCONNECTED'));
    },
  ],
  [
    'DeleteCustomKeyStore',
    async (ask, made) => {
      await ask('DeleteCustomKeyStore', { CustomKeyStoreId: made['storeId'] });
      expect(await refusalOf(connectionState(ask, made))).toBe('CustomKeyStoreNotFoundException');
    },
  ],
];

async function connectionState(ask: Ask, made: Made): Promise<unknown> {
  const { CustomKeyStores } = (await ask('DescribeCustomKeyStores', { CustomKeyStoreId: made['storeId'] })) as {
    CustomKeyStores: Members[];
  };
  return CustomKeyStores[0]?.['ConnectionState'];
}

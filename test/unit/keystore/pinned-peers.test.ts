/** Which key stores exchange materials: those that an operator has pinned, with that key, of the same protection. */
import { describe, expect, test } from 'vitest';
import { pinnedPeers, transportFingerprint, transportsMaterial } from '../../../src/keystore/pinned-peers.ts';
import { FakeKeyStore } from '../../support/fake-key-store.ts';
import { TransportingFakeKeyStore } from '../../support/transporting-fake-key-store.ts';
import type { ProtectionLevel } from '../../../src/keys/key-record.ts';
import type { KeyStore, MaterialTransport } from '../../../src/keystore/keystore.ts';

const self = { name: 'eu', protection: 'HSM' as ProtectionLevel };
const peer = new TransportingFakeKeyStore('us');
const publicKey = Buffer.from('us');
const pinOf = (keyStore: string, key = publicKey): { keyStore: string; fingerprint: string } => ({
  keyStore,
  fingerprint: transportFingerprint(key),
});
const among =
  (...stores: readonly KeyStore[]) =>
  (name: string): KeyStore | undefined =>
    stores.find((store) => store.name === name);

describe('the peers of a key store', () => {
  test('are those that are pinned: the key is what the store says, when that is what the pin says', async () => {
    expect(await pinnedPeers(self, [pinOf('us')], among(peer)).publicKeyOf('us')).toEqual(publicKey);
  });

  test.each([
    ['without a pin of it', [], among(peer), 'has no pin for it'],
    ['with a pin of another store only', [pinOf('ap')], among(peer), 'has no pin for it'],
    ['that is not open', [pinOf('us')], among(), 'exchanges no key material'],
    ['that has no transport', [pinOf('us')], among(new FakeKeyStore('us')), 'exchanges no key material'],
    ['with another key than the pinned one', [pinOf('us', Buffer.from('former'))], among(peer), 'is not the one that is pinned'],
    [
      'of another protection',
      [pinOf('us')],
      among(new TransportingFakeKeyStore('us', 'SOFTWARE')),
      'does not move between eu (HSM) and us (SOFTWARE)',
    ],
  ])('are none %s', async (_what, pins, find, reason) => {
    await expect(pinnedPeers(self, pins, find).publicKeyOf('us')).rejects.toMatchObject({
      kind: 'refused',
      message: expect.stringContaining(reason),
    });
  });

  test('are asked for their key every time: one that came by another key is refused from then on', async () => {
    const changing = new TransportingFakeKeyStore('us');
    const peers = pinnedPeers(self, [pinOf('us')], among(changing));
    expect(await peers.publicKeyOf('us')).toEqual(publicKey);
    changing.transportPublicKey = async () => Buffer.from('another');
    await expect(peers.publicKeyOf('us')).rejects.toMatchObject({ kind: 'refused' });
  });
});

test('a fingerprint is SHA-256 in lower-case hexadecimal', () => {
  expect(transportFingerprint(Buffer.from('abc'))).toBe('ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad');
});

test('a key store transports materials when it can do all of it', () => {
  expect([transportsMaterial(peer), transportsMaterial(new FakeKeyStore() as KeyStore)]).toEqual([true, false]);
  const sendsOnly = Object.assign(new TransportingFakeKeyStore('us'), { receiveTransported: undefined });
  expect(transportsMaterial(sendsOnly as Partial<MaterialTransport>)).toBe(false);
});

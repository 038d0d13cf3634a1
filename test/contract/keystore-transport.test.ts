/** What every pair of key stores that exchange materials promises. */
import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { isSymmetricMaterial } from '../../src/keys/key-record.ts';
import type { KeyUsage } from '../../src/keys/key-record.ts';
import type { BoundKey, KeyStore, MaterialRequest, MaterialTransport } from '../../src/keystore/keystore.ts';
import { transportsMaterial } from '../../src/keystore/pinned-peers.ts';
import { openPkcs11KeyStore } from '../../src/keystore/pkcs11/key-store.ts';
import { transportKey, transportMacKey } from '../../src/token/templates.ts';
import { TRANSPORT_KEY_LABEL, TRANSPORT_MAC_KEY_LABEL } from '../../src/token/transport-keys.ts';
import { FakeToken } from '../support/fake-token.ts';
import { kindOf, newKey, noContext, openBlob, testParts } from '../support/key-store-parts.ts';
import { pinnedStores } from '../support/multi-region-fixture.ts';
import { hasSoftHsm } from '../support/softhsm.ts';
import { openTransportTokens } from '../support/transport-tokens.ts';

type TransportingStore = KeyStore & MaterialTransport;

interface Pair {
  readonly source: TransportingStore;
  readonly target: TransportingStore;
  close?(): Promise<void>;
}

const transporting = (store: KeyStore | undefined): TransportingStore => {
  if (store === undefined || !transportsMaterial(store)) throw new Error('no store that exchanges materials');
  return store;
};
const softwarePair = async (): Promise<Pair> => {
  const [source, target] = (await pinnedStores(['a', 'b'])).map(transporting);
  return { source: transporting(source), target: transporting(target) };
};
const sameStore = async (): Promise<Pair> => {
  const { source } = await softwarePair();
  return { source, target: source };
};
const onTokens =
  (labels: readonly string[], residency: 'token' | 'wrapped' = 'token') =>
  async (): Promise<Pair> => {
    const tokens = await openTransportTokens(labels, residency);
    const [source, target] = [tokens.stores[0], tokens.stores.at(-1)].map(transporting);
    return { source: transporting(source), target: transporting(target), close: () => tokens.close() };
  };
const onFakeToken = async (): Promise<Pair> => {
  const token = new FakeToken();
  token.install(transportKey({ id: randomBytes(16), label: TRANSPORT_KEY_LABEL }));
  token.install(transportMacKey({ id: randomBytes(16), label: TRANSPORT_MAC_KEY_LABEL }));
  const config = { name: 'fake', residency: 'token', suite: 'measured', custody: 'full' } as const;
  const source = transporting(await openPkcs11KeyStore(config, token, testParts()));
  return { source, target: source };
};
const pairs: readonly (readonly [name: string, open: () => Promise<Pair>])[] = [
  ['two software stores', softwarePair],
  ['one software store', sameStore],
  ['one fake token', onFakeToken],
  ...(hasSoftHsm()
    ? ([
        ['one SoftHSM token', onTokens(['one'])],
        ['two SoftHSM tokens', onTokens(['first', 'second'])],
        ['two SoftHSM tokens whose other keys are wrapped', onTokens(['third', 'fourth'], 'wrapped')],
      ] as const)
    : []),
];

function requestOf(keySpec = 'SYMMETRIC_DEFAULT', keyUsage: KeyUsage = 'ENCRYPT_DECRYPT', prefix = 'mrk-'): MaterialRequest {
  const key = { ...newKey(), keyId: prefix + randomBytes(16).toString('hex') };
  return { key, keySpec, keyUsage, objectId: randomBytes(16), multiRegion: true };
}

async function madeIn(store: KeyStore, request: MaterialRequest): Promise<BoundKey> {
  const { key, keySpec, keyUsage } = request;
  return { key: { ...key, keySpec, keyUsage }, material: await store.createMaterial(request) };
}

const mac = (store: KeyStore, key: BoundKey): Promise<Uint8Array> => store.mac(key, 'HMAC_SHA_256', Buffer.from('m'));

describe.each(pairs)('%s', (_name, open) => {
  let pair: Pair;
  beforeAll(async () => {
    pair = await open();
  });
  afterAll(async () => {
    await pair.close?.();
  });

  const move = async (request: MaterialRequest, bound: BoundKey): Promise<BoundKey> => {
    const { source, target } = pair;
    const wrapped = await source.wrapForTransport(bound, target.name);
    const there = { ...request, key: { ...request.key, region: 'us-east-1' }, objectId: randomBytes(16) };
    const material = await target.receiveTransported(there, { material: bound.material, wrapped, from: source.name });
    return { key: { ...bound.key, region: 'us-east-1' }, material };
  };

  it('exchange a symmetric material: same id, each opens what the other made', async () => {
    const request = requestOf();
    const bound = await madeIn(pair.source, request);
    const copy = await move(request, bound);
    expect(copy.material).toMatchObject({ materialId: bound.material.materialId, fingerprint: bound.material.fingerprint });
    expect(copy.material.keyStore).toBe(pair.target.name);
    expect(Buffer.from(copy.material.reference).equals(bound.material.reference)).toBe(false);
    const [here, there] = [bound, copy].map(({ key, material }) => {
      if (!isSymmetricMaterial(material)) throw new Error('not symmetric');
      return { key, material };
    });
    if (here === undefined || there === undefined) throw new Error('no material');
    const plaintext = Buffer.from('across');
    expect(Buffer.from(await openBlob(pair.target, there, await pair.source.encrypt(here, plaintext, noContext)))).toEqual(plaintext);
    expect(Buffer.from(await openBlob(pair.source, here, await pair.target.encrypt(there, plaintext, noContext)))).toEqual(plaintext);
  });

  it('exchange an HMAC key: the same message has the same MAC', async () => {
    const request = requestOf('HMAC_256', 'GENERATE_VERIFY_MAC');
    const bound = await madeIn(pair.source, request);
    const copy = await move(request, bound);
    expect(Buffer.from(await mac(pair.target, copy))).toEqual(Buffer.from(await mac(pair.source, bound)));
  });

  it('refuse materials of single-Region keys, and stores that are not pinned', async () => {
    const single = await madeIn(pair.source, requestOf('SYMMETRIC_DEFAULT', 'ENCRYPT_DECRYPT', ''));
    expect(await kindOf(pair.source.wrapForTransport(single, pair.target.name))).toBe('refused');
    const bound = await madeIn(pair.source, requestOf());
    expect(await kindOf(pair.source.wrapForTransport(bound, 'elsewhere'))).toBe('refused');
  });

  it('take in no changed byte, and nothing for another key, usage or material', async () => {
    const request = requestOf();
    const bound = await madeIn(pair.source, request);
    const wrapped = await pair.source.wrapForTransport(bound, pair.target.name);
    const { material } = bound;
    const from = pair.source.name;
    const changed = Uint8Array.from(wrapped, (byte, index) => (index === wrapped.length - 1 ? byte ^ 1 : byte));
    const other = await madeIn(pair.source, request);
    const received = (asked: MaterialRequest, sent: object): Promise<string> =>
      kindOf(pair.target.receiveTransported(asked, { material, wrapped, from, ...sent }));
    expect(await received(request, { wrapped: changed })).toBe('internal');
    expect(await received(requestOf(), {})).toBe('internal');
    expect(await received({ ...request, keyUsage: 'SIGN_VERIFY' }, {})).toBe('internal');
    expect(await received(request, { material: other.material })).toBe('internal');
    expect(await received(request, {})).toBe('no error');
  });
});

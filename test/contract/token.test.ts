/** What `Token` promises, on every token that runs here and in both placements. What differs between tokens is written down as data. */
import { createDecipheriv, randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Mechanism } from '../../src/token/mechanism.ts';
import { provisionWrappingKeys } from '../../src/token/service-keys.ts';
import type { ObjectNames } from '../../src/token/templates.ts';
import { epochKey, recordMacKey, tokenMaterial, unwrappedMaterial, wrappableMaterial, wrappingKey } from '../../src/token/templates.ts';
import { measureTheft } from '../../src/token/theft.ts';
import type { Capabilities, Token, TokenObject } from '../../src/token/token.ts';
import { silentLog } from '../../src/log.ts';
import { hasNss, provisionNss } from '../support/nss.ts';
import { BLOCK, copyOf, gcm, openProvisioned, outcome, roundTrip, sessionKey, tokenConfig } from '../support/opened-token.ts';
import type { OpenedToken } from '../support/opened-token.ts';
import { hasSoftHsm, provisionSoftHsm } from '../support/softhsm.ts';
import type { ProvisionedToken } from '../support/softhsm.ts';

/** Attributes that NSS cannot store with a token object, as its profile says. */
const NSS_OMITS = ['WRAP_WITH_TRUSTED', 'ALLOWED_MECHANISMS', 'COPYABLE', 'DESTROYABLE', 'UNWRAP_TEMPLATE'];

const common: Partial<Capabilities> = {
  aesGcm: true,
  gcmIvSource: 'supplied',
  aesKeyWrap: true,
  hmacSha256: true,
  aesCbc: true,
  sessionKeys: true,
  rsaOaepSha1: true,
  rsaPkcs1: true,
  rsaPss: ['SHA256', 'SHA384', 'SHA512'],
  rsaRawSign: true,
  rsaRawDecrypt: true,
  ecdh: ['prime256v1', 'secp384r1', 'secp521r1'],
  ed25519ph: false,
  hmac: ['SHA224', 'SHA256', 'SHA384', 'SHA512'],
};
const subjects = [
  {
    name: 'SoftHSM',
    present: hasSoftHsm(),
    provision: provisionSoftHsm,
    omitAttributes: [],
    capabilities: {
      ...common,
      keyDerivation: 'aes-cbc-encrypt-data',
      kwp: 'AES_KEY_WRAP_PAD',
      rsaOaepSha256: false,
      ecdsa: ['prime256v1', 'secp384r1', 'secp521r1', 'secp256k1'],
      ed25519: true,
      wrapsPrivate: ['RSA', 'EC'],
      honoursExtractable: true,
      honoursWrapWithTrusted: true,
      honoursUnwrapAttributes: true,
      enforcesUnwrapTemplate: true,
      copyKeepsCustody: true,
    },
    thefts: ['derive a readable key from a derive-only material'],
    trusted: true,
  },
  {
    name: 'NSS softokn',
    present: hasNss(),
    provision: provisionNss,
    omitAttributes: NSS_OMITS,
    capabilities: {
      ...common,
      keyDerivation: 'sp800-108-counter',
      kwp: 'AES_KEY_WRAP_KWP',
      rsaOaepSha256: true,
      ecdsa: ['prime256v1', 'secp384r1', 'secp521r1'],
      ed25519: false,
      wrapsPrivate: [],
      honoursExtractable: false,
      honoursWrapWithTrusted: false,
      honoursUnwrapAttributes: true,
      enforcesUnwrapTemplate: false,
      copyKeepsCustody: false,
    },
    thefts: [
      'wrap a derive-only material out under a key of the thief',
      'copy a derive-only material as EXTRACTABLE',
      'derive a readable key from a derive-only material',
      'wrap an encrypting material out under a key of the thief',
      'copy an encrypting material as EXTRACTABLE',
      'wrap a private key out under a key of the thief',
      'copy a private key as EXTRACTABLE',
      'wrap a material that is about to be exported out under a key of the thief',
      'unwrap an exported material as readable',
      'copy the wrapping key without its unwrap template',
    ],
    trusted: false,
  },
] as const;

function names(label: string): ObjectNames {
  return { id: randomBytes(16), label };
}

const cases = subjects.flatMap((subject) => (['process', 'none'] as const).map((isolation) => ({ ...subject, isolation })));

describe.each(cases)('a token ($name, isolation $isolation)', ({ present, provision, omitAttributes, isolation, capabilities }) => {
  let provisioned: ProvisionedToken;
  let opened: OpenedToken;
  let token: Token;

  beforeAll(async () => {
    if (!present) return;
    provisioned = provision();
    opened = await openProvisioned(provisioned, { isolation, omitAttributes });
    token = opened.token;
  });
  afterAll(async () => {
    if (!present) return;
    await token.close();
    provisioned.remove();
  });

  it.runIf(present)('is found by its label, logged in once, and measured', () => {
    expect(token.slot.label).toBe(provisioned.label);
    expect(opened.logins.count).toBe(1);
    expect(token.capabilities).toEqual(capabilities);
    expect(token.health).toBe('ready');
  });

  it.runIf(present)('leaves nothing behind of its measurements', async () => {
    expect(await token.findObjects({ TOKEN: true, CLASS: 'SECRET_KEY' }, [])).toEqual([]);
    expect(await token.findObjects({ CLASS: 'PRIVATE_KEY' }, [])).toEqual([]);
    expect(await token.findObjects({ CLASS: 'PUBLIC_KEY' }, [])).toEqual([]);
    // One session key stays: the one that the known-good operation uses.
    expect((await token.findObjects({ TOKEN: false, CLASS: 'SECRET_KEY' }, [])).length).toBe(1);
  });

  it.runIf(present)('names what is there when the token it wants is not', async () => {
    await expect(openProvisioned(provisioned, { isolation: 'process', label: 'nothing', omitAttributes })).rejects.toMatchObject({
      kind: 'device',
      message: expect.stringMatching(new RegExp(`no token with the label "nothing".*"${provisioned.label}"`)) as string,
    });
  });

  it.runIf(present)('generates a material with every usage flag as asked, and finds it again', async () => {
    const material = names('material');
    const { attributes } = await token.generateKey({ name: 'AES_KEY_GEN' }, tokenMaterial('derive', material, ['AES_CBC_ENCRYPT_DATA']), [
      'ID',
    ]);
    expect(attributes).toMatchObject({
      TOKEN: true,
      SENSITIVE: true,
      EXTRACTABLE: false,
      DERIVE: true,
      ENCRYPT: false,
      DECRYPT: false,
      WRAP: false,
      MODIFIABLE: false,
    });
    const found = await token.findObjects({ CLASS: 'SECRET_KEY', ID: material.id }, ['LABEL', 'VALUE']);
    expect(found.map((object) => object.attributes)).toEqual([{ LABEL: 'material' }]);
    const object = found[0]?.object as TokenObject;
    expect(await token.getAttributes(object, ['DERIVE', 'VALUE'])).toEqual({ DERIVE: true });
    await token.destroyObject(object);
    expect(await token.findObjects({ CLASS: 'SECRET_KEY', ID: material.id }, [])).toEqual([]);
  });

  it.runIf(present)('derives the same epoch key twice, as a session key that encrypts what software can check', async () => {
    const { object } = await token.generateKey({ name: 'AES_KEY_GEN' }, { ...tokenMaterial('derive', names('base')), TOKEN: false });
    const mechanism: Mechanism = { name: 'AES_CBC_ENCRYPT_DATA', iv: new Uint8Array(16), data: randomBytes(32) };
    const first = await token.deriveKey(mechanism, object, epochKey('epoch'));
    const second = await token.deriveKey(mechanism, object, epochKey('epoch'));
    const sealed = await token.encrypt(gcm(), first.object, BLOCK);
    expect(await token.decrypt(gcm(), second.object, sealed)).toEqual(BLOCK);
    // The known-answer side: the same with a key that may be read, which is made for this only.
    const readable = await token.deriveKey(mechanism, object, { ...epochKey('readable', []), SENSITIVE: false, EXTRACTABLE: true }, [
      'VALUE',
    ]);
    const software = createDecipheriv('aes-256-gcm', readable.attributes.VALUE as Uint8Array, new Uint8Array(12).fill(9));
    software.setAuthTag(sealed.subarray(-16));
    expect(Buffer.concat([software.update(sealed.subarray(0, -16)), software.final()])).toEqual(Buffer.from(BLOCK));
  });

  it.runIf(present)('wraps a material out under the wrapping key and brings it back as the same key', async () => {
    const kwp: Mechanism = { name: token.capabilities.kwp ?? 'AES_KEY_WRAP' };
    const wrapping = await token.generateKey({ name: 'AES_KEY_GEN' }, { ...wrappingKey(names('wrapping'), false), TOKEN: false });
    const extractable = { ...wrappableMaterial('encrypt', names('out')), WRAP_WITH_TRUSTED: false };
    const material = await token.generateKey({ name: 'AES_KEY_GEN' }, extractable);
    const wrapped = await token.wrapKey(kwp, wrapping.object, material.object);
    const back = await token.unwrapKey(kwp, wrapping.object, wrapped, unwrappedMaterial('encrypt', names('back')));
    expect(back.attributes).toMatchObject({ SENSITIVE: true, EXTRACTABLE: false, ENCRYPT: true, TOKEN: false });
    const sealed = await token.encrypt(gcm(), material.object, BLOCK);
    expect(await token.decrypt(gcm(), back.object, sealed)).toEqual(BLOCK);
    const corrupt = Uint8Array.from(wrapped, (byte, index) => (index === 3 ? byte ^ 1 : byte));
    const unwrapping = token.recovering(() => token.unwrapKey(kwp, wrapping.object, corrupt, unwrappedMaterial('encrypt', names('bad'))));
    expect(await outcome(unwrapping)).toBe('input');
  });

  it.runIf(present)('makes MACs, and random bytes in any number up to 65,536', async () => {
    const { object } = await token.generateKey({ name: 'GENERIC_SECRET_KEY_GEN' }, { ...recordMacKey(names('mac')), TOKEN: false });
    const mac = await token.sign({ name: 'SHA256_HMAC' }, object, BLOCK);
    expect(mac.length).toBe(32);
    expect(await token.sign({ name: 'SHA256_HMAC' }, object, BLOCK)).toEqual(mac);
    for (const length of [1, 1_024, 1_025, 65_536]) expect((await token.random(length)).length).toBe(length);
    expect(await outcome(token.random(0))).toBe('input');
    expect(await outcome(token.random(65_537))).toBe('input');
  });

  it.runIf(present)('refuses a handle of another epoch before any token work', async () => {
    const { object } = await sessionKey(token);
    for (const epoch of [
      { ...object.epoch, login: object.epoch.login - 1 },
      { ...object.epoch, generation: object.epoch.generation + 1 },
    ]) {
      const stale = { ...object, epoch };
      expect(token.isCurrent(stale)).toBe(false);
      for (const call of [
        token.encrypt(gcm(), stale, BLOCK),
        token.decrypt(gcm(), stale, BLOCK),
        token.sign({ name: 'SHA256_HMAC' }, stale, BLOCK),
        token.destroyObject(stale),
        token.getAttributes(stale, ['ENCRYPT']),
      ]) {
        await expect(call).rejects.toMatchObject({ kind: 'handle', returnValue: undefined });
      }
    }
  });

  it.runIf(present)('says that a usage flag forbids the call, and that data is wrong', async () => {
    const { object } = await token.generateKey({ name: 'AES_KEY_GEN' }, { ...tokenMaterial('derive', names('derive')), TOKEN: false });
    expect(await outcome(token.recovering(() => token.encrypt(gcm(), object, BLOCK)))).toBe('refused');
    const usable = await sessionKey(token);
    const sealed = Uint8Array.from(await token.encrypt(gcm(), usable.object, BLOCK));
    sealed[20] = (sealed[20] ?? 0) ^ 1;
    expect(await outcome(token.recovering(() => token.decrypt(gcm(), usable.object, sealed)))).toBe('input');
  });

  it.runIf(present)('comes back from a new login and from a new library, in this placement too', async () => {
    const door = opened.doors.at(-1);
    const control = { threads: 'slow', deadlineMs: 5_000 } as const;
    const { object } = await sessionKey(token);
    await door?.closeAllSessions(token.slot.slotId, control);
    await token.recovering(() => roundTrip(token));
    expect(token.isCurrent(object)).toBe(false);
    await door?.finalize(control);
    await token.recovering(() => roundTrip(token));
    expect(opened.doors.length).toBe(1);
  });

  it.runIf(present)('proves that it serves', async () => {
    await token.probe();
  });

  it.runIf(present)('keeps no PIN latch after a good login', () => {
    expect(existsSync(`${provisioned.directory}/pin-latch`)).toBe(false);
  });
});

/** These open a connection of their own beside the token in service, in a host of its own. */
describe.each(subjects)('a token that is set up and examined ($name)', ({ present, provision, omitAttributes, thefts, trusted }) => {
  let provisioned: ProvisionedToken;
  let opened: OpenedToken;

  beforeAll(async () => {
    if (!present) return;
    provisioned = provision();
    opened = await openProvisioned(provisioned, { omitAttributes });
  });
  afterAll(async () => {
    if (!present) return;
    await opened.token.close();
    provisioned.remove();
  });

  it.runIf(present)('gets its wrapping key and MAC key once, whoever asks how often', async () => {
    const parts = { log: silentLog, pin: copyOf(provisioned.pin), soPin: copyOf(provisioned.soPin), pinLatch: opened.latch };
    const config = tokenConfig(provisioned, { omitAttributes });
    const first = await provisionWrappingKeys(config, parts);
    expect(first.wrappingKey).toMatchObject({ label: 'hsm-kms wrapping key', created: true, trusted, unwrapTemplate: trusted });
    expect(first.recordMacKey).toMatchObject({ label: 'hsm-kms record mac key', created: true });
    expect(first.wrappingKey.id).toMatch(/^[0-9a-f]{32}$/);
    const second = await provisionWrappingKeys(config, parts);
    expect(second.wrappingKey).toEqual({ ...first.wrappingKey, created: false });
    expect(second.recordMacKey).toEqual({ ...first.recordMacKey, created: false });
    await opened.token.generateKey({ name: 'GENERIC_SECRET_KEY_GEN' }, recordMacKey(names('hsm-kms record mac key')));
    await expect(provisionWrappingKeys(config, parts)).rejects.toMatchObject({
      kind: 'refused',
      message: expect.stringContaining('2 keys') as string,
    });
  });

  it.runIf(present)('measures what a thief of the PIN could do, on keys of its own', async () => {
    const before = await opened.token.findObjects({ TOKEN: true }, []);
    const attempts = await measureTheft(tokenConfig(provisioned, { omitAttributes }), {
      log: silentLog,
      pin: copyOf(provisioned.pin),
      pinLatch: opened.latch,
    });
    expect(attempts.filter(({ succeeded }) => succeeded).map(({ attempt }) => attempt)).toEqual(thefts);
    expect(attempts.length).toBe(23);
    expect((await opened.token.findObjects({ TOKEN: true }, [])).length).toBe(before.length);
  });
});

/** Mechanism parameters and nested attributes reach the module as the standard lays them out: checked against node:crypto. */
import { createCipheriv, createHmac, createPublicKey, hkdfSync, publicEncrypt, randomBytes, constants, verify } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Cryptoki } from '../../src/token/cryptoki.ts';
import { openHostCryptoki } from '../../src/token/host/host-door.ts';
import type { Mechanism, Template } from '../../src/token/mechanism.ts';
import { AES_TEMPLATE, anchor, enter, fast } from '../support/cryptoki-doors.ts';
import { hasNss, provisionNss } from '../support/nss.ts';
import { hasSoftHsm, provisionSoftHsm } from '../support/softhsm.ts';
import type { ProvisionedToken } from '../support/softhsm.ts';

const READABLE: Template = { CLASS: 'SECRET_KEY', TOKEN: false, SENSITIVE: false, EXTRACTABLE: true };
const READABLE_SECRET: Template = { ...READABLE, KEY_TYPE: 'GENERIC_SECRET', VALUE_LEN: 32 };
const IMPORTED_AES: Template = { ...READABLE, KEY_TYPE: 'AES', ENCRYPT: true, DECRYPT: true, DERIVE: true, WRAP: true, UNWRAP: true };

const opened: { door: Cryptoki; token: ProvisionedToken }[] = [];
async function openToken(token: ProvisionedToken): Promise<Cryptoki> {
  const door = await openHostCryptoki({ environment: token.environment });
  opened.push({ door, token });
  await enter(door, token);
  return door;
}
afterAll(async () => {
  await Promise.all(opened.map(({ door }) => door.close(2000)));
  for (const { token } of opened) token.remove();
});

function ecb(key: Uint8Array, data: Uint8Array): Buffer {
  const cipher = createCipheriv('aes-256-ecb', key, null).setAutoPadding(false);
  return Buffer.concat([cipher.update(data), cipher.final()]);
}

async function rsaPair(door: Cryptoki) {
  return door.generateKeyPair(
    { name: 'RSA_PKCS_KEY_PAIR_GEN' },
    { TOKEN: false, ENCRYPT: true, VERIFY: true, MODULUS_BITS: 2048, PUBLIC_EXPONENT: Uint8Array.of(1, 0, 1) },
    { TOKEN: false, PRIVATE: true, SENSITIVE: true, EXTRACTABLE: false, DECRYPT: true, SIGN: true },
    ['MODULUS', 'PUBLIC_EXPONENT'],
    anchor,
  );
}

const base64url = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64url');
function publicKeyOf(attributes: Template) {
  return createPublicKey({
    key: { kty: 'RSA', n: base64url(attributes.MODULUS!), e: base64url(attributes.PUBLIC_EXPONENT!) },
    format: 'jwk',
  });
}

describe.each([
  { name: 'SoftHSM', present: hasSoftHsm(), provision: provisionSoftHsm },
  { name: 'NSS softokn', present: hasNss(), provision: provisionNss },
])('with $name', ({ present, provision }) => {
  let door: Cryptoki;
  beforeAll(async () => {
    if (present) door = await openToken(provision());
  });

  test.skipIf(!present)('AES in CTR, CBC and GCM mode gives what node gives', async () => {
    const value = randomBytes(32);
    const key = (await door.createObject({ ...IMPORTED_AES, VALUE: value }, [], anchor)).handle;
    const iv = randomBytes(16);
    const data = randomBytes(48);
    const counter: Mechanism = { name: 'AES_CTR', counterBlock: iv, counterBits: 128 };
    expect(Buffer.from(await door.encrypt(counter, key, data, fast))).toEqual(createCipheriv('aes-256-ctr', value, iv).update(data));
    expect(Buffer.from(await door.encrypt({ name: 'AES_CBC', iv }, key, data, fast))).toEqual(
      createCipheriv('aes-256-cbc', value, iv).update(data),
    );
    const gcm = createCipheriv('aes-256-gcm', value, iv.subarray(0, 12)).setAAD(data);
    const sealed = Buffer.concat([gcm.update(data), gcm.final(), gcm.getAuthTag()]);
    const mechanism: Mechanism = { name: 'AES_GCM', iv: iv.subarray(0, 12), aad: data, tagBits: 128, ivSource: 'supplied' };
    expect(Buffer.from(await door.encrypt(mechanism, key, data, fast))).toEqual(sealed);
  });

  test.skipIf(!present)('AES_ECB_ENCRYPT_DATA and AES_CBC_ENCRYPT_DATA derive what AES makes of the data', async () => {
    const value = randomBytes(32);
    const key = (await door.createObject({ ...IMPORTED_AES, VALUE: value }, [], anchor)).handle;
    const data = randomBytes(32);
    const iv = randomBytes(16);
    const derived = await door.deriveKey({ name: 'AES_CBC_ENCRYPT_DATA', iv, data }, key, READABLE_SECRET, ['VALUE'], anchor);
    expect(Buffer.from(derived.attributes.VALUE!)).toEqual(createCipheriv('aes-256-cbc', value, iv).update(data));
    const plain = await door.deriveKey({ name: 'AES_ECB_ENCRYPT_DATA', data }, key, READABLE_SECRET, ['VALUE'], anchor);
    expect(Buffer.from(plain.attributes.VALUE!)).toEqual(ecb(value, data));
  });

  test.skipIf(!present)('RSA: PSS signatures verify and OAEP opens what node sealed', async () => {
    const pair = await rsaPair(door);
    expect(pair.publicKey.attributes.MODULUS).toHaveLength(256);
    const key = publicKeyOf(pair.publicKey.attributes);
    const data = randomBytes(100);
    const signature = await door.sign({ name: 'SHA256_RSA_PKCS_PSS', hash: 'SHA256', saltBytes: 32 }, pair.privateKey.handle, data, fast);
    expect(verify('sha256', data, { key, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: 32 }, signature)).toBe(true);
    const sealed = publicEncrypt({ key, padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash: 'sha1' }, data);
    expect(Buffer.from(await door.decrypt({ name: 'RSA_PKCS_OAEP', hash: 'SHA_1' }, pair.privateKey.handle, sealed, fast))).toEqual(data);
  });

  test.skipIf(!present)('an HMAC is that of node', async () => {
    const value = randomBytes(32);
    const key = await door.createObject({ ...READABLE, KEY_TYPE: 'GENERIC_SECRET', SIGN: true, VALUE: value }, [], anchor);
    const mac = await door.sign({ name: 'SHA256_HMAC' }, key.handle, Buffer.from('data'), fast);
    expect(Buffer.from(mac)).toEqual(createHmac('sha256', value).update('data').digest());
  });
});

describe('with SoftHSM', () => {
  const present = hasSoftHsm();
  let door: Cryptoki;
  beforeAll(async () => {
    if (present) door = await openToken(provisionSoftHsm());
  });

  test.skipIf(!present)('templates and mechanism lists inside a template are stored, read back and enforced', async () => {
    const made = await door.generateKey(
      { name: 'AES_KEY_GEN' },
      { ...AES_TEMPLATE, ALLOWED_MECHANISMS: ['AES_KEY_WRAP_PAD'], UNWRAP_TEMPLATE: { SENSITIVE: true, EXTRACTABLE: false } },
      ['ALLOWED_MECHANISMS', 'UNWRAP_TEMPLATE', 'WRAP_TEMPLATE'],
      anchor,
    );
    expect(made.attributes.ALLOWED_MECHANISMS).toEqual(['AES_KEY_WRAP_PAD']);
    expect(made.attributes.UNWRAP_TEMPLATE).toEqual({ SENSITIVE: true, EXTRACTABLE: false });
    const gcm: Mechanism = { name: 'AES_GCM', iv: new Uint8Array(12), aad: new Uint8Array(0), tagBits: 128, ivSource: 'supplied' };
    await expect(door.encrypt(gcm, made.handle, new Uint8Array(4), fast)).rejects.toThrow(/CKR_MECHANISM_INVALID/);
  });

  test.skipIf(!present)('Ed25519 signatures verify', async () => {
    const pair = await door.generateKeyPair(
      { name: 'EC_EDWARDS_KEY_PAIR_GEN' },
      { KEY_TYPE: 'EC_EDWARDS', TOKEN: false, VERIFY: true, EC_PARAMS: Buffer.from('06032b6570', 'hex') },
      { KEY_TYPE: 'EC_EDWARDS', TOKEN: false, PRIVATE: true, SENSITIVE: true, EXTRACTABLE: false, SIGN: true },
      ['EC_POINT', 'KEY_TYPE'],
      anchor,
    );
    expect(pair.publicKey.attributes.KEY_TYPE).toBe('EC_EDWARDS');
    const point = pair.publicKey.attributes.EC_POINT!;
    const key = createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x: base64url(point.subarray(point.length - 32)) }, format: 'jwk' });
    const signature = await door.sign({ name: 'EDDSA' }, pair.privateKey.handle, Buffer.from('data'), fast);
    expect(verify(null, Buffer.from('data'), key, signature)).toBe(true);
  });

  test.skipIf(!present)('an operation that fails does not stay active on the session of its thread', async () => {
    const key = await door.generateKey({ name: 'AES_KEY_GEN' }, AES_TEMPLATE, [], anchor);
    const gcm: Mechanism = { name: 'AES_GCM', iv: new Uint8Array(12), aad: new Uint8Array(0), tagBits: 128, ivSource: 'supplied' };
    for (const options of [fast, anchor]) {
      await expect(door.decrypt(gcm, key.handle, new Uint8Array(20), options)).rejects.toThrow(/C_Decrypt/);
      await expect(door.encrypt({ name: 'AES_CBC', iv: new Uint8Array(16) }, key.handle, new Uint8Array(5), options)).rejects.toThrow(
        /C_Encrypt/,
      );
      for (let round = 0; round < 4; round++) expect(await door.encrypt(gcm, key.handle, new Uint8Array(4), options)).toHaveLength(20);
    }
  });

  test.skipIf(!present)('empty data is passed as an empty buffer, not as none', async () => {
    const key = await door.generateKey({ name: 'AES_KEY_GEN' }, AES_TEMPLATE, [], anchor);
    const gcm: Mechanism = { name: 'AES_GCM', iv: new Uint8Array(12), aad: Buffer.from('aad'), tagBits: 128, ivSource: 'supplied' };
    const tag = await door.encrypt(gcm, key.handle, new Uint8Array(0), fast);
    expect(tag).toHaveLength(16);
    expect(await door.decrypt(gcm, key.handle, tag, fast)).toHaveLength(0);
  });
});

describe('with NSS softokn', () => {
  const present = hasNss();
  let door: Cryptoki;
  beforeAll(async () => {
    if (present) door = await openToken(provisionNss());
  });

  test.skipIf(!present)('HKDF with salt and info gives what node gives', async () => {
    const value = randomBytes(32);
    const salt = randomBytes(16);
    const info = Buffer.from('purpose');
    const base = await door.createObject({ ...READABLE, KEY_TYPE: 'GENERIC_SECRET', DERIVE: true, VALUE: value }, [], anchor);
    const mechanism: Mechanism = { name: 'HKDF_DERIVE', hash: 'SHA256', extract: true, expand: true, salt, info };
    const derived = await door.deriveKey(mechanism, base.handle, READABLE_SECRET, ['VALUE'], anchor);
    expect(Buffer.from(derived.attributes.VALUE!)).toEqual(Buffer.from(hkdfSync('sha256', value, salt, info, 32)));
  });

  test.skipIf(!present)('SP800-108 in counter mode gives HMAC over counter and fixed input', async () => {
    const value = randomBytes(32);
    const fixedInput = randomBytes(40);
    const base = await door.createObject({ ...READABLE, KEY_TYPE: 'GENERIC_SECRET', DERIVE: true, SIGN: true, VALUE: value }, [], anchor);
    const mechanism: Mechanism = { name: 'SP800_108_COUNTER_KDF', prf: 'SHA256_HMAC', counterBits: 32, fixedInput };
    const derived = await door.deriveKey(mechanism, base.handle, READABLE_SECRET, ['VALUE'], anchor);
    const expected = createHmac('sha256', value)
      .update(Buffer.from([0, 0, 0, 1]))
      .update(fixedInput)
      .digest();
    expect(Buffer.from(derived.attributes.VALUE!)).toEqual(expected);
  });

  test.skipIf(!present)('OAEP with SHA-256 and a label opens what node sealed', async () => {
    const pair = await rsaPair(door);
    const label = Buffer.from('label');
    const sealed = publicEncrypt(
      { key: publicKeyOf(pair.publicKey.attributes), oaepHash: 'sha256', oaepLabel: label },
      Buffer.from('data'),
    );
    const opened = await door.decrypt({ name: 'RSA_PKCS_OAEP', hash: 'SHA256', label }, pair.privateKey.handle, sealed, fast);
    expect(Buffer.from(opened).toString()).toBe('data');
  });

  test.skipIf(!present)('FC_GetFunctionList opens the FIPS token', async () => {
    const token = provisionNss();
    const fips = await openHostCryptoki({ environment: {} });
    opened.push({ door: fips, token });
    const reserved = `configdir='sql:${token.directory}' `;
    const description = await fips.load({ path: token.module, deepBind: true, functionList: 'FC', initialize: { reserved } }, fast);
    expect(description.functionList).toBe('FC_GetFunctionList');
    expect((await fips.slots(fast)).some((slot) => slot.label.includes('FIPS'))).toBe(true);
  });
});

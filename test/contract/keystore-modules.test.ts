/**
 * Keys of the PKCS#11 key store over SoftHSM, where a test knows more than the store's interface tells: the bytes of an HMAC key, what
 * is done when the token lacks a padding, and how long others wait while a key pair is made.
 */
import { createHmac, randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { keyAlgorithms, keyShape } from '../../src/keys/algorithms.ts';
import { macKeyFingerprint, macKeyFingerprintInput } from '../../src/keys/key-fingerprint.ts';
import type { KeyUsage, MaterialRecord } from '../../src/keys/key-record.ts';
import { materialIdOf } from '../../src/keys/material-id.ts';
import { encryptWithPublicKey } from '../../src/keys/public-key-encryption.ts';
import { isSignatureValid } from '../../src/keys/verify-signature.ts';
import type { BoundKey, KeyStore } from '../../src/keystore/keystore.ts';
import { openPkcs11KeyStore } from '../../src/keystore/pkcs11/key-store.ts';
import { callClasses } from '../../src/token/call-classes.ts';
import { macForm, residentKey } from '../../src/token/templates.ts';
import type { Capabilities, Token } from '../../src/token/token.ts';
import { kindOf, newKey, testParts } from '../support/key-store-parts.ts';
import { eventually, openProvisioned, tokenConfig } from '../support/opened-token.ts';
import type { OpenedToken } from '../support/opened-token.ts';
import { hasSoftHsm, provisionSoftHsm } from '../support/softhsm.ts';
import type { ProvisionedToken } from '../support/softhsm.ts';

const message = randomBytes(100);
const config = { name: 'hsm', residency: 'token', suite: 'measured', custody: 'full' } as const;

/** The same token with other measurements. */
function lacking(token: Token, changes: Partial<Capabilities>): Token {
  return new Proxy(token, {
    get: (target, name) => {
      if (name === 'capabilities') return { ...target.capabilities, ...changes };
      const member: unknown = Reflect.get(target, name, target);
      return typeof member === 'function' ? (member.bind(target) as unknown) : member;
    },
  });
}

async function create(store: KeyStore, keySpec: string, keyUsage: KeyUsage): Promise<BoundKey> {
  const key = { ...newKey(), keySpec, keyUsage };
  return { key, material: await store.createMaterial({ key, keySpec, keyUsage, objectId: randomBytes(16) }) };
}

describe.skipIf(!hasSoftHsm())('keys in SoftHSM', () => {
  let provisioned: ProvisionedToken;
  let opened: OpenedToken;
  let store: KeyStore;

  beforeAll(async () => {
    provisioned = provisionSoftHsm();
    opened = await openProvisioned(provisioned);
    store = await openPkcs11KeyStore(config, opened.token, testParts());
  });
  afterAll(async () => {
    await store?.close();
    await opened?.token.close();
    provisioned?.remove();
  });

  it.each([
    ['HMAC_224', 'SHA224_HMAC'],
    ['HMAC_256', 'SHA256_HMAC'],
    ['HMAC_384', 'SHA384_HMAC'],
    ['HMAC_512', 'SHA512_HMAC'],
  ] as const)('%s: the MAC of a key whose bytes are known is that of OpenSSL', async (keySpec, mechanism) => {
    const shape = keyShape(keySpec);
    if (shape.type !== 'hmac') throw new Error(`${keySpec} is no HMAC key`);
    const value = randomBytes(shape.keyBytes);
    const mac = (data: Uint8Array): Buffer => createHmac(shape.digest, value).update(data).digest();
    const reference = randomBytes(16);
    const { VALUE_LEN: _length, ...template } = residentKey(macForm(shape.keyBytes), { id: reference, label: 'hsm-kms known123' }, [
      mechanism,
    ]);
    await opened.doors.at(-1)?.createObject({ ...template, VALUE: value }, [], callClasses(tokenConfig(provisioned).deadlinesMs).slow);
    const key = { ...newKey(), keySpec, keyUsage: 'GENERATE_VERIFY_MAC' as const };
    const fingerprint = macKeyFingerprint(mac(macKeyFingerprintInput()));
    const place = { keyStore: 'hsm', protection: 'HSM', residency: 'token', custody: 'full', createdAtMs: 0 } as const;
    const material: MaterialRecord = { ...place, materialId: materialIdOf(key.keyId, fingerprint), reference, fingerprint };
    const [algorithm = ''] = keyAlgorithms(keySpec, 'GENERATE_VERIFY_MAC');
    expect(Buffer.from(await store.mac({ key, material }, algorithm, message))).toEqual(mac(message));
  });

  it('RSA without the paddings of the token is composed around CKM_RSA_X_509, and OpenSSL sees no difference', async () => {
    const changes = { rsaPkcs1: false, rsaPss: [], rsaOaepSha1: false, rsaOaepSha256: false };
    const composing = await openPkcs11KeyStore(config, lacking(opened.token, changes), testParts());
    const signing = await create(composing, 'RSA_2048', 'SIGN_VERIFY');
    const publicKey = signing.material.publicKey ?? new Uint8Array();
    for (const algorithm of keyAlgorithms('RSA_2048', 'SIGN_VERIFY')) {
      const request = { algorithm, messageType: 'RAW', message } as const;
      const signature = await composing.sign(signing, request);
      expect(await isSignatureValid({ keySpec: 'RSA_2048', publicKey, ...request }, signature), algorithm).toBe(true);
    }
    const decrypting = await create(composing, 'RSA_2048', 'ENCRYPT_DECRYPT');
    for (const algorithm of keyAlgorithms('RSA_2048', 'ENCRYPT_DECRYPT')) {
      const sealed = encryptWithPublicKey(decrypting.material.publicKey ?? new Uint8Array(), algorithm, message);
      expect(Buffer.from(await composing.decryptWithPrivateKey(decrypting, algorithm, sealed))).toEqual(message);
    }
    await composing.close();
  });

  it('keys that may only sign do not decrypt, and the other way round: their mechanisms are limited', async () => {
    const signing = await create(store, 'RSA_2048', 'SIGN_VERIFY');
    const decrypting = { ...signing, key: { ...signing.key, keyUsage: 'ENCRYPT_DECRYPT' as const } };
    const sealed = encryptWithPublicKey(signing.material.publicKey ?? new Uint8Array(), 'RSAES_OAEP_SHA_1', message);
    expect(await kindOf(store.decryptWithPrivateKey(decrypting, 'RSAES_OAEP_SHA_1', sealed))).not.toBe('no error');
    const [object] = await opened.token.findObjects({ CLASS: 'PRIVATE_KEY', ID: signing.material.reference }, ['ID']);
    if (object === undefined) throw new Error('the key is not in the token');
    await expect(opened.token.sign({ name: 'RSA_X_509' }, object.object, new Uint8Array(256))).rejects.toMatchObject({
      kind: 'unsupported',
    });
  });

  it('serve again by themselves after their token host died', async () => {
    const signing = await create(store, 'ECC_NIST_P384', 'SIGN_VERIFY');
    const mac = await create(store, 'HMAC_256', 'GENERATE_VERIFY_MAC');
    const before = await store.mac(mac, 'HMAC_SHA_256', message);
    process.kill(opened.doors.at(-1)?.hostPid ?? 0, 'SIGKILL');
    await eventually(async () => (await kindOf(store.mac(mac, 'HMAC_SHA_256', message))) === 'no error');
    expect(await store.mac(mac, 'HMAC_SHA_256', message)).toEqual(before);
    const request = { algorithm: 'ECDSA_SHA_384', messageType: 'RAW', message } as const;
    const judged = { keySpec: 'ECC_NIST_P384', publicKey: signing.material.publicKey ?? new Uint8Array(), ...request };
    expect(await isSignatureValid(judged, await store.sign(signing, request))).toBe(true);
  });

  it('a key pair that is being made does not hold up signatures', async () => {
    const signing = await create(store, 'ECC_NIST_P256', 'SIGN_VERIFY');
    const request = { algorithm: 'ECDSA_SHA_256', messageType: 'RAW', message } as const;
    await store.sign(signing, request);
    const progress = { made: false, signatures: 0 };
    const making = create(store, 'RSA_4096', 'SIGN_VERIFY').finally(() => (progress.made = true));
    while (!progress.made) {
      await store.sign(signing, request);
      await store.random(16);
      progress.signatures += 1;
    }
    await making;
    expect(progress.signatures).toBeGreaterThan(20);
  });
});

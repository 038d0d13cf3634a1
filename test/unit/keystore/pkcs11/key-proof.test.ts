import { createPublicKey, generateKeyPairSync, publicEncrypt, randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { publicKeyFingerprint } from '../../../../src/keys/key-fingerprint.ts';
import { materialIdOf } from '../../../../src/keys/material-id.ts';
import { openPkcs11KeyStore } from '../../../../src/keystore/pkcs11/key-store.ts';
import { kindOf, newKey, testParts } from '../../../support/key-store-parts.ts';
import { openProvisioned } from '../../../support/opened-token.ts';
import type { OpenedToken } from '../../../support/opened-token.ts';
import { hasSoftHsm, provisionSoftHsm } from '../../../support/softhsm.ts';
import type { ProvisionedToken } from '../../../support/softhsm.ts';

describe.skipIf(!hasSoftHsm())('a private key that decrypts, in a token that says of a wrong ciphertext what it says of a fault', () => {
  let provisioned: ProvisionedToken;
  let opened: OpenedToken;
  beforeAll(async () => {
    provisioned = provisionSoftHsm();
    opened = await openProvisioned(provisioned);
  }, 60_000);
  afterAll(async () => {
    await opened.token.close();
    provisioned.remove();
  });

  it('is known not to belong to the public key of its record, even when the whole record is made to fit that', async () => {
    const { token } = opened;
    const store = await openPkcs11KeyStore({ name: 'hsm', residency: 'token', suite: 'measured', custody: 'full' }, token, testParts(16));
    const names = { keySpec: 'RSA_2048', keyUsage: 'ENCRYPT_DECRYPT' } as const;
    const key = { ...newKey(), ...names };
    const material = await store.createMaterial({ key, ...names, objectId: randomBytes(16) });
    const publicKey = generateKeyPairSync('rsa', { modulusLength: 2048 }).publicKey.export({ format: 'der', type: 'spki' });
    const fingerprint = publicKeyFingerprint(publicKey);
    const altered = { ...material, publicKey, fingerprint, materialId: materialIdOf(key.keyId, fingerprint) };
    const ciphertext = publicEncrypt(
      { key: createPublicKey({ key: publicKey, format: 'der', type: 'spki' }), oaepHash: 'sha256' },
      Buffer.from('m'),
    );
    const decrypted = store.decryptWithPrivateKey({ key, material: altered }, 'RSAES_OAEP_SHA_256', ciphertext);
    expect(await kindOf(decrypted)).toBe('internal');
    await store.close();
  });
});

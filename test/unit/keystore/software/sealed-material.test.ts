import { hkdfSync } from 'node:crypto';
import { gcmsiv } from '@noble/ciphers/aes.js';
import { expect, it } from 'vitest';
import { encodeBinding } from '../../../../src/keystore/material-binding.ts';
import { sealMaterial } from '../../../../src/keystore/software/sealed-material.ts';
import { SecretBytes } from '../../../../src/secret-bytes.ts';

const purpose = 'hsm-kms sealed software material v1';
const binding = {
  key: { partition: 'aws', account: '111122223333', region: 'us-east-1', keyId: 'k' },
  keySpec: 'HMAC_256',
  keyUsage: 'GENERATE_VERIFY_MAC',
  suite: 'none',
  custody: 'full',
  materialId: 'ab'.repeat(32),
  fingerprint: new Uint8Array(48).fill(3),
} as const;

it('a sealed material opens with the HKDF of OpenSSL and AES-GCM-SIV alone', () => {
  const rootKey = Uint8Array.from({ length: 32 }, (_none, index) => index);
  const sealed = sealMaterial(new SecretBytes(Uint8Array.from(rootKey)), new Uint8Array(12).fill(7), Uint8Array.of(1, 2, 3), binding);
  const key = new Uint8Array(hkdfSync('sha256', rootKey, new Uint8Array(0), purpose, 32));
  const opened = gcmsiv(key, sealed.subarray(1, 13), encodeBinding(purpose, binding)).decrypt(sealed.subarray(13));
  expect([...opened]).toEqual([1, 2, 3]);
});

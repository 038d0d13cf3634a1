/** Chapters of what keys are used for. */
import { createHash, createPublicKey, verify } from 'node:crypto';
import { expect } from 'vitest';
import { asBytes, bytes, EncryptionContext, makeKey, refusalOf } from './chapter.ts';
import type { Chapter } from './chapter.ts';
import type { Members } from '../kms-clients.ts';

export const uses: readonly Chapter[] = [
  [
    'Encrypt',
    async (ask, made) => {
      const { CiphertextBlob, KeyId } = await ask('Encrypt', {
        KeyId: made.keys['main'],
        Plaintext: bytes('attack at dawn'),
        EncryptionContext,
      });
      expect(KeyId).toBe(made.arns['main']);
      made['ciphertext'] = CiphertextBlob;
    },
  ],
  [
    'Decrypt',
    async (ask, made) => {
      const { Plaintext, KeyId } = await ask('Decrypt', { CiphertextBlob: made['ciphertext'], EncryptionContext });
      expect([Buffer.from(asBytes(Plaintext)).toString(), KeyId]).toEqual(['attack at dawn', made.arns['main']]);
      expect(await refusalOf(ask('Decrypt', { CiphertextBlob: made['ciphertext'] }))).toBe('InvalidCiphertextException');
    },
  ],
  [
    'ReEncrypt',
    async (ask, made) => {
      const input = {
        CiphertextBlob: made['ciphertext'],
        SourceEncryptionContext: EncryptionContext,
        DestinationKeyId: made.keys['other'],
      };
      const { CiphertextBlob, SourceKeyId, KeyId } = await ask('ReEncrypt', input);
      expect([SourceKeyId, KeyId]).toEqual([made.arns['main'], made.arns['other']]);
      expect(Buffer.from(asBytes((await ask('Decrypt', { CiphertextBlob }))['Plaintext'])).toString()).toBe('attack at dawn');
    },
  ],
  [
    'GenerateDataKey',
    async (ask, made) => {
      const { Plaintext, CiphertextBlob } = await ask('GenerateDataKey', { KeyId: made.keys['main'], KeySpec: 'AES_256' });
      const opened = await ask('Decrypt', { CiphertextBlob });
      expect(Buffer.from(asBytes(opened['Plaintext']))).toEqual(Buffer.from(asBytes(Plaintext)));
    },
  ],
  [
    'GenerateDataKeyWithoutPlaintext',
    async (ask, made) => {
      const { CiphertextBlob } = await ask('GenerateDataKeyWithoutPlaintext', { KeyId: made.keys['main'], NumberOfBytes: 24 });
      expect(asBytes((await ask('Decrypt', { CiphertextBlob }))['Plaintext'])).toHaveLength(24);
    },
  ],
  [
    'GenerateDataKeyPair',
    async (ask, made) => {
      const pair = await ask('GenerateDataKeyPair', { KeyId: made.keys['main'], KeyPairSpec: 'ECC_NIST_P256' });
      const opened = await ask('Decrypt', { CiphertextBlob: pair['PrivateKeyCiphertextBlob'] });
      expect(Buffer.from(asBytes(opened['Plaintext']))).toEqual(Buffer.from(asBytes(pair['PrivateKeyPlaintext'])));
    },
  ],
  [
    'GenerateDataKeyPairWithoutPlaintext',
    async (ask, made) => {
      const pair = await ask('GenerateDataKeyPairWithoutPlaintext', { KeyId: made.keys['main'], KeyPairSpec: 'ECC_NIST_P384' });
      expect(asBytes(pair['PublicKey']).length).toBeGreaterThan(100);
      expect(pair['PrivateKeyPlaintext']).toBeUndefined();
    },
  ],
  [
    'GenerateRandom',
    async (ask) => {
      expect(asBytes((await ask('GenerateRandom', { NumberOfBytes: 33 }))['Plaintext'])).toHaveLength(33);
    },
  ],
  [
    'GetPublicKey',
    async (ask, made) => {
      const { PublicKey, SigningAlgorithms } = await ask('GetPublicKey', { KeyId: made.keys['signing'] });
      expect(SigningAlgorithms).toEqual(['ECDSA_SHA_256']);
      made['publicKey'] = PublicKey;
    },
  ],
  [
    'Sign',
    async (ask, made) => {
      const input = { KeyId: made.keys['signing'], Message: bytes('message'), SigningAlgorithm: 'ECDSA_SHA_256' };
      const { Signature } = await ask('Sign', input);
      const publicKey = createPublicKey({ key: Buffer.from(asBytes(made['publicKey'])), format: 'der', type: 'spki' });
      expect(verify('sha256', bytes('message'), publicKey, asBytes(Signature))).toBe(true);
      made['signature'] = Signature;
    },
  ],
  [
    'Verify',
    async (ask, made) => {
      const digest = Uint8Array.from(createHash('sha256').update('message').digest());
      const input = { KeyId: made.keys['signing'], SigningAlgorithm: 'ECDSA_SHA_256', Signature: made['signature'] };
      expect(await ask('Verify', { ...input, Message: digest, MessageType: 'DIGEST' })).toMatchObject({ SignatureValid: true });
      expect(await refusalOf(ask('Verify', { ...input, Message: bytes('other') }))).toBe('KMSInvalidSignatureException');
    },
  ],
  [
    'GenerateMac',
    async (ask, made) => {
      const { Mac } = await ask('GenerateMac', { KeyId: made.keys['mac'], Message: bytes('message'), MacAlgorithm: 'HMAC_SHA_256' });
      made['mac'] = Mac;
    },
  ],
  [
    'VerifyMac',
    async (ask, made) => {
      const input = { KeyId: made.keys['mac'], MacAlgorithm: 'HMAC_SHA_256', Mac: made['mac'] };
      expect(await ask('VerifyMac', { ...input, Message: bytes('message') })).toMatchObject({ MacValid: true });
      expect(await refusalOf(ask('VerifyMac', { ...input, Message: bytes('other') }))).toBe('KMSInvalidMacException');
    },
  ],
  [
    'DeriveSharedSecret',
    async (ask, made) => {
      const usage = { KeySpec: 'ECC_NIST_P256', KeyUsage: 'KEY_AGREEMENT' };
      await makeKey(ask, made, 'left', usage);
      await makeKey(ask, made, 'right', usage);
      const derive = async (KeyId: unknown, peer: unknown): Promise<Buffer> => {
        const { PublicKey } = await ask('GetPublicKey', { KeyId: peer });
        return Buffer.from(asBytes((await ask('DeriveSharedSecret', { KeyId, KeyAgreementAlgorithm: 'ECDH', PublicKey }))['SharedSecret']));
      };
      expect(await derive(made.keys['left'], made.keys['right'])).toEqual(await derive(made.keys['right'], made.keys['left']));
    },
  ],
  [
    'Encapsulate',
    async (ask, made) => {
      await makeKey(ask, made, 'encapsulation', { KeySpec: 'ML_KEM_768', KeyUsage: 'ENCAPSULATE_DECAPSULATE' });
      made['encapsulated'] = await ask('Encapsulate', { KeyId: made.keys['encapsulation'], EncapsulationAlgorithm: 'ML_KEM' });
    },
  ],
  [
    'Decapsulate',
    async (ask, made) => {
      const { SharedSecret, SharedSecretCiphertextBlob } = made['encapsulated'] as Members;
      const input = { KeyId: made.keys['encapsulation'], EncapsulationAlgorithm: 'ML_KEM', SharedSecretCiphertextBlob };
      expect(Buffer.from(asBytes((await ask('Decapsulate', input))['SharedSecret']))).toEqual(Buffer.from(asBytes(SharedSecret)));
    },
  ],
  [
    'GetKeyLastUsage',
    async (ask, made) => {
      expect((await ask('GetKeyLastUsage', { KeyId: made.keys['mac'] }))['KeyLastUsage']).toMatchObject({ Operation: 'VerifyMac' });
    },
  ],
];
